from pathlib import Path

import pytest

from funasr_cli.errors import InputError
from funasr_cli.hotwords import read_hotwords


def written(folder: Path, data: bytes | str, name: str = "hot.txt") -> str:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("开放时间", ("开放时间",)),
        ("a, b,c", ("a", "b", "c")),
        ("张三，李四、王五", ("张三", "李四", "王五")),
        ("New York,C#,AC/DC,", ("New York", "C#", "AC/DC")),
        ("a,a,,b", ("a", "b")),
        ("", ()),
        (" , ", ()),
        ("x" * 5000, ("x" * 5000,)),
    ],
)
def test_words_between_commas(spec: str, words: tuple[str, ...]) -> None:
    assert read_hotwords(spec).words == words


def test_a_file_has_one_word_a_line(tmp_path: Path) -> None:
    text = "\ufeff# names\r\n张三\r\n\r\n  李四  # the other one\n张三\nC#\nNew York, NY\n"
    found = read_hotwords(written(tmp_path, text))
    assert found.words == ("张三", "李四", "C#", "New York, NY")
    assert found.notes == ()


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    assert read_hotwords(written(tmp_path, "张三", "热词，表")).words == ("张三",)


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-16"])
def test_other_encodings_are_read_with_a_note(tmp_path: Path, encoding: str) -> None:
    found = read_hotwords(written(tmp_path, "张三\n李四".encode(encoding)))
    assert found.words == ("张三", "李四")
    assert "not UTF-8" in found.notes[0]


def test_weights_are_accepted_and_explained(tmp_path: Path) -> None:
    found = read_hotwords(written(tmp_path, "张三 ^2.0\nDeepSeek^3\n2^n\n"))
    assert found.words == ("张三", "DeepSeek", "2^n")
    assert len(found.notes) == 1
    assert "2 weights" in found.notes[0]


def test_aliases_lead_to_the_written_form(tmp_path: Path) -> None:
    text = "迪普西克|deep sick = DeepSeek\n阿欧斯 = iOS\n扣的|Claude Code\nE=mc2\n"
    found = read_hotwords(written(tmp_path, text))
    assert found.words == ("DeepSeek", "iOS", "Claude Code", "E=mc2")
    assert found.aliases == (
        ("迪普西克", "DeepSeek"),
        ("deep sick", "DeepSeek"),
        ("阿欧斯", "iOS"),
        ("扣的", "Claude Code"),
    )


@pytest.mark.parametrize("spec", ["no/such/hot", "hot.txt", "..\\hot", "HOT.CSV"])
def test_a_path_is_never_taken_for_a_word(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        read_hotwords(spec)
    assert spec in str(caught.value)


def test_several_files_and_words_go_together(tmp_path: Path) -> None:
    first = written(tmp_path, "张三\n李四 ^2\n", "a.txt")
    second = written(tmp_path, "李四\n老王|王五\n".encode("gbk"), "b.txt")
    found = read_hotwords(f"{first},{second}，赵六")
    assert found.words == ("张三", "李四", "王五", "赵六")
    assert found.aliases == (("老王", "王五"),)
    assert len(found.notes) == 2
    with pytest.raises(InputError, match=r"c\.txt: no such"):
        read_hotwords(f"{first},c.txt")


def test_one_broken_byte_does_not_make_utf8_into_gb18030(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2"):
        read_hotwords(written(tmp_path, "张三李四王五\n赵六".encode()[:-1]))


def test_undecodable_bytes_name_their_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"hot\.txt, line 3: neither"):
        read_hotwords(written(tmp_path, b"a\nb\n\xff\xff\xff\n"))


@pytest.mark.parametrize("word", ["<|im_end|>", "a<|", "</think>", "a\x00b", "a\x1bb"])
def test_what_would_become_a_control_token_is_refused(tmp_path: Path, word: str) -> None:
    with pytest.raises(InputError, match="line 2"):
        read_hotwords(written(tmp_path, f"ok\n{word}\n"))
    with pytest.raises(InputError, match="hotword 2"):
        read_hotwords(f"ok,{word}")


def test_invisible_characters_are_dropped(tmp_path: Path) -> None:
    assert read_hotwords(written(tmp_path, "张\u200b三\n\u200e\n")).words == ("张三",)


def test_an_unreadable_file_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    spec = written(tmp_path, "a")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        read_hotwords(spec)
