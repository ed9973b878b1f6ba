from pathlib import Path

import numpy as np
import pytest
from sounds import read, tone, write_large_packet, write_sound

from funasr_cli.audio import CHUNK_S, AudioReader, AudioSource
from funasr_cli.errors import InputError, UsageError
from funasr_cli.units import SAMPLE_RATE


def test_pcm16_at_16_khz_is_read_bit_for_bit(tmp_path: Path) -> None:
    sound = (np.round(tone(1.0) * 32768) / 32768).astype(np.float32)
    assert np.array_equal(read(write_sound(tmp_path / "a.wav", sound, codec="pcm_s16le")), sound)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.mp3", "libmp3lame", 44100),
        ("a.m4a", "aac", 48000),
        ("a.opus", "libopus", 48000),
        ("a.flac", "flac", 22050),
        ("a.webm", "libopus", 48000),
    ],
)
def test_every_common_format_gives_the_same_sound(
    tmp_path: Path, name: str, codec: str, rate: int
) -> None:
    path = write_sound(tmp_path / name, tone(2.0, rate=rate), codec=codec, rate=rate)
    sound = read(path)
    assert sound.size / SAMPLE_RATE == pytest.approx(2.0, abs=0.08)
    spectrum = np.abs(np.fft.rfft(sound[4000:20000]))
    assert np.argmax(spectrum) == 440


def test_a_video_gives_its_sound_mixed_down(tmp_path: Path) -> None:
    path = tmp_path / "视频 文件.mp4"
    write_sound(path, tone(1.5, rate=44100), codec="aac", rate=44100, layout="stereo", video=True)
    sound = read(path)
    assert sound.size / SAMPLE_RATE == pytest.approx(1.5, abs=0.08)
    assert np.abs(sound[4000:20000]).max() == pytest.approx(0.5, abs=0.05)


def test_start_and_duration_cut_exactly(tmp_path: Path) -> None:
    sound = (np.arange(3 * SAMPLE_RATE) % 1000 / 32768).astype(np.float32)
    path = write_sound(tmp_path / "a.wav", sound, codec="pcm_s16le")
    assert np.array_equal(read(path, start=0.5, duration=1.25), sound[8000:28000])


def test_chunks_have_constant_size_whatever_the_length(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", tone(13.0), codec="pcm_s16le")
    with AudioReader(AudioSource(str(path))) as reader:
        sizes = [chunk.size for chunk in reader]
        assert reader.duration == pytest.approx(13.0, abs=0.01)
    assert sum(sizes) == 13 * SAMPLE_RATE
    assert sizes == [CHUNK_S * SAMPLE_RATE, CHUNK_S * SAMPLE_RATE, 3 * SAMPLE_RATE]


def test_one_huge_packet_still_comes_in_small_chunks(tmp_path: Path) -> None:
    path = write_large_packet(tmp_path / "a.mkv", tone(12.0))
    with AudioReader(AudioSource(str(path))) as reader:
        sizes = [chunk.size for chunk in reader]
    assert sizes == [CHUNK_S * SAMPLE_RATE, CHUNK_S * SAMPLE_RATE, 2 * SAMPLE_RATE]


@pytest.mark.parametrize(
    ("codec", "rate", "layout"),
    [
        ("pcm_mulaw", 8000, "mono"),
        ("pcm_alaw", 8000, "mono"),
        ("pcm_s24le", 48000, "stereo"),
        ("pcm_f32le", 44100, "5.1"),
        ("pcm_u8", 11025, "mono"),
    ],
)
def test_every_sample_format_of_a_wav(tmp_path: Path, codec: str, rate: int, layout: str) -> None:
    path = tmp_path / "a.wav"
    sound = read(write_sound(path, tone(2.0, rate=rate), codec=codec, rate=rate, layout=layout))
    assert sound.size / SAMPLE_RATE == pytest.approx(2.0, abs=0.01)
    assert np.argmax(np.abs(np.fft.rfft(sound[4000:20000]))) == 440
    assert np.abs(sound[4000:20000]).max() == pytest.approx(0.5, abs=0.03)


def test_recordings_joined_end_to_end_may_differ_in_rate_and_channels(tmp_path: Path) -> None:
    one = write_sound(tmp_path / "1.mp3", tone(2.0), codec="libmp3lame")
    two = tmp_path / "2.mp3"
    write_sound(two, tone(2.0, rate=44100), codec="libmp3lame", rate=44100, layout="stereo")
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    sound = read(joined)
    assert sound.size / SAMPLE_RATE == pytest.approx(4.0, abs=0.2)
    assert np.argmax(np.abs(np.fft.rfft(sound[44000:60000]))) == 440


@pytest.mark.parametrize(
    ("start", "duration", "option"),
    [
        (0.0, 0.0, "--duration 0: nothing"),
        (0.0, 1e-5, "--duration 1e-05: nothing"),
        (0.0, -1.0, "--duration -1"),
        (0.0, float("nan"), "--duration nan"),
        (-0.5, None, "--start -0.5"),
        (float("inf"), None, "--start inf"),
    ],
)
def test_a_window_without_meaning_is_refused(
    start: float, duration: float | None, option: str
) -> None:
    with pytest.raises(UsageError, match=option):
        AudioReader(AudioSource("a.wav"), start=start, duration=duration)


def test_sound_that_starts_late_keeps_the_clock_of_the_picture(tmp_path: Path) -> None:
    import av

    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        stream = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        for _ in range(20):
            image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
            container.mux(picture.encode(image))
        container.mux(picture.encode(None))
        samples = (tone(1.0) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, SAMPLE_RATE  # one second late
        container.mux(stream.encode(frame))
    sound = read(path)
    assert sound.size == pytest.approx(2 * SAMPLE_RATE, abs=400)
    assert not sound[:15000].any()
    assert sound[17000:].any()


def test_what_cannot_be_read_is_named_with_its_reason(tmp_path: Path) -> None:
    empty = tmp_path / "空.wav"
    empty.touch()
    text = tmp_path / "notes.mp3"
    text.write_text("not sound " * 100, encoding="utf-8")
    silent_film = tmp_path / "film.mp4"
    import av

    with av.open(str(silent_film), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
            container.mux(picture.encode(image))
        container.mux(picture.encode(None))
    short = write_sound(tmp_path / "short.wav", tone(1.0), codec="pcm_s16le")
    cases: list[tuple[Path, float, str]] = [
        (tmp_path / "missing.wav", 0.0, "no such file"),
        (tmp_path, 0.0, "is a folder"),
        (empty, 0.0, "is empty"),
        (text, 0.0, "not a readable|corrupt"),
        (silent_film, 0.0, "no audio stream"),
        (short, 5.0, "no sound after 5 s"),
    ]
    for path, start, message in cases:
        with pytest.raises(InputError, match=message) as caught:
            read(path, start=start)
        assert str(path) in str(caught.value)
