import io
import os
import shutil
import sys
import tempfile
from pathlib import Path
from threading import Thread
from typing import IO

import numpy as np
import pytest
from sounds import NoSeek, read, tone, write_sound

from funasr_cli.audio import AudioSource
from funasr_cli.errors import InputError, LibraryError


@pytest.mark.parametrize(
    "name",
    [
        "12:30.mp3",
        "pipe:0",
        "concat:x|y.mp3",
        "x%03d.png",
        "x%03d.mp3",
        "http:",
        "a#b?c%20.mp3",
        "会议 录音.mp3",
        os.fsdecode("录音.mp3".encode("gbk")),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows forbids such names")
def test_a_name_is_never_an_address_or_a_pattern(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = write_sound(tmp_path / "a.mp3", tone(1.0), codec="libmp3lame")
    shutil.copy(sound, tmp_path / name)
    for decoy in ("x", "y.mp3", "x001.png", "x001.mp3"):
        write_sound(tmp_path / decoy, tone(0.5), codec="libmp3lame", form="mp3")
    assert np.array_equal(read(tmp_path / name), read(sound))
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(read(Path(name)), read(sound))


@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s16le"), ("a.m4a", "aac")])
def test_a_stream_is_read_like_the_file(tmp_path: Path, name: str, codec: str) -> None:
    path = write_sound(tmp_path / name, tone(1.0), codec=codec)
    stream = io.BytesIO(path.read_bytes())
    piped = read(AudioSource("<stdin>", NoSeek(stream.getvalue())))
    assert np.array_equal(piped, read(path))


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")
@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s16le"), ("a.m4a", "aac")])
def test_a_named_pipe_is_read_like_the_file(tmp_path: Path, name: str, codec: str) -> None:
    path = write_sound(tmp_path / name, tone(1.0), codec=codec)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = Thread(target=fifo.write_bytes, args=(path.read_bytes(),))
    writer.start()
    assert np.array_equal(read(fifo), read(path))
    writer.join()


def test_a_full_temporary_folder_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    path = write_sound(tmp_path / "a.m4a", tone(1.0), codec="aac")
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full.open("w+b", buffering=10**6))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(InputError, match=r"No space left.*TMPDIR") as caught:
        read(AudioSource("<stdin>", NoSeek(path.read_bytes())))
    assert str(tmp_path) in str(caught.value)


def test_without_pyav_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_sound(tmp_path / "a.wav", tone(1.0), codec="pcm_s16le")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(LibraryError, match="pip install --force-reinstall av"):
        read(path)


def test_a_path_that_the_system_refuses_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, message in ((tmp_path / ("x" * 300), "too long"), (tmp_path / "a\0b", "null")):
        with pytest.raises(InputError, match=message) as caught:
            read(path)
        assert str(path) in str(caught.value)

    def refuse(_path: Path) -> IO[bytes]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)  # who runs the tests may be root
    with pytest.raises(InputError, match=r"a\.wav: may not be read: permission denied"):
        read(tmp_path / "a.wav")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_nothing_says_so(tmp_path: Path) -> None:
    link = tmp_path / "link.wav"
    link.symlink_to(tmp_path / "gone.wav")
    with pytest.raises(InputError, match=r"link\.wav: is a link to .*gone\.wav, which does not"):
        read(link)
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(InputError, match=r"link\.wav: .*links"):
        read(link)
