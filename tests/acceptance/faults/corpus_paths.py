"""Places that are no ordinary file below the image root, and a few that only look odd."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

from producer.contract import Reason
from tests.acceptance.faults.corpus import DAMAGED, JUDGED, one

Place = tuple[str, str, frozenset[Reason]]

_OUTSIDE, _MISSING = one(Reason.OUTSIDE_ROOT), one(Reason.MISSING)
_NOT_A_FILE, _UNREADABLE = one(Reason.NOT_A_FILE), one(Reason.UNREADABLE)


def paths(root: Path, outside: Path, good: bytes, stack: ExitStack) -> Iterator[Place]:
    """Name, URI, and how it may end. `root` is an image root, `outside` is not."""
    (outside / "secret.png").write_bytes(good)
    (root / "plain.png").write_bytes(good)
    (root / "folder").mkdir()
    yield from _traversals(root, outside)
    yield from _uris(root)
    yield from _links(root, outside)
    yield from _names(root, good)
    yield from _kinds(root, stack)
    yield from _moving(root, good, stack)


def _traversals(root: Path, outside: Path) -> Iterator[Place]:
    secret = outside / "secret.png"
    yield "outside", str(secret), _OUTSIDE
    yield "up and out", f"{root}/../{outside.name}/secret.png", _OUTSIDE
    yield "up from nowhere", f"{root}/none/../../{outside.name}/secret.png", _OUTSIDE
    yield "far beyond the top", f"{root}{'/..' * 60}{secret}", _OUTSIDE
    yield "up and back in", f"{root}/folder/../plain.png", JUDGED
    yield "up and back in by name", f"{root}/../{root.name}/plain.png", JUDGED
    yield "dots and slashes", f"{root}/.//./plain.png", JUDGED
    yield "three dots", f"{root}/.../plain.png", _MISSING
    yield "backslashes", f"{root}\\..\\..\\secret.png", _OUTSIDE
    yield "a root with a longer name", f"{root}-old/plain.png", _OUTSIDE
    yield "below a file", f"{root}/plain.png/plain.png", _MISSING
    yield "a file with a slash behind", f"{root}/plain.png/", _MISSING
    yield "relative", "plain.png", _OUTSIDE
    yield "relative and up", "../../plain.png", _OUTSIDE
    yield "home", "~/plain.png", _OUTSIDE
    yield "NUL, then a suffix", f"{root}/plain.png\0.jpg", _OUTSIDE
    yield "NUL alone", "\0", _OUTSIDE
    for path in ("/dev/zero", "/dev/full", "/dev/null", "/dev/stdin", "/dev/fd/0", "/etc/passwd"):
        yield path, path, _OUTSIDE
    for path in ("self/environ", "self/mem", "self/root" + str(root), "self/cwd", "kmsg", "1/maps"):
        yield f"/proc/{path}", f"/proc/{path}", _OUTSIDE


def _uris(root: Path) -> Iterator[Place]:
    yield "file URI", f"file://{root}/plain.png", JUDGED
    yield "file URI of localhost", f"file://localhost{root}/plain.png", JUDGED
    yield "loud file URI", f"FILE://LOCALHOST{root}/plain.png", JUDGED
    yield "percent-encoded name", f"file://{root}/pl%61in.png", JUDGED
    yield "percent-encoded slash", f"file://{root}%2Fplain.png", JUDGED
    yield "percent-encoded way out", f"file://{root}/%2e%2e/%2e%2e/etc/passwd", _OUTSIDE
    yield "wholly encoded way out", f"file://{root}%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd", _OUTSIDE
    yield "twice encoded way out", f"file://{root}/%252e%252e/plain.png", _MISSING
    yield "overlong dots", f"file://{root}/%c0%ae%c0%ae/plain.png", _MISSING
    yield "percent-encoded NUL", f"file://{root}/plain.png%00.jpg", _OUTSIDE
    yield "bad percent", f"file://{root}/plain.png%zz", _MISSING
    yield "query", f"file://{root}/plain.png?size=1", _MISSING
    yield "fragment", f"file://{root}/plain.png#1", _MISSING
    yield "percent in a plain path", f"{root}/pl%61in.png", _MISSING
    yield "another host", f"file://camera-7{root}/plain.png", _OUTSIDE
    yield "a host with a user", f"file://me@localhost{root}/plain.png", _OUTSIDE
    yield "one slash", f"file:{root}/plain.png", _OUTSIDE
    yield "file URI of nothing", "file://", _OUTSIDE
    for scheme in ("http", "https", "s3", "ftp", "smb", "data", "jar:file", "gopher"):
        yield scheme, f"{scheme}://127.0.0.1:9{root}/plain.png", _OUTSIDE
    yield "network share", f"\\\\server\\share{root}\\plain.png", _OUTSIDE
    yield "data in the URI", "data:image/png;base64,iVBORw0KGgo=", _OUTSIDE


def _links(root: Path, outside: Path) -> Iterator[Place]:
    def link(name: str, target: Path | str) -> str:
        path = root / name
        path.symlink_to(target)
        return str(path)

    yield "link inside", link("in.png", root / "plain.png"), JUDGED
    yield "relative link inside", link("near.png", "plain.png"), JUDGED
    yield "link to a link inside", link("twice.png", root / "in.png"), JUDGED
    yield "link out", link("out.png", outside / "secret.png"), _OUTSIDE
    yield "link to a link out", link("through.png", root / "out.png"), _OUTSIDE
    yield "relative link out", link("rel.png", f"../{outside.name}/secret.png"), _OUTSIDE
    yield "file below a link out", link("door", outside) + "/secret.png", _OUTSIDE
    yield "nothing below a link out", f"{root}/door/none.png", _OUTSIDE
    yield "broken link inside", link("broken.png", root / "none.png"), _MISSING
    yield "broken link out", link("lost.png", outside / "none.png"), _OUTSIDE
    yield "link to itself", link("self.png", root / "self.png"), _UNREADABLE
    link("ping.png", root / "pong.png")
    yield "link in a circle", link("pong.png", root / "ping.png"), _UNREADABLE
    yield "link to a device", link("zero.png", "/dev/zero"), _OUTSIDE
    yield "link to the process", link("mem.png", "/proc/self/mem"), _OUTSIDE
    yield "link to the root itself", link("here", root) + "/here/here/plain.png", JUDGED
    os.link(root / "plain.png", root / "hard.png")
    yield "hard link", str(root / "hard.png"), JUDGED


def _names(root: Path, good: bytes) -> Iterator[Place]:
    composed = unicodedata.normalize("NFC", "Prüfling-é.png")
    decomposed = unicodedata.normalize("NFD", composed)
    written = {
        "composed letters": composed,
        "right to left": "\u202egnp.exe",
        "emoji and CJK": "部品-\U0001f527.png",
        "newline": "line\nbreak.png",
        "spaces": "  .png",
        "quotes": "'; DROP TABLE inspections; --",
        "percent": "%2e%2e",
        "255 bytes": "n" * 251 + ".png",
        "no suffix": "picture",
        "leading dash": "-rf",
        "not UTF-8": os.fsdecode(b"\xff\xfe.png"),
    }
    for name, file in written.items():
        (root / file).write_bytes(good)
        # A name that is not UTF-8 cannot be said in JSON but as percent-encoded URI.
        uri = f"file://{root}/%ff%fe.png" if name == "not UTF-8" else f"{root}/{file}"
        yield name, uri, JUDGED
    yield "the same name, decomposed", f"{root}/{decomposed}", _MISSING
    yield "lone surrogate", f"{root}/\ud800.png", one(Reason.INVALID_FIELDS)
    yield "256 bytes", f"{root}/{'n' * 256}", _UNREADABLE
    yield "4096 characters", f"{root}/".ljust(4096, "n"), _UNREADABLE
    yield "4097 characters", f"{root}/".ljust(4097, "n"), one(Reason.INVALID_FIELDS)
    yield "a thousand folders deep", f"{root}{'/d' * 1000}", _MISSING
    yield "no characters", "", one(Reason.INVALID_FIELDS)
    yield "a space", " ", _OUTSIDE


def _kinds(root: Path, stack: ExitStack) -> Iterator[Place]:
    yield "a folder", str(root / "folder"), _NOT_A_FILE
    yield "the root", str(root), _NOT_A_FILE
    os.mkfifo(root / "fifo.png")
    yield "a FIFO nobody writes to", str(root / "fifo.png"), _NOT_A_FILE
    bound = stack.enter_context(socket.socket(socket.AF_UNIX))
    here = os.open(root, os.O_RDONLY)
    bound.bind(f"/proc/self/fd/{here}/socket.png")  # a socket's own path is short
    os.close(here)
    yield "a socket", str(root / "socket.png"), _NOT_A_FILE
    for name, number in (("zero", os.makedev(1, 5)), ("full", os.makedev(1, 7))):
        with contextlib.suppress(PermissionError):  # only root may make devices
            os.mknod(root / f"{name}-device.png", stat.S_IFCHR | 0o666, number)
            # A mount may forbid to open devices at all.
            yield f"device {name}", str(root / f"{name}-device.png"), _NOT_A_FILE | _UNREADABLE
    sparse = root / "sparse.png"
    sparse.touch()
    os.truncate(sparse, 2**40)
    yield "a file of a terabyte", str(sparse), one(Reason.TOO_LARGE)
    if os.geteuid() != 0:  # root may read it all
        shut = root / "shut.png"
        shutil.copy(root / "plain.png", shut)
        shut.chmod(0)
        yield "a file that may not be read", str(shut), _UNREADABLE


def _moving(root: Path, good: bytes, stack: ExitStack) -> Iterator[Place]:
    """Files that change all the while."""
    swapped, rewritten = root / "swapped.png", root / "rewritten.png"
    for path in (swapped, rewritten):
        path.write_bytes(good)
    stop = Event()

    def run() -> None:
        spare = root / "spare.png"
        while not stop.wait(0.001):
            spare.write_bytes(good)
            spare.replace(swapped)  # as a camera should: whole, or not there
            rewritten.write_bytes(good[: len(good) // 2])
            rewritten.write_bytes(good)

    thread = Thread(target=run, daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(stop.set)
    yield "replaced all the while", str(swapped), JUDGED
    yield "rewritten all the while", str(rewritten), DAMAGED | one(Reason.EMPTY)
