"""`make gpu-train`: brings what a bare machine with a GPU lacks, then begins the run.

Until the wheels are installed this needs nothing but Python itself.
"""

from __future__ import annotations

import os
import sys

from benchmarks.gpu.__main__ import environment


def main() -> None:
    """Become `tools.train_compact.gpu.run`, with the words that were given."""
    call = "from tools.train_compact.gpu.run import main; main(prog_name='make gpu-train')"
    command = [sys.executable, "-c", call, *sys.argv[1:]]
    os.execve(sys.executable, command, environment())  # noqa: S606 - no shell: signals reach the run


if __name__ == "__main__":
    main()
