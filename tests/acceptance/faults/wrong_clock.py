"""Processes whose clock is wrong, and jumps while they run: `wrong_clock.c`, loaded into them.

Not libfaketime: with it, `time.sleep` of a process whose clock jumped fails with EINVAL.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_name("wrong_clock.c")


class WrongClock:
    """The clock of the processes that are started with `env`. Needs Linux and a C compiler.

    Only the time of day: durations are measured with another clock, which no jump changes.
    """

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None or sys.platform != "linux":
            pytest.skip("a wrong clock needs Linux and a C compiler")
        library, self._file = folder / "wrong_clock.so", folder / "wrong_clock.offset"
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(_SOURCE)]
        subprocess.run(command, check=True)
        self._file.write_bytes(bytes(8))
        self.env = {"LD_PRELOAD": str(library), "WRONG_CLOCK_FILE": str(self._file)}

    def jump(self, hours: float) -> None:
        """Be wrong by this much from now on."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("=q", int(hours * 3600 * 1e9)))
