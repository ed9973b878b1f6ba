"""Options of cues through `funasr transcribe`, on the demo model."""

from pathlib import Path

from test_cli import SAMPLES, funasr, one_line

ZH = SAMPLES / "zh-02.mp3"


def blocks(path: Path) -> list[list[str]]:
    return [block.split("\n")[2:] for block in path.read_text("utf-8").strip().split("\n\n")]


def test_lines_are_as_wide_and_as_many_as_asked_for(tmp_path: Path) -> None:
    look = ["--max-line-width", "8", "--max-line-count", "3", "--max-duration", "4"]
    result = funasr("transcribe", ZH, "-f", "srt,vtt", "-o", tmp_path, *look)
    assert result.returncode == 0, result.stderr
    found = blocks(tmp_path / "zh-02.srt")
    assert max(len(rows) for rows in found) in {2, 3}
    assert all(len(row) <= 12 for rows in found for row in rows)
    shown = [row for rows in found for row in rows]
    assert "\n".join(shown) in "\n".join(
        line
        for line in (tmp_path / "zh-02.vtt").read_text("utf-8").split("\n")
        if line and "-->" not in line
    )


def test_how_fast_cues_are_to_be_read_is_told(tmp_path: Path) -> None:
    english = SAMPLES / "en-01.m4a"
    result = funasr("transcribe", english, "-f", "srt", "-o", tmp_path, "--subtitle-preset", "ja")
    assert "cues have to be read faster than 4 characters a second; the fastest" in result.stderr


def test_a_meaningless_look_is_told_before_any_model_is_loaded() -> None:
    message = one_line(funasr("transcribe", ZH, "--max-line-width", "0", "-m", "nowhere"), 2)
    assert "--max-line-width is 0.0; expected 1 or more" in message
