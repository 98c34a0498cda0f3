"""torch's threads: all for the thread that computes, one for every other.

torch gives each thread that calls it a team, one member a core, which waits for its next work in a
busy loop. Decoders and tasks, dozens of threads, then take the cores from the networks although
their own work (one resize, one copy) is too small for a team.
"""

from __future__ import annotations

from threading import Thread

import torch

from vision.backends.protocol import Backend


def wanted(backend: Backend) -> int:
    """How many threads torch needs where it computes: its default, or one if another library does.

    A GPU needs none of them, and OpenVINO has its own.
    """
    computes = backend.name == "torch" and backend.device.type == "cpu"
    return torch.get_num_threads() if computes else 1


def compute_here(threads: int) -> None:
    """Let the calling thread have `threads`, and those that call torch from now on one each.

    A thread begins with what was set last anywhere, when it first asks; then the number is its own.
    """
    torch.set_num_threads(threads)
    torch.get_num_threads()  # asks, or this thread's first operation would take what is set next
    other = Thread(target=torch.set_num_threads, args=(1,))
    other.start()
    other.join()
