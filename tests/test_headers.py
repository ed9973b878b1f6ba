from collections.abc import Callable
from pathlib import Path

import pytest
from sounds import NoSeek, read, tone, write_sound

from funasr_cli.audio import AudioReader, AudioSource
from funasr_cli.errors import InputError
from funasr_cli.units import SAMPLE_RATE

Give = Callable[[Path], AudioSource]


def as_file(path: Path) -> AudioSource:
    return AudioSource(str(path))


def as_pipe(path: Path) -> AudioSource:
    return AudioSource("<stdin>", NoSeek(path.read_bytes()))


@pytest.mark.parametrize("give", [as_file, as_pipe])
@pytest.mark.parametrize(
    ("name", "codec", "rate", "video", "options"),
    [
        ("a.wav", "pcm_s16le", 16000, False, {}),
        ("a.wav", "pcm_mulaw", 8000, False, {}),
        ("a.mp3", "libmp3lame", 44100, False, {}),
        ("a.mp3", "libmp3lame", 16000, False, {}),
        ("a.flac", "flac", 44100, False, {}),
        ("a.mkv", "libopus", 48000, False, {}),
        ("film.mkv", "libopus", 48000, True, {}),
        ("a.m4a", "aac", 44100, False, {"movflags": "faststart"}),
    ],
)
def test_a_cut_off_recording_says_how_much_is_missing(  # noqa: PLR0913, PLR0917 - a table
    tmp_path: Path,
    name: str,
    codec: str,
    rate: int,
    video: bool,
    options: dict[str, str],
    give: Give,
) -> None:
    path = tmp_path / name
    write_sound(path, tone(6.0, rate=rate), codec=codec, rate=rate, video=video, options=options)
    with AudioReader(give(path)) as reader:
        assert sum(chunk.size for chunk in reader) / SAMPLE_RATE == pytest.approx(6.0, abs=0.08)
        assert (reader.missing, reader.cut_off) == (0.0, False)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with AudioReader(give(path)) as reader:
        heard = sum(chunk.size for chunk in reader) / SAMPLE_RATE
        assert heard + reader.missing == pytest.approx(6.0, abs=0.2)
        assert 1.5 < reader.missing < 3
        assert reader.cut_off
    with AudioReader(give(path), duration=2.0) as reader:
        assert sum(chunk.size for chunk in reader) == 2 * SAMPLE_RATE
        assert (reader.missing, reader.cut_off) == (0.0, False)
    with AudioReader(give(path), start=5.5) as reader, pytest.raises(InputError, match="cut off"):
        list(reader)


def test_a_cut_off_ogg_is_noticed_though_it_announces_nothing(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.opus", tone(6.0, rate=48000), codec="libopus", rate=48000)
    for share, cut_off in ((1.0, False), (0.7, True)):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        with AudioReader(AudioSource(str(path))) as reader:
            assert sum(chunk.size for chunk in reader) > 3 * SAMPLE_RATE
            assert (reader.missing, reader.cut_off) == (0.0, cut_off)


def test_an_estimated_or_unknown_length_raises_no_false_alarm(tmp_path: Path) -> None:
    bare = tmp_path / "vbr.mp3"
    frames = b""
    for rate in (16000, 44100):  # from the lower bit rate of the first half, FFmpeg guesses 15 s
        write_sound(
            bare, tone(4.0, rate=rate), codec="libmp3lame", rate=rate, options={"write_xing": "0"}
        )
        frames += bare.read_bytes()
    bare.write_bytes(frames)
    raw = write_sound(tmp_path / "a.aac", tone(6.0), codec="aac")
    streamed = write_sound(tmp_path / "streamed.wav", tone(6.0), codec="pcm_s16le")
    header = bytearray(streamed.read_bytes())
    at = header.index(b"data") + 4
    header[4:8] = header[at : at + 4] = b"\xff\xff\xff\xff"
    streamed.write_bytes(header)
    film = tmp_path / "film.mp4"
    write_sound(film, tone(2.0), codec="aac", video=True, picture_s=8.0)
    live = tmp_path / "live.mkv"
    write_sound(live, tone(12.0), codec="libmp3lame", options={"live": "1"})
    for path in (bare, raw, streamed, film, live):
        with AudioReader(AudioSource(str(path))) as reader:
            assert list(reader)
            assert (path.name, reader.missing, reader.cut_off) == (path.name, 0.0, False)


def test_a_recorder_that_stopped_before_the_index_is_explained(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.m4a", tone(4.0), codec="aac")
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(InputError, match="cut off has no index"):
        read(path)
