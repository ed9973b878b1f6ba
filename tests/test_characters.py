import pytest
from make_readings import all_characters, living_readings

from funasr_cli.characters import MAX_CHAR_S, graphemes, heard_characters, readings
from funasr_cli.results import CtcToken


def token(piece: bytes, start: float, confidence: float = 1.0) -> CtcToken:
    return CtcToken(id=0, piece=piece, start=start, end=start + 0.06, confidence=confidence)


def test_a_character_spread_over_tokens_starts_with_the_first_and_trusts_the_worst() -> None:
    data = "鑫".encode()
    heard = heard_characters(
        [token(data[:1], 1.0, 0.9), token(data[1:], 1.12, 0.4), token("是".encode(), 1.3)]
    )
    assert [(h.text, h.start, h.end, h.confidence) for h in heard] == [
        ("鑫", 1.0, 1.3, 0.4),
        ("是", 1.3, pytest.approx(1.3 + MAX_CHAR_S), 1.0),
    ]


def test_a_token_may_end_one_character_and_begin_the_next() -> None:
    first, second = "你".encode(), "好".encode()
    heard = heard_characters([token(first[:2], 0.0), token(first[2:] + second, 0.1)])
    assert [(h.text, h.start) for h in heard] == [("你", 0.0), ("好", 0.1)]


def test_the_letters_of_a_token_share_its_time_and_a_space_takes_none() -> None:
    heard = heard_characters([token(b" cat", 1.0), token(b" sat", 1.3)])
    assert [h.text for h in heard] == list(" cat sat")
    assert [h.start for h in heard[:4]] == pytest.approx([1.0, 1.0, 1.1, 1.2])
    assert heard[3].end == pytest.approx(1.3)


@pytest.mark.parametrize("data", [b"\xe4", b"a\xe4\xb8b", b"\xff\xfe", b"\xe4\xb8\xad\x80\xe4\xb8"])
def test_undecodable_bytes_read_as_python_reads_them(data: bytes) -> None:
    heard = heard_characters([token(bytes([byte]), float(at)) for at, byte in enumerate(data)])
    assert "".join(h.text for h in heard) == data.decode(errors="replace")


def test_nothing_heard() -> None:
    assert heard_characters([]) == []
    assert heard_characters([token(b"", 0.0)]) == []


@pytest.mark.parametrize(
    ("text", "clusters"),
    [
        ("你 好\n。", ["你", "好", "。"]),
        ("cafe\u0301 a", ["c", "a", "f", "e\u0301", "a"]),
        ("がか\u3099", ["が", "か\u3099"]),
        ("👩\u200d💻x", ["👩\u200d💻", "x"]),
        ("a \u0301b", ["a", "\u0301", "b"]),
        ("", []),
    ],
)
def test_graphemes(text: str, clusters: list[str]) -> None:
    assert graphemes(text) == clusters


def test_readings_keep_living_heteronyms_and_drop_archaic_ones() -> None:
    assert readings("长") == ("chang2", "zhang3")
    assert readings("能") == ("neng2",)
    assert readings("女") == ("nv3",)
    assert "de" in readings("的")
    assert readings("a") == readings("，") == readings("é") == ()


def test_a_character_without_phrases_keeps_what_is_known() -> None:
    assert readings("婍") == ("qi3",)


def test_readings_are_those_of_the_installed_pypinyin() -> None:
    """All but a few: its next version may know better, and then the file is made anew."""
    characters = all_characters()[::7]
    differ = [char for char in characters if readings(char) != living_readings(char)]
    assert len(differ) < 0.005 * len(characters)


def test_only_single_characters_are_alternatives_of_a_character() -> None:
    others = (("力".encode(), 0.2), (b"ab", 0.1), (b"\xe5", 0.1), (b"", 0.1))
    (char,) = heard_characters([CtcToken(1, "里".encode(), 0.0, 0.1, 0.7, others)])
    assert char.alternatives == (("力", 0.2),)
    word = heard_characters([CtcToken(1, b"ab", 0.0, 0.1, 0.7, others)])
    assert [char.alternatives for char in word] == [(), ()]
