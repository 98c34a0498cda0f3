"""Encoders in a process of their own, with nothing of a worker's around them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from typing import Any

from benchmarks.jpegs import LabelledPicture
from benchmarks.slices import Sliced
from linewatch.child_process import die_with_parent
from linewatch.errors import ServiceError
from linewatch.services import python_command


class Bare:
    """Starts `benchmarks.bare_child` and asks it. Use as a context.

    Args:
        environment: of the process: settings, backend, precision.
        log: where whatever it prints goes.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = Popen(
                python_command("benchmarks.bare_child"),
                env=dict(environment),
                stdin=PIPE,
                stdout=PIPE,
                stderr=output,
                text=True,
                preexec_fn=die_with_parent,
            )
        self.about: dict[str, Any] = {}

    def __enter__(self) -> Bare:
        self.about = self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except TimeoutExpired:  # it holds nothing that could be lost
            self._process.kill()
            self._process.wait()

    def fit(self, pictures: Iterable[LabelledPicture], product: str) -> str:
        """Fit and store a head; returns its version."""
        paths, labels = zip(*((str(p.path), p.label) for p in pictures), strict=True)
        made = self._ask("fit", paths=paths, labels=labels, product=product)
        self.about["remembered_patches"] = made["remembered_patches"]
        return str(made["version"])

    def take(self, product: str, version: str) -> None:
        """Use a head that is in the store."""
        self._ask("take", product=product, version=version)

    def images_per_s(self, paths: Iterable[Path], batch: int) -> float:
        """Through the bare loop, from the first file to the last verdict."""
        files = [str(path) for path in paths]
        return len(files) / float(self._ask("loop", paths=files, batch=batch)["seconds"])

    def sliced(self, paths: Iterable[Path], batch: int) -> Sliced:
        """The same work in slices."""
        files = [str(path) for path in paths]

        def judge() -> float:
            self._ask("loop", paths=files, batch=batch)
            return time.time()

        return Sliced(self._process, judge)

    def forward_s(self, paths: Iterable[Path], batch: int, repeats: int) -> list[float]:
        """Seconds of single forwards, pictures decoded beforehand."""
        files = [str(path) for path in paths]
        return list(self._ask("forward", paths=files, batch=batch, repeats=repeats)["seconds"])

    def features(self, paths: Iterable[Path], out: Path) -> Any:
        """The features of these pictures, float32 [n, d]."""
        import numpy as np

        self._ask("features", paths=[str(path) for path in paths], out=str(out))
        return np.load(out)

    def gemm_flops(self) -> float:
        """FLOP/s of a matrix product in this process's precision; see `benchmarks.gemm`."""
        return float(self._ask("gemm")["flops"])

    def picture_flops(self) -> int:
        """FLOPs of one picture's features, as torch counts them."""
        return int(self._ask("picture_flops")["flops"])

    def memory(self) -> dict[str, float]:
        """`rss_mib` and `peak_mib`."""
        return self._ask("memory")

    def _ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        print(json.dumps({"do": command, **arguments}), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            end = "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
            raise ServiceError(f"the bare loop ended; the end of {self._log}:\n{end}")
        answer: dict[str, Any] = json.loads(line)
        return answer
