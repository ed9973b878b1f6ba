"""Run the official package `funasr` on a checkpoint and keep every number that we compare.

Runs in an environment of its own (that package owns a command called `funasr`, too) and imports
nothing of ours: python reference.py CHECKPOINT SOUNDS.npz WORDINGS.json MAX_NEW_TOKENS OUT.npz
"""

# ruff: noqa: ANN401 - the reference has no types
import json
import sys
from typing import Any

import numpy as np

WINDOW = 400


def main() -> None:
    """Dump one checkpoint."""
    folder, sounds, wordings, tokens, out = sys.argv[1:]
    with np.load(sounds) as file:
        waves = dict(file)
    np.savez_compressed(out, **dump(folder, waves, json.loads(wordings), int(tokens)))


def dump(
    folder: str, waves: dict[str, Any], wordings: list[dict[str, Any]], tokens: int
) -> dict[str, Any]:
    """Run everything; keys are `SOUND/WHAT` and `prompt/N`."""
    import funasr.models.fun_asr_nano.model as nano  # type: ignore[import-not-found]
    import torch
    from funasr import AutoModel
    from funasr.utils.load_utils import extract_fbank  # type: ignore[import-not-found]

    torch.set_num_threads(1)
    nano.forced_align = lambda *_: []  # needs torchaudio; its times are not compared
    auto = AutoModel(
        model=folder,
        device="cpu",
        ncpu=1,
        disable_update=True,
        disable_pbar=True,
        log_level="ERROR",
        frontend_conf={"dither": 0.0},  # 1.0 by default: noise that differs from call to call
    )
    model, tokenizer = auto.model, auto.kwargs["tokenizer"]
    frontend = auto.kwargs["frontend"]
    assert frontend.dither == 0.0
    results: dict[str, Any] = {"ctc": np.array(model.ctc is not None)}
    for number, wording in enumerate(wordings):
        results[f"prompt/{number}"] = np.array(tokenizer.encode(_prefix(model, wording)), np.int32)

    caught: list[Any] = []
    generate = model.llm.generate

    def keep(**arguments: Any) -> Any:
        ids = generate(**arguments)
        caught.append((arguments["inputs_embeds"].detach().float(), ids[0]))
        return ids

    model.llm.generate = keep
    for name, wave in waves.items():
        # below one window the reference shrinks its window, which no model was trained on
        heard = torch.from_numpy(np.pad(wave, (0, max(0, WINDOW - len(wave)))))
        with torch.no_grad():
            features, lengths = extract_fbank(
                heard, data_type="sound", frontend=frontend, is_final=True
            )
            results[f"{name}/lfr"] = features[0].numpy().copy()
            states, state_lengths = model.encode(features.clone(), lengths)
            results[f"{name}/encoder_out"] = states[0].numpy()
            if model.ctc is not None:
                decoded, _ = model.ctc_decoder(states, state_lengths)
                scores = model.ctc.log_softmax(decoded)[0]
                results[f"{name}/ctc_ids"] = scores.argmax(-1).numpy().astype(np.int32)
                results[f"{name}/ctc_log_probs"] = scores.max(-1).values.numpy()
            auto.generate(input=[heard], cache={}, batch_size=1, max_length=tokens)
            embeds, ids = caught[-1]
            results[f"{name}/embeds"] = _audio_rows(
                tokenizer, model, embeds[0].numpy(), auto.kwargs
            )
            results[f"{name}/ids"] = ids.numpy().astype(np.int32)
            results[f"{name}/margins"] = _margins(model, embeds, ids)
    return results


def _prefix(model: Any, wording: dict[str, Any]) -> str:
    user = model.get_prompt(wording["hotwords"], wording["language"], wording["itn"])
    return f"<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n{user}"


def _audio_rows(tokenizer: Any, model: Any, embeds: Any, options: dict[str, Any]) -> Any:
    """Take the rows between the two texts."""
    suffix = "<|im_end|>\n<|im_start|>assistant\n"
    if not options["dataset_conf"].get("do_think", True):
        suffix += "<think>\n\n</think>\n\n"
    plain = _prefix(model, {"hotwords": [], "language": None, "itn": True})
    return embeds[len(tokenizer.encode(plain)) : len(embeds) - len(tokenizer.encode(suffix))]


def _margins(model: Any, embeds: Any, ids: Any) -> Any:
    """Tell how clearly each of the chosen tokens won."""
    import torch

    table = model.llm.get_input_embeddings()
    answer = table(ids[None, :-1])
    with torch.no_grad():
        states = model.llm(inputs_embeds=torch.cat([embeds, answer], 1))
    top, best = states.logits[0, embeds.shape[1] - 1 :].topk(2, -1)
    margins = (top[:, 0] - top[:, 1]).numpy()
    assert all(margins[best[:, 0] != ids] < 1e-3), "a repeated run chose other tokens"
    return margins


if __name__ == "__main__":
    main()
