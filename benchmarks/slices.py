"""Contenders whose work alternates every few seconds, each frozen while another goes on.

A machine may be faster by a tenth in one minute than in the next. Contenders that each work for ten
seconds, one after the other, are compared across that change, and each fills and empties its own
pipeline in every turn. In slices they share what the machine does, and a pipeline that is frozen
stays full: a turn can be long, and is nevertheless beside the others.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from subprocess import Popen
from typing import Any

Span = tuple[float, float]  # from and until, in seconds since 1970


@dataclass(frozen=True, slots=True)
class Sliced:
    """Work of a process that may be frozen.

    Args:
        process: stands still at SIGSTOP and goes on at SIGCONT.
        work: waits until all of it is done; returns when it was, in seconds since 1970. Called in a
            thread of its own.
        prepare: what is not timed. The process stands still meanwhile, and nobody works.
    """

    process: Popen[Any]
    work: Callable[[], float]
    prepare: Callable[[], object] = lambda: None


def seconds_in_slices(contenders: Mapping[str, Sliced], slice_s: float) -> dict[str, float]:
    """How long each contender worked, without the time in which it was frozen.

    Args:
        contenders: by name, in the order of their slices. All are running when this returns.
        slice_s: how long each goes on at a time, in seconds.

    Raises:
        Exception: what one of them raised.
    """
    spans: dict[str, list[Span]] = {name: [] for name in contenders}
    pool = ThreadPoolExecutor(len(contenders), thread_name_prefix="slices")
    try:
        for each in contenders.values():
            each.process.send_signal(signal.SIGSTOP)
        for each in contenders.values():
            each.prepare()
        ends = {name: pool.submit(each.work) for name, each in contenders.items()}
        while not all(end.done() for end in ends.values()):
            for name, end in ends.items():
                if not end.done():
                    spans[name].append(_go_on(contenders[name].process, end, slice_s))
    finally:
        for each in contenders.values():
            each.process.send_signal(signal.SIGCONT)
        pool.shutdown()
    return {name: awake_s(spans[name], end.result()) for name, end in ends.items()}


def awake_s(spans: Sequence[Span], ended: float) -> float:
    """The seconds within `spans` before the work ended."""
    return sum(max(0.0, min(until, ended) - begun) for begun, until in spans)


def _go_on(process: Popen[Any], end: Future[float], slice_s: float) -> Span:
    begun = time.time()
    process.send_signal(signal.SIGCONT)
    with suppress(TimeoutError):
        end.exception(timeout=slice_s)  # whatever becomes of it: it is over
    process.send_signal(signal.SIGSTOP)
    return begun, time.time()
