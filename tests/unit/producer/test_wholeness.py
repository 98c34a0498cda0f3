"""Whether a file is a whole picture: what its format says, and who still writes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from producer.folder.wholeness import Content, Examination, Patience, Writer, examine
from producer.folder.wholeness import examination as module
from producer.folder.wholeness.writers import writer_of
from tests.support.uploads import FORMATS, RAW, encoded

CUTS = [0.01, 0.1, 0.3, 0.5, 0.7, 0.9]


def content(path: Path, data: bytes) -> Content:
    path.write_bytes(data)
    return examine(path).content


@pytest.mark.parametrize("name", FORMATS)
def test_a_whole_picture(tmp_path: Path, name: str) -> None:
    data = encoded(name)
    assert content(tmp_path / name, data) is Content.WHOLE
    assert content(tmp_path / name, data + b"\0vendor's own" + bytes(600)) is Content.WHOLE


@pytest.mark.parametrize("name", FORMATS)
def test_a_picture_that_still_grows(tmp_path: Path, name: str) -> None:
    data = encoded(name)
    for cut in CUTS:
        assert content(tmp_path / name, data[: int(len(data) * cut)]) is Content.PARTIAL, cut


def test_every_beginning_of_a_picture_is_partial(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "lossless.webp", "big.tif", "a.bmp"):
        data = encoded(name, 12)
        for length in range(0, len(data), 3):
            assert content(tmp_path / name, data[:length]) is Content.PARTIAL, (name, length)


@pytest.mark.parametrize("name", FORMATS)
def test_a_picture_of_full_size_that_is_not_written_yet(tmp_path: Path, name: str) -> None:
    data = encoded(name)
    for written in [int(len(data) * cut) for cut in CUTS]:
        zeros = content(tmp_path / name, data[:written] + bytes(len(data) - written))
        expected = {Content.PARTIAL, Content.UNSURE} if name in RAW else {Content.PARTIAL}
        assert zeros in expected, written  # raw pixels may be black


@pytest.mark.parametrize("name", sorted(RAW))
def test_a_raw_picture_with_a_hole(tmp_path: Path, name: str) -> None:
    data = encoded(name, 512)
    file = tmp_path / name
    with file.open("wb", buffering=0) as writer:
        writer.truncate(len(data))
        writer.write(data[: len(data) // 2])
    assert examine(file).content is Content.PARTIAL or _has_no_holes(file)


def test_a_picture_whose_end_came_before_its_middle(tmp_path: Path) -> None:
    data = encoded("a.jpg", 512)
    with (tmp_path / "a.jpg").open("wb") as writer:
        writer.write(data[:9000])
        writer.seek(len(data) - 9000)
        writer.write(data[-9000:])
    assert _has_no_holes(tmp_path / "a.jpg") or "nothing was written" in (
        examine(tmp_path / "a.jpg").why
    )


def _has_no_holes(path: Path) -> bool:
    with path.open("rb") as reader:
        return os.lseek(reader.fileno(), 0, os.SEEK_HOLE) == path.stat().st_size


def test_what_is_no_picture_tells_nothing(tmp_path: Path) -> None:
    assert content(tmp_path / "a.raw", bytes(64) + b"sensor") is Content.UNSURE
    assert content(tmp_path / "a.png", b"something") is Content.UNSURE
    assert content(tmp_path / "a.png", bytes(64)) is Content.PARTIAL
    assert content(tmp_path / "a.png", b"") is Content.PARTIAL
    assert examine(tmp_path / "none.png") == Examination(Content.UNSURE, Writer.UNKNOWN)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_headers_raise_nothing(tmp_path: Path, name: str) -> None:
    data = encoded(name, 16)
    for at in range(0, min(200, len(data)), 3):
        for value in (0, 0xFF):
            content(tmp_path / name, data[:at] + bytes([value]) + data[at + 1 :])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_who_has_a_file_open(tmp_path: Path) -> None:
    file = tmp_path / "a.bmp"
    data = encoded("a.bmp")
    file.write_bytes(data)
    assert writer_of(file) is Writer.NONE
    with file.open("rb"):
        assert writer_of(file) is Writer.NONE
    hold = f"import sys; f = open({str(file)!r}, 'r+b'); print(flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout is not None
        other.stdout.readline()
        assert writer_of(file) is Writer.SOME
        assert examine(file).unfinished
        other.communicate()
    assert writer_of(file) is Writer.NONE
    assert not examine(file).unfinished
    assert writer_of(tmp_path / "none.png") is Writer.UNKNOWN


def test_asking_does_not_disturb_who_writes(tmp_path: Path) -> None:
    """Who opens a file while it is asked about waits a moment; nobody fails, nobody is killed."""
    file = tmp_path / "a.png"
    file.write_bytes(b"x")
    write = (
        f"import time; end = time.time() + 0.4\n"
        f"while time.time() < end: open({str(file)!r}, 'ab', buffering=0).close()"
    )
    with subprocess.Popen([sys.executable, "-c", write]) as other:
        while other.poll() is None:
            writer_of(file)
    assert other.returncode == 0


@pytest.mark.parametrize(
    ("content", "writer", "renamed", "wait_s"),
    [
        (Content.WHOLE, Writer.NONE, False, 0.5),
        (Content.WHOLE, Writer.UNKNOWN, False, 0.5),
        (Content.WHOLE, Writer.SOME, False, 30),
        (Content.WHOLE, Writer.UNKNOWN, True, 0),
        (Content.UNSURE, Writer.NONE, False, 0.5),
        (Content.UNSURE, Writer.UNKNOWN, False, 5),
        (Content.UNSURE, Writer.UNKNOWN, True, 0),
        (Content.PARTIAL, Writer.NONE, False, 30),
        (Content.PARTIAL, Writer.NONE, True, 30),
        (Content.PARTIAL, Writer.UNKNOWN, False, 30),
    ],
)
def test_how_long_a_file_must_rest(
    content: Content, writer: Writer, renamed: bool, wait_s: float
) -> None:
    found = Patience(0.5, 5, 30).wait_s(Examination(content, writer), renamed=renamed)
    assert found == wait_s
    assert Patience(60, 5, 30).wait_s(Examination(content, writer)) == 60


def test_a_folder_that_tells_nothing_of_writers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "writer_of", lambda path: Writer.UNKNOWN)
    whole, black = encoded("a.bmp"), encoded("a.bmp")[:-5000] + bytes(5000)
    (tmp_path / "a.bmp").write_bytes(whole)
    (tmp_path / "b.bmp").write_bytes(black)
    waits = [Patience().wait_s(examine(tmp_path / name)) for name in ("a.bmp", "b.bmp")]
    assert waits == [0.5, 5]
