"""The model against the same forward pass in numpy, and what must never reach llama.cpp."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_gguf import TinyModel

from funasr_cli.errors import DecodeError, ModelError, UsageError
from funasr_cli.llama import loading, process, runtime
from funasr_cli.llama.runtime import LlamaModel, open_language_model
from funasr_cli.protocols import Floats, Ints, Rows

TOLERANCE = 5e-3  # of the largest logit: the KV cache is f16


def some_tokens(n: int, seed: int = 0) -> Ints:
    return np.random.default_rng(seed).integers(0, 256, n, np.int32)


def expected(tiny: TinyModel, tokens: Ints) -> NDArray[np.float64]:
    return tiny.logits(tiny.embedding[tokens])


def assert_close(logits: Floats, reference: NDArray[np.float64]) -> None:
    assert logits.shape == reference.shape
    assert logits.dtype == np.float32
    assert np.abs(logits - reference).max() < TOLERANCE * np.abs(reference).max()


def one(model: LlamaModel, rows: Rows) -> Floats:
    (logits,) = model.evaluate([rows])
    return logits


def test_sizes(model: LlamaModel, tiny: TinyModel) -> None:
    assert model.n_vocab == len(tiny.tokens)
    assert model.n_embd == tiny.shape.width
    assert model.n_seq == 3
    assert model.n_ctx >= 300


def test_tokens_give_the_logits_of_the_reference(model: LlamaModel, tiny: TinyModel) -> None:
    tokens = some_tokens(100)  # more than n_batch and n_outputs: split inside
    assert_close(one(model, Rows(0, 0, tokens, logits="all")), expected(tiny, tokens))


def test_embeddings_give_what_their_tokens_give(model: LlamaModel, tiny: TinyModel) -> None:
    tokens = some_tokens(70)
    by_token = one(model, Rows(0, 0, tokens, logits="all"))
    by_row = one(model, Rows(1, 0, embeddings=tiny.embedding[tokens], logits="all"))
    np.testing.assert_array_equal(by_token, by_row)


def test_embeddings_may_be_any_array(model: LlamaModel, tiny: TinyModel) -> None:
    """A transposed one, as onnxruntime may hand back, is laid out anew."""
    rows = tiny.embedding[some_tokens(9)]
    straight = one(model, Rows(0, 0, embeddings=rows))
    crooked = one(model, Rows(1, 0, embeddings=np.asfortranarray(rows)))
    np.testing.assert_array_equal(straight, crooked)


def test_tokens_follow_embeddings(model: LlamaModel, tiny: TinyModel) -> None:
    tokens = some_tokens(20)
    assert one(model, Rows(0, 0, embeddings=tiny.embedding[tokens[:12]], logits="none")).size == 0
    rest = one(model, Rows(0, 12, tokens[12:], logits="all"))
    assert_close(rest, expected(tiny, tokens)[12:])


def test_which_logits_come_back(model: LlamaModel, tiny: TinyModel) -> None:
    tokens = some_tokens(40)
    reference = expected(tiny, tokens)
    none, last, every = model.evaluate(
        [
            Rows(0, 0, tokens, logits="none"),
            Rows(1, 0, tokens, logits="last"),
            Rows(2, 0, tokens, logits="all"),
        ]
    )
    assert none.shape == (0, model.n_vocab)
    assert_close(last, reference[-1:])
    assert_close(every, reference)


def test_logits_are_copies(model: LlamaModel) -> None:
    first = one(model, Rows(0, 0, some_tokens(3)))
    kept = first.copy()
    one(model, Rows(1, 0, some_tokens(5, seed=9)))
    np.testing.assert_array_equal(first, kept)


def test_sequences_side_by_side_equal_one_by_one(tiny: TinyModel) -> None:
    sequences = [some_tokens(n, seed=n) for n in (50, 7, 90)]
    with open_language_model(tiny.path, n_ctx=100, n_seq=3, n_batch=32, threads=1) as model:
        runs = [Rows(i, 0, tokens, logits="all") for i, tokens in enumerate(sequences)]
        together = model.evaluate(runs)
        for i, tokens in enumerate(sequences):
            model.forget(i)
            assert_close(together[i], expected(tiny, tokens))
            np.testing.assert_allclose(together[i], one(model, runs[i]), atol=0.02)


def test_forget_and_go_on(model: LlamaModel, tiny: TinyModel) -> None:
    tokens, other = some_tokens(30), some_tokens(30, seed=5)
    one(model, Rows(0, 0, tokens))
    model.forget(0, 10)
    model.forget(0, 25)  # beyond what it holds: nothing to do
    branch = np.concatenate([tokens[:10], other[:6]])
    logits = one(model, Rows(0, 10, other[:6], logits="all"))
    assert_close(logits, expected(tiny, branch)[10:])
    model.forget(0)
    assert_close(one(model, Rows(0, 0, other, logits="all")), expected(tiny, other))


def test_copy_and_branch(tiny: TinyModel) -> None:
    prefix, a, b = some_tokens(40), some_tokens(5, seed=1), some_tokens(8, seed=2)
    with open_language_model(tiny.path, n_ctx=100, n_seq=2, threads=1) as model:
        model.evaluate([Rows(0, 0, prefix), Rows(1, 0, b)])
        model.copy(0, 1)
        model.copy(1, 1)
        logits = model.evaluate([Rows(0, 40, a, logits="all"), Rows(1, 40, b, logits="all")])
    for tail, got in ((a, logits[0]), (b, logits[1])):
        assert_close(got, expected(tiny, np.concatenate([prefix, tail]))[40:])


def test_a_full_cache_is_an_error_and_changes_nothing(model: LlamaModel, tiny: TinyModel) -> None:
    tokens = np.resize(some_tokens(97), model.n_ctx)
    one(model, Rows(0, 0, tokens[:-1], logits="none"))
    with pytest.raises(DecodeError, match="KV cache is full"):
        model.evaluate([Rows(1, 0, tokens[:5]), Rows(0, model.n_ctx - 1, tokens[:2])])
    assert_close(one(model, Rows(0, model.n_ctx - 1, tokens[-1:])), expected(tiny, tokens)[-1:])
    assert_close(one(model, Rows(1, 0, tokens[:5])), expected(tiny, tokens[:5])[-1:])


@pytest.mark.parametrize("bad", [-1, 100_000])
def test_a_failure_half_way_changes_nothing(model: LlamaModel, tiny: TinyModel, bad: int) -> None:
    """The second of two pieces fails; the first one is taken back."""
    tokens = some_tokens(60)
    one(model, Rows(0, 0, tokens[:10]))
    broken = np.append(tokens[10:], np.int32(bad))
    with pytest.raises(DecodeError, match=f"token {bad} is not in the vocabulary"):
        model.evaluate([Rows(0, 10, broken)])
    assert_close(one(model, Rows(0, 10, tokens[10:])), expected(tiny, tokens)[-1:])


NO_TOKENS: Ints = np.empty(0, np.int32)
TOKENS: Ints = np.zeros(2, np.int32)
EMBEDDINGS: Floats = np.zeros((2, 64), np.float32)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([Rows(3, 0, TOKENS)], "sequence 3 is not in 0..2"),
        ([Rows(-1, 0, TOKENS)], "sequence -1"),
        ([Rows(0, 1, TOKENS)], "holds 0 positions"),
        ([Rows(0, 0, TOKENS), Rows(0, 0, TOKENS)], "holds 2 positions"),
        ([Rows(0, 0, TOKENS, EMBEDDINGS)], "all runs of a batch"),
        ([Rows(0, 0)], "all runs of a batch"),
        ([Rows(0, 0, TOKENS), Rows(1, 0, embeddings=EMBEDDINGS)], "all runs of a batch"),
        ([Rows(0, 0, NO_TOKENS)], r"shape \(0,\)"),
        ([Rows(0, 0, embeddings=EMBEDDINGS[:0])], r"shape \(0, 64\)"),
        ([Rows(0, 0, embeddings=EMBEDDINGS[:, :63])], r"shape \(2, 63\)"),
        ([Rows(0, 0, embeddings=EMBEDDINGS[0])], r"shape \(64,\)"),
        ([Rows(0, 0, TOKENS[None])], r"shape \(1, 2\)"),
    ],
)
def test_runs_that_would_abort_or_be_misread(
    model: LlamaModel, rows: Sequence[Rows], message: str
) -> None:
    with pytest.raises(DecodeError, match=message):
        model.evaluate(rows)


def test_no_runs(model: LlamaModel) -> None:
    assert model.evaluate([]) == []


def test_a_run_may_go_on_in_the_same_batch(model: LlamaModel, tiny: TinyModel) -> None:
    tokens = some_tokens(9)
    parts = model.evaluate([Rows(0, 0, tokens[:4]), Rows(0, 4, tokens[4:])])
    assert_close(np.concatenate(parts), expected(tiny, tokens)[[3, 8]])


def test_cache_calls_check_their_sequence(model: LlamaModel) -> None:
    calls: tuple[Callable[[], object], ...] = (
        lambda: model.forget(3),
        lambda: model.forget(-1),
        lambda: model.forget(0, -1),
        lambda: model.copy(0, 3),
        lambda: model.copy(3, 0),
    )
    for call in calls:
        with pytest.raises(DecodeError):
            call()


def test_a_closed_model_says_so(tiny: TinyModel) -> None:
    model = open_language_model(tiny.path, n_ctx=10, threads=1)
    with model:
        pass
    model.close()  # twice is fine
    calls: tuple[Callable[[], object], ...] = (
        lambda: model.evaluate([Rows(0, 0, TOKENS)]),
        lambda: model.tokenize("x"),
        lambda: model.forget(0),
    )
    for call in calls:
        with pytest.raises(DecodeError, match="closed"):
            call()


def test_two_models_at_once(tiny: TinyModel, model: LlamaModel) -> None:
    tokens = some_tokens(12)
    with open_language_model(tiny.path, n_ctx=64, threads=2) as second:
        one(model, Rows(0, 0, tokens[:6]))
        assert_close(one(second, Rows(0, 0, tokens)), expected(tiny, tokens)[-1:])
    assert_close(one(model, Rows(0, 6, tokens[6:])), expected(tiny, tokens)[-1:])


@pytest.mark.parametrize("n_seq", [1, 2, 5, 64])
def test_every_sequence_gets_what_was_asked(tiny: TinyModel, n_seq: int) -> None:
    """By default llama.cpp divides n_ctx among the sequences."""
    with open_language_model(tiny.path, n_ctx=257, n_seq=n_seq, threads=1) as model:
        assert model.n_ctx >= 257
        tokens = np.resize(some_tokens(13), model.n_ctx)
        runs = [Rows(s, 0, tokens, logits="none") for s in range(n_seq)]
        model.evaluate(runs[-2:])


@pytest.mark.parametrize("name", ["n_ctx", "n_seq", "n_batch", "n_ubatch", "n_outputs", "threads"])
def test_settings_are_positive(tiny: TinyModel, name: str) -> None:
    settings: dict[str, Any] = {"n_ctx": 64, "threads": 1, name: 0}
    with pytest.raises(UsageError, match=f"{name} must be at least 1"):
        open_language_model(tiny.path, **settings)


def test_too_many_sequences_or_positions(tiny: TinyModel) -> None:
    with pytest.raises(UsageError, match="at most 256"):
        open_language_model(tiny.path, n_ctx=64, n_seq=257, threads=1)
    with pytest.raises(UsageError, match="more than"):
        open_language_model(tiny.path, n_ctx=2**31, n_seq=2, threads=1)


def test_for_reports(model: LlamaModel) -> None:
    backend = process.start()
    assert str(backend.path) in model.library
    assert backend.version in model.library
    assert backend.path.is_absolute()


def test_an_interrupt_changes_nothing(
    model: LlamaModel, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C arrives when llama_decode returns, with its rows already in the cache."""
    tokens = some_tokens(20)
    one(model, Rows(0, 0, tokens[:10]))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(model._api, "llama_get_logits_ith", interrupt)
        with pytest.raises(KeyboardInterrupt):
            one(model, Rows(0, 10, tokens[10:]))
    assert_close(one(model, Rows(0, 10, tokens[10:])), expected(tiny, tokens)[-1:])


