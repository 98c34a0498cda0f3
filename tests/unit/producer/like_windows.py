"""Run first in a process: takes away what Windows lacks. The rest of Linux stays."""

from __future__ import annotations

import importlib.abc
import os
import sys
import warnings
from types import ModuleType

GONE = ("fcntl", "grp", "pwd", "resource", "termios")
_OS = (
    *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "SEEK_HOLE"),
    *("fork", "geteuid", "getgid", "getuid", "killpg", "register_at_fork", "setsid"),
)


class _Gone(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> None:
        if name.partition(".")[0] in GONE:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def become() -> None:
    """From here on no module and no name of `os` that Windows has not."""
    sys.meta_path.insert(0, _Gone())
    for name in GONE:
        sys.modules.pop(name, None)
    for name in _OS:
        delattr(os, name)
    warnings.simplefilter("ignore", UserWarning)  # that there is no flock: so it is meant
