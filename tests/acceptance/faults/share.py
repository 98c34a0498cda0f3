"""A network share that can be slow, hang and fail: a real file system whose server we are.

`python -m tests.acceptance.faults.share FOLDER DELAY_FILE` covers a folder with a read-only mount
of itself (FUSE, spoken without its library). Stopped with SIGSTOP the server answers nothing, and
who reads a file waits in the kernel, as on a hard NFS mount whose server is gone. DELAY_FILE holds
how long opening a file takes, in s; below 0, it fails as a stale NFS handle does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.freezing import freeze

# From linux/fuse.h, protocol 7.31.
LOOKUP, FORGET, GETATTR, OPEN, READ, INIT, INTERRUPT, BATCH_FORGET = 1, 2, 3, 14, 15, 26, 36, 42
RELEASE, FLUSH = 18, 25
_IN, _OUT = struct.Struct("<IIQQIIII"), struct.Struct("<IiQ")
_READ_IN = struct.Struct("<QQI")
_READ_ONLY, _NO_SUID, _NO_DEVICES, _DETACH = 1, 2, 4, 2
_DIRECT_IO = 1  # nothing is cached: every read asks the server
_ROOT_ID = 1
_BUFFER = 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)


class Share:
    """The test's handle on a share."""

    def __init__(self, server: subprocess.Popen[bytes], delay: Path) -> None:
        self._server, self._delay = server, delay

    def hang(self) -> None:
        """Answer nothing from now on."""
        freeze(self._server.pid)

    def answer(self) -> None:
        """Go on."""
        self._server.send_signal(signal.SIGCONT)

    def slow(self, delay_s: float) -> None:
        """Open each file this late; below 0: fail."""
        self._delay.write_text(str(delay_s))


@contextmanager
def shared(folder: Path) -> Iterator[Share]:
    """Cover a folder with a share of itself; skips the test where nobody lets us mount one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a share of our own needs Linux and root")
    delay = folder.with_name("delay")
    delay.write_text("0")
    command = [sys.executable, "-m", __name__, str(folder), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        if server.stdout.readline() != b"mounted\n":
            pytest.skip("this machine lets nobody mount a FUSE file system")
        try:
            yield Share(server, delay)
        finally:
            server.send_signal(signal.SIGCONT)
            _libc.umount2(str(folder).encode(), _DETACH)
            server.kill()


class Server:
    """Serves the files of a flat folder."""

    def __init__(self, folder: str, delay: Path) -> None:
        self._delay = delay
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._names: list[str] = []  # the node of names[n] is n + 2
        self._device = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0,allow_other"
        flags = _READ_ONLY | _NO_SUID | _NO_DEVICES
        if _libc.mount(b"share", folder.encode(), b"fuse", flags, options.encode()):
            raise OSError(ctypes.get_errno(), "mount")

    def serve(self) -> None:
        """Answer until the share is unmounted."""
        with ThreadPoolExecutor(32) as pool:
            while True:
                try:
                    request = os.read(self._device, _BUFFER + 4096)
                except OSError as error:
                    if error.errno in (errno.ENODEV, errno.EBADF):
                        return
                    continue
                pool.submit(self._handle, request)

    def _handle(self, request: bytes) -> None:
        _, opcode, unique, node, *_rest = _IN.unpack_from(request)
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
            return
        try:
            body, problem = self._answer(opcode, node, request[_IN.size :]), 0
        except OSError as error:
            body, problem = b"", -(error.errno or errno.EIO)
        with suppress(OSError):  # whoever asked was killed meanwhile
            os.write(self._device, _OUT.pack(_OUT.size + len(body), problem, unique) + body)

    def _answer(self, opcode: int, node: int, body: bytes) -> bytes:
        if opcode == INIT:
            return struct.pack("<IIIIHHIIHHI28x", 7, 31, _BUFFER, 0, 32, 24, _BUFFER, 1, 0, 0, 0)
        if opcode == LOOKUP:
            return self._lookup(body.rstrip(b"\0").decode())
        if opcode == GETATTR:
            return struct.pack("<QII", 0, 0, 0) + self._attributes(node)
        if opcode == OPEN:
            return self._open(node)
        if opcode == READ:
            handle, offset, size = _READ_IN.unpack_from(body)
            return os.pread(handle, size, offset)
        if opcode == RELEASE:
            os.close(struct.unpack_from("<Q", body)[0])
            return b""
        if opcode == FLUSH:
            return b""
        raise OSError(errno.ENOSYS, "not served")

    def _lookup(self, name: str) -> bytes:
        os.stat(name, dir_fd=self._folder)
        if name not in self._names:
            self._names.append(name)
        node = self._names.index(name) + _ROOT_ID + 1
        return struct.pack("<QQQQII", node, 0, 0, 0, 0, 0) + self._attributes(node)

    def _open(self, node: int) -> bytes:
        delay_s = float(self._delay.read_text() or 0)
        if delay_s < 0:
            raise OSError(errno.ESTALE, "stale")
        time.sleep(delay_s)
        handle = os.open(self._name(node), os.O_RDONLY, dir_fd=self._folder)
        return struct.pack("<QII", handle, _DIRECT_IO, 0)

    def _attributes(self, node: int) -> bytes:
        found = os.stat(self._name(node), dir_fd=self._folder)
        seconds = (int(found.st_atime), int(found.st_mtime), int(found.st_ctime))
        sizes = (found.st_ino, found.st_size, found.st_blocks)
        owner = (found.st_mode, found.st_nlink, found.st_uid, found.st_gid, 0, 4096, 0)
        return struct.pack("<QQQQQQIIIIIIIIII", *sizes, *seconds, 0, 0, 0, *owner)

    def _name(self, node: int) -> str:
        return "." if node == _ROOT_ID else self._names[node - _ROOT_ID - 1]


if __name__ == "__main__":
    server = Server(sys.argv[1], Path(sys.argv[2]))
    print("mounted", flush=True)
    server.serve()
