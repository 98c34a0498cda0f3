"""A disk of a few megabytes that can be filled: a tmpfs, whose ENOSPC is the kernel's own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class SmallDisk:
    """A mounted folder; `fill` leaves no byte, `free` gives back what `fill` took."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Write until the kernel says ENOSPC."""
        with contextlib.suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        """Make room again."""
        self._ballast.unlink()

    def remount(self, how: str) -> None:
        """Make it `ro` or `rw`."""
        assert _run("mount", "-o", f"remount,{how}", str(self.folder)) is None


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A disk of this size; skips the test where nobody lets us mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    problem = _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    if problem is not None:
        pytest.skip(f"a small disk needs the right to mount a tmpfs: {problem}")
    try:
        yield SmallDisk(folder)
    finally:
        _run("umount", "-l", str(folder))


def _run(*command: str) -> str | None:
    """Run it, as root where `sudo` asks for no password; what went wrong, or None."""
    problem = "no mount command"
    for prefix in ([], ["sudo", "-n"]):
        with contextlib.suppress(FileNotFoundError):
            done = subprocess.run([*prefix, *command], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return None
            problem = done.stderr.strip()
    return problem