def test_room_that_cannot_be_made_leaves_nothing_dangling(
    tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old context is gone by then: whoever used it would read freed memory."""
    real = loading.load_context
    with open_language_model(tiny.path, n_ctx=64, threads=1) as model:

        def fail(*_: object) -> int:
            raise ModelError("no memory")

        monkeypatch.setattr(runtime, "load_context", fail)
        with pytest.raises(ModelError, match="no memory"):
            model.need(1000, 4)
        with pytest.raises(DecodeError):
            model.evaluate([Rows(0, 0, tokens=np.array([1], np.int32))])
        monkeypatch.setattr(runtime, "load_context", real)
        model.need(64, 2)
        assert model.n_seq == 2
        assert model.evaluate([Rows(1, 0, tokens=np.array([1], np.int32))])[0].shape[0] == 1


def test_room_grows_and_never_shrinks(tiny: TinyModel) -> None:
    with open_language_model(tiny.path, n_ctx=64, threads=1) as model:
        assert (model.n_seq, model.n_ctx >= 64) == (1, True)
        model.need(600, 3)
        assert (model.n_seq, model.n_ctx >= 600) == (3, True)
        model.need(64, 1)
        assert (model.n_seq, model.n_ctx >= 600) == (3, True)


def test_room_is_bounded(tiny: TinyModel) -> None:
    s = tiny.shape
    cell = s.layers * s.kv_heads * 2 * s.head_width * 2
    limit = 2 * 256 * cell
    with open_language_model(tiny.path, n_ctx=200, threads=1, max_cache_bytes=limit) as model:
        model.need(200, 8)
        assert model.n_seq == 2
        model.need(2000, 8)
        assert model.n_seq == 1


def test_a_grown_cache_holds_what_it_held(tiny: TinyModel) -> None:
    """Bit by bit: a text must not depend on when its neighbours needed room."""
    tokens = some_tokens(400)

    def open_with(n_ctx: int) -> LlamaModel:
        return open_language_model(tiny.path, n_ctx=n_ctx, n_seq=3, threads=1)

    with open_with(512) as plain, open_with(200) as model:
        model.need(200, 3, max_ctx=512)
        assert (model.n_ctx, model.max_ctx) == (256, 512)
        parts = [
            Rows(0, 0, tokens=tokens[:240]),
            Rows(2, 0, tokens=tokens[100:130]),
        ]
        for one_of in (plain, model):
            one_of.evaluate(parts)
            one_of.copy(2, 1)
            one_of.forget(1, 25)
            one_of.forget(2, 20)
        model.grow(512)
        assert (model.n_ctx, model.n_seq) == (512, 3)
        following = [
            Rows(0, 240, tokens=tokens[240:260], logits="all"),
            Rows(1, 25, tokens=tokens[:9], logits="all"),
            Rows(2, 20, tokens=tokens[120:130], logits="all"),
        ]
        for run in following:
            found, reference = one(model, run), one(plain, run)
            assert (found == reference).all()
        model.grow(300)
        assert model.n_ctx == 512


def test_growing_that_fails_changes_nothing(
    tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = some_tokens(20)
    with open_language_model(tiny.path, n_ctx=200, threads=1) as model:
        model.evaluate([Rows(0, 0, tokens=tokens[:10])])
        with monkeypatch.context() as patch:
            patch.setattr(model._api, "llama_state_seq_set_data", lambda *_: 0)
            with pytest.raises(DecodeError, match="cannot move"):
                model.grow(600)

        def fail(*_: object) -> int:
            raise ModelError("no memory")

        with monkeypatch.context() as patch:
            patch.setattr(runtime, "load_context", fail)
            with pytest.raises(DecodeError, match="no memory"):
                model.grow(600)
        assert model.n_ctx == 256
        assert_close(one(model, Rows(0, 10, tokens[10:])), expected(tiny, tokens)[-1:])


def test_a_build_that_cannot_move_gets_all_its_room_at_once(
    tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_language_model(tiny.path, n_ctx=200, threads=1) as model:
        monkeypatch.setattr(model._api, "llama_state_seq_get_data", None)
        model.need(200, 2, max_ctx=500)
        assert (model.n_ctx, model.max_ctx) == (512, 512)


def test_room_to_grow_is_bounded_too(tiny: TinyModel) -> None:
    s = tiny.shape
    cell = s.layers * s.kv_heads * 2 * s.head_width * 2
    limit = 4 * 256 * cell
    with open_language_model(tiny.path, n_ctx=200, threads=1, max_cache_bytes=limit) as model:
        model.need(200, 8, max_ctx=500)
        assert (model.n_seq, model.n_ctx) == (2, 256)
        model.need(200, 1, max_ctx=900)
        assert (model.n_seq, model.n_ctx) == (1, 256)
