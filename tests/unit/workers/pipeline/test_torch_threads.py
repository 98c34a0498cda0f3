"""torch's threads go to the thread that computes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest
import torch

from workers.pipeline import torch_threads


class _Computes:
    def __init__(self, name: str, device: str) -> None:
        self.name, self.device = name, torch.device(device)


@pytest.mark.parametrize(
    ("name", "device", "all_cores"),
    [("torch", "cpu", True), ("torch", "cuda:0", False), ("openvino", "cpu", False)],
)
def test_only_torch_on_a_cpu_wants_more_than_one(name: str, device: str, all_cores: bool) -> None:
    every = torch.get_num_threads()
    assert torch_threads.wanted(_Computes(name, device)) == (every if all_cores else 1)  # type: ignore[arg-type]


def test_the_device_thread_keeps_its_threads_and_later_ones_get_one() -> None:
    before, seen = torch.get_num_threads(), []

    def device() -> None:
        torch_threads.compute_here(3)
        with ThreadPoolExecutor(1) as decoders:
            seen.append(decoders.submit(torch.get_num_threads).result())
        seen.append(torch.get_num_threads())

    thread = Thread(target=device)
    thread.start()
    thread.join()
    torch.set_num_threads(before)
    assert seen == [1, 3]
