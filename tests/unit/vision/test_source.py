from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from producer.contract import Reason
from vision import source
from vision.errors import Unjudgeable
from vision.source import local_path, read_picture

LIMIT = 1000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    root.mkdir()
    (root / "part.png").write_bytes(b"picture")
    return root


@pytest.fixture
def secret(tmp_path: Path, root: Path) -> Path:
    path = tmp_path / "pictures-old" / "secret.png"
    path.parent.mkdir()
    path.write_bytes(b"secret")
    return path


def reason(uri: str | Path, root: Path, limit: int = LIMIT) -> Reason:
    with pytest.raises(Unjudgeable) as caught:
        read_picture(str(uri), roots=(root,), max_bytes=limit)
    assert caught.value.detail
    return caught.value.reason


def test_reads_a_path_and_a_file_uri(root: Path) -> None:
    spaced = root / "a b%20c é.png"
    spaced.write_bytes(b"other")
    (root / "sub").mkdir()
    for uri, data in [
        (str(root / "part.png"), b"picture"),
        ((root / "part.png").as_uri(), b"picture"),
        (f"file://localhost{root}/part.png", b"picture"),
        (str(spaced), b"other"),  # a plain path is not percent-decoded
        (spaced.as_uri(), b"other"),
        (f"{root}/./sub/../part.png", b"picture"),
    ]:
        assert read_picture(uri, roots=(root,), max_bytes=LIMIT) == data


@pytest.mark.parametrize(
    "uri",
    [
        "part.png",
        "./part.png",
        "",
        "http://localhost/part.png",
        "s3://bucket/part.png",
        "file://camera-pc/part.png",
        "file:part.png",
        "/a\0b",
        "file:///a%00b",
        "/a\ud800b",
    ],
)
def test_names_that_are_no_local_file_are_refused(uri: str) -> None:
    with pytest.raises(Unjudgeable) as caught:
        local_path(uri)
    assert caught.value.reason is Reason.OUTSIDE_ROOT


def test_a_name_in_no_known_encoding_is_still_a_name(root: Path) -> None:
    name = os.fsencode(root) + b"/\xff.png"
    Path(os.fsdecode(name)).write_bytes(b"latin")
    uri = f"file://{root}/%FF.png"
    assert read_picture(uri, roots=(root,), max_bytes=LIMIT) == b"latin"


def test_files(root: Path) -> None:
    (root / "empty.png").touch()
    (root / "folder").mkdir()
    os.mkfifo(root / "fifo")
    (root / "large.png").write_bytes(b"x" * (LIMIT + 1))
    (root / "exact.png").write_bytes(b"x" * LIMIT)
    assert reason(root / "missing.png", root) is Reason.MISSING
    assert reason(root / "part.png" / "below", root) is Reason.MISSING
    assert reason(root / "empty.png", root) is Reason.EMPTY
    assert reason(root / "folder", root) is Reason.NOT_A_FILE
    assert reason(root, root) is Reason.NOT_A_FILE
    assert reason(root / "fifo", root) is Reason.NOT_A_FILE
    assert reason(root / "large.png", root) is Reason.TOO_LARGE
    assert reason(root / ("x" * 300), root) is Reason.UNREADABLE
    assert len(read_picture(str(root / "exact.png"), roots=(root,), max_bytes=LIMIT)) == LIMIT


def test_a_socket_and_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")  # relative: the whole path may be too long for a socket
        assert reason(tmp_path / "s", tmp_path) is Reason.NOT_A_FILE
    assert reason("/dev/null", Path("/dev")) is Reason.NOT_A_FILE


def test_links_within_the_root_are_followed(root: Path) -> None:
    (root / "today").mkdir()
    (root / "today" / "link.png").symlink_to("../part.png")
    (root / "latest").symlink_to("today")
    uri = str(root / "latest" / "link.png")
    assert read_picture(uri, roots=(root,), max_bytes=LIMIT) == b"picture"


