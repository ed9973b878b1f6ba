"""Models of random weights: whole, repeatable, and usable like any other."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import funasr_cli
from funasr_cli.bench import make_model as maker
from funasr_cli.bench.make_model import make_model
from funasr_cli.bench.vocabulary import Vocabulary
from funasr_cli.errors import LibraryError, ModelError, OutputError, UsageError
from funasr_cli.llama.runtime import open_language_model
from funasr_cli.manifest import damaged_files, read_manifest
from funasr_cli.model_dir import open_model_dir
from funasr_cli.options import RuntimeOptions, TranscribeOptions
from funasr_cli.transcriber import Transcriber

pytestmark = [
    pytest.mark.export,
    pytest.mark.skipif(find_spec("onnx") is None, reason="needs onnx (extra `export`)"),
]
ROOT = Path(funasr_cli.__file__).parent.parent
SAMPLE = Path(__file__).parents[2] / "samples" / "zh-01.wav"
TINY_BYTES = 20_000_000


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold a tiny model; not to be changed."""
    folder = tmp_path_factory.mktemp("made") / "随机 tiny"
    make_model(folder, "tiny")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_is_a_whole_model_and_small(tiny: Path) -> None:
    files = open_model_dir(tiny)
    assert files.facts
    assert files.facts.use_low_frame_rate
    assert files.ctc
    assert damaged_files(tiny) == []
    assert sum(len(data) for data in contents(tiny).values()) < TINY_BYTES


def test_it_transcribes(tiny: Path) -> None:
    options = TranscribeOptions(max_new_tokens=20, language="zh", itn=False)
    with Transcriber(tiny, RuntimeOptions(threads=1)) as transcriber:
        first = transcriber.transcribe(SAMPLE, options)
        again = transcriber.transcribe(SAMPLE, options)
    segment = first.segments[0]
    assert segment.text
    assert len(segment.token_ids) == 20  # never its own end: the limit decides
    assert 0.5 < len(segment.ctc_text) / first.duration < 10
    assert [s.token_ids for s in again.segments] == [s.token_ids for s in first.segments]


def test_the_llm_knows_prompts_and_control_tokens(tiny: Path) -> None:
    with open_language_model(next(tiny.glob("*.gguf")), n_ctx=256, threads=1) as llm:
        ids = llm.tokenize("<|im_start|>user\n语音转写成中文：<|im_end|>")
        assert 8 <= len(ids) <= 16
        assert b"".join(map(llm.piece, ids)).decode() == "user\n语音转写成中文："
        assert llm.is_end(ids[-1])
        assert llm.n_vocab == 6400


def test_the_seed_decides_the_weights(tiny: Path, tmp_path: Path) -> None:
    make_model(tmp_path / "same", "tiny")
    make_model(tmp_path / "other", "tiny", seed=1)
    assert contents(tmp_path / "same") == contents(tiny)
    for name, data in contents(tmp_path / "other").items():
        assert (data == contents(tiny)[name]) == (name == "tokens.txt")


def test_the_llm_alone(tiny: Path, tmp_path: Path) -> None:
    heard: list[tuple[str, float]] = []
    manifest = make_model(
        tmp_path / "a", "tiny", decoder_only=True, progress=lambda *told: heard.append(told)
    )
    assert read_manifest(tmp_path / "a" / "manifest.json") == manifest
    assert list(manifest.artefacts()) == ["decoder"]
    assert manifest.model.llm_vocab == 6400
    assert heard[-1] == ("decoder", 1.0)
    name = next(tiny.glob("*.gguf")).name
    assert set(contents(tmp_path / "a")) == {name, "manifest.json"}
    assert (tmp_path / "a" / name).read_bytes() == contents(tiny)[name]


def test_the_real_shapes() -> None:
    source = maker._source("full", 0, with_ctc=True)
    facts = source.facts()
    assert (facts.encoder_dim, facts.llm_dim) == (512, 1024)
    assert (facts.ctc_vocab, facts.llm_vocab) == (60515, 151936)
    tokens = source.tokenizer.tokens
    assert tokens[151643:151646] == ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    assert len(set(tokens)) == len(tokens) == 151936
    assert (source.qwen.bos, source.qwen.eos) == (151643, 151645)
    blocks = source.audit.groups["audio_encoder"]
    assert blocks["found"] == 70 * 13 + 4


def test_every_token_is_made_of_earlier_ones() -> None:
    vocabulary = Vocabulary(20_000)
    assert len(vocabulary.tokens) == len(set(vocabulary.tokens)) == 20_000
    known = set(vocabulary.tokens[:256])
    for token, (left, right) in zip(vocabulary.tokens[256:], vocabulary.merges, strict=True):
        assert token == left + right
        assert {left, right} <= known
        known.add(token)


def test_what_is_there_is_replaced_only_on_demand(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    make_model(folder, "tiny", decoder_only=True, seed=1)
    (folder / "notes.txt").write_text("mine")
    before = contents(folder)
    with pytest.raises(ModelError, match="--force"):
        make_model(folder, "tiny")
    assert contents(folder) == before
    make_model(folder, "tiny", force=True)
    assert len(contents(folder)) == 6
    make_model(folder, "tiny", decoder_only=True, seed=1, force=True)
    assert contents(folder) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_it_appears_whole_or_not_at_all(error: BaseException, tmp_path: Path) -> None:
    def stop(stage: str, done: float) -> None:
        if stage == "decoder" and done > 0.5:
            raise error

    wanted = OutputError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(wanted):
        make_model(tmp_path / "model", "tiny", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_wrong_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="choose one of tiny, full"):
        make_model(tmp_path / "a", "huge")
    with pytest.raises(UsageError, match="seed -1"):
        make_model(tmp_path / "a", "tiny", seed=-1)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file"):
        make_model(tmp_path / "file", "tiny")
    monkeypatch.setattr(maker, "find_spec", lambda _name: None)
    with pytest.raises(LibraryError, match=r"needs gguf, onnx: .*funasr-cli\[export\]"):
        make_model(tmp_path / "a", "tiny")
    with pytest.raises(LibraryError, match=r"needs gguf: "):
        make_model(tmp_path / "a", "tiny", decoder_only=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "funasr_cli", "bench", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def test_the_command(tmp_path: Path) -> None:
    made = command("make-model", tmp_path / "模型", "--size", "tiny", "--decoder-only")
    assert made.returncode == 0, made.stderr
    assert made.stdout == ""
    assert "Fun-ASR-Nano-Decoder.q8_0.gguf  1.4 MB" in made.stderr
    again = command("make-model", tmp_path / "模型", "-q")
    assert again.returncode == 3
    assert again.stderr.count("\n") == 1
    assert "--force" in again.stderr
    assert command("make-model", tmp_path / "b", "--size", "big").returncode == 2
    assert "random weights" in command("--help").stdout


def test_no_torch_is_needed(tmp_path: Path) -> None:
    code = """
import sys
sys.modules.update(dict.fromkeys(("torch", "transformers")))
from pathlib import Path
from funasr_cli.bench.make_model import make_model
make_model(Path(sys.argv[1]), "tiny")
"""
    arguments = [sys.executable, "-c", code, str(tmp_path / "model")]
    subprocess.run(arguments, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})  # noqa: S603
    assert damaged_files(tmp_path / "model") == []