def test_a_root_may_itself_be_a_link(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    for base in (link, root):
        path = str(base / "part.png")
        assert read_picture(path, roots=(link,), max_bytes=LIMIT) == b"picture"


def test_escapes_are_refused(root: Path, secret: Path) -> None:
    (root / "link.png").symlink_to(secret)
    (root / "out").symlink_to(secret.parent)
    for uri in [
        secret,  # /…/pictures-old begins like /…/pictures
        root / "link.png",
        root / "out" / "secret.png",
        f"{root}/../pictures-old/secret.png",
        f"file://{root}/%2e%2e/pictures-old/secret.png",
        f"{root}/out/../part.png",  # by the kernel's reading this is beside the secret
        "/proc/self/environ",
    ]:
        assert reason(uri, root) is Reason.OUTSIDE_ROOT, uri


def test_outside_tells_nothing_of_what_exists(root: Path, secret: Path) -> None:
    (root / "out").symlink_to(secret.parent)
    details = set()
    for uri in (secret, secret.with_name("none.png"), root / "out/secret.png", root / "out/none"):
        with pytest.raises(Unjudgeable) as caught:
            read_picture(str(uri), roots=(root,), max_bytes=LIMIT)
        details.add((caught.value.reason, caught.value.detail))
    assert len(details) == 1


def test_a_link_swapped_after_the_check_is_caught_by_the_descriptor(
    root: Path, secret: Path
) -> None:
    """A process swaps a file for a link out of the root, over and over; nothing ever leaks."""
    swapper = (
        "import os,sys,itertools\n"
        "target, secret, good = sys.argv[1:]\n"
        "print('ready', flush=True)\n"
        "for i in itertools.count():\n"
        "    source = secret if i % 2 else good\n"
        "    os.symlink(source, target + '.new'); os.replace(target + '.new', target)\n"
    )
    target = root / "swapped.png"
    arguments = [str(target), str(secret), str(root / "part.png")]
    with subprocess.Popen([sys.executable, "-c", swapper, *arguments], stdout=subprocess.PIPE) as p:
        try:
            assert p.stdout is not None
            p.stdout.readline()
            seen = set()
            for _ in range(3000):
                try:
                    seen.add(read_picture(str(target), roots=(root,), max_bytes=LIMIT))
                except Unjudgeable as error:
                    seen.add(error.reason.value.encode())
        finally:
            p.kill()
    assert b"secret" not in seen
    assert {b"picture", b"outside_root"} <= seen


def test_without_roots_nothing_is_read(root: Path) -> None:
    with pytest.raises(Unjudgeable, match="LINEWATCH_IMAGE_ROOTS"):
        read_picture(str(root / "part.png"), roots=(), max_bytes=LIMIT)


def test_a_file_without_permission(root: Path) -> None:
    (root / "part.png").chmod(0)
    if os.geteuid() != 0:
        assert reason(root / "part.png", root) is Reason.UNREADABLE
        return
    for folder in (root, *root.parents[:4]):  # root reads anything, so ask as somebody else
        if folder != Path(folder.anchor) and folder != Path("/tmp"):
            folder.chmod(0o755)
    script = (
        "import os, sys; from pathlib import Path\n"
        "from vision.errors import Unjudgeable; from vision.source import read_picture\n"
        "os.setuid(65534)\n"
        "try: read_picture(sys.argv[1], roots=(Path(sys.argv[2]),), max_bytes=1000)\n"
        "except Unjudgeable as error: print(error.reason)\n"
    )
    command = [sys.executable, "-c", script, str(root / "part.png"), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "unreadable"


def failing(monkeypatch: pytest.MonkeyPatch, problem: int, times: int) -> list[float]:
    """`os.open` fails this often; returns the pauses between the tries."""
    pauses: list[float] = []
    left = [times]
    really = os.open

    def fails(*args: object, **kwargs: object) -> int:
        if left[0] == 0:
            return really(*args, **kwargs)  # type: ignore[arg-type]
        left[0] -= 1
        raise OSError(problem, os.strerror(problem))

    monkeypatch.setattr("vision.source.os.open", fails)
    monkeypatch.setattr("vision.source.time.sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("problem", [errno.ESTALE, errno.EIO, errno.ETIMEDOUT])
def test_a_share_that_fails_for_a_moment_is_asked_again(
    root: Path, monkeypatch: pytest.MonkeyPatch, problem: int
) -> None:
    pauses = failing(monkeypatch, problem, times=3)
    assert read_picture(str(root / "part.png"), roots=(root,), max_bytes=LIMIT) == b"picture"
    assert len(pauses) == 3
    assert sum(pauses) < 4


def test_a_share_that_goes_on_failing_makes_the_picture_unreadable(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = failing(monkeypatch, errno.ESTALE, times=99)
    assert reason(root / "part.png", root) is Reason.UNREADABLE
    assert len(pauses) == 3


def test_what_will_not_pass_is_not_waited_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = failing(monkeypatch, errno.EACCES, times=1)
    assert reason(root / "part.png", root) is Reason.UNREADABLE
    assert pauses == []


def writing_while_read(monkeypatch: pytest.MonkeyPatch, path: Path, times: int) -> None:
    """Somebody writes to the file during each of its first reads."""
    left = [times]
    really = os.read

    def reads(descriptor: int, size: int) -> bytes:
        data = really(descriptor, size)
        if data and left[0]:
            left[0] -= 1
            path.write_bytes(b"PICTURE")
            os.utime(path, ns=(0, 1_000_000_000 * (left[0] + 1)))
        return data

    monkeypatch.setattr("vision.source.os.read", reads)
    monkeypatch.setattr("vision.source.time.sleep", lambda _: None)


def test_a_file_written_to_while_it_is_read_is_read_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing_while_read(monkeypatch, root / "part.png", times=2)
    assert read_picture(str(root / "part.png"), roots=(root,), max_bytes=LIMIT) == b"PICTURE"


def test_one_that_is_written_to_all_the_time_is_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing_while_read(monkeypatch, root / "part.png", times=99)
    assert reason(root / "part.png", root) is Reason.CHANGED


def test_a_root_that_is_led_elsewhere_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_ROOTS_HOLD_S", 0.05)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.png").write_bytes(name.encode())
    root = tmp_path / "root"
    root.symlink_to(tmp_path / "old")
    assert read_picture(str(root / "part.png"), roots=[root], max_bytes=100) == b"old"
    root.unlink()
    root.symlink_to(tmp_path / "new")
    time.sleep(0.1)
    assert read_picture(str(root / "part.png"), roots=[root], max_bytes=100) == b"new"
