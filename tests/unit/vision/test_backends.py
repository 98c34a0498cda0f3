"""Choice of backend, batch buckets and staging: all that a GPU's path needs and no GPU has."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from linewatch.errors import ConfigurationError
from linewatch.settings import Settings
from vision.backends.buckets import bucket_for, chunks, fill, powers_of_two
from vision.backends.choice import Choice, resolve
from vision.backends.lanes import IDLE, IDLE_BESIDE_MUCH_ELSE, PART, lanes_for, parts_of
from vision.backends.staging import Staging

CPU, GPU = torch.device("cpu"), torch.device("cuda:1")


@pytest.mark.parametrize(
    ("device", "backend", "precision", "converted", "expected"),
    [
        (CPU, "auto", "auto", False, ("torch", "float32")),
        (CPU, "auto", "auto", True, ("openvino", "float32")),
        (CPU, "auto", "bfloat16", True, ("torch", "bfloat16")),
        (CPU, "auto", "int8", False, ("openvino", "int8")),
        (CPU, "torch", "auto", True, ("torch", "float32")),
        (CPU, "openvino", "auto", False, ("openvino", "float32")),
        (CPU, "openvino", "bfloat16", False, ("openvino", "bfloat16")),
        (GPU, "auto", "auto", True, ("torch", "float32")),
        (GPU, "auto", "bfloat16", False, ("torch", "bfloat16")),
        (GPU, "torch", "float16", False, ("torch", "float16")),
    ],
)
def test_what_is_chosen(
    device: torch.device, backend: str, precision: str, converted: bool, expected: tuple[str, str]
) -> None:
    choice = resolve(device, backend, precision, openvino=True, converted=converted)
    assert choice == Choice(*expected, device)
    if device.type == "cuda" or backend == "torch":  # a wheel beside it changes nothing
        other = resolve(device, backend, precision, openvino=False, converted=converted)
        assert other == choice


@pytest.mark.parametrize(
    ("device", "backend", "precision", "openvino", "words"),
    [
        (GPU, "openvino", "auto", True, "LINEWATCH_DEVICE=cpu"),
        (CPU, "openvino", "auto", False, r"linewatch\[openvino\]"),
        (CPU, "auto", "int8", False, r"linewatch\[openvino\]"),
        (GPU, "auto", "int8", True, "float32, bfloat16, float16"),
        (CPU, "auto", "float16", True, "float32, bfloat16"),
        (CPU, "torch", "int8", True, "float32, bfloat16"),
    ],
)
def test_what_does_not_go_together(
    device: torch.device, backend: str, precision: str, openvino: bool, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        resolve(device, backend, precision, openvino=openvino, converted=True)


def test_auto_without_openvino_ignores_what_is_stored_for_it() -> None:
    assert resolve(CPU, "auto", "auto", openvino=False, converted=True).backend == "torch"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"backend": "torch", "precision": "int8"}, "int8 needs backend openvino"),
        ({"backend": "openvino", "precision": "float16"}, "float16 needs backend torch"),
        ({"backend": "openvino", "device": "cuda:0"}, "device cpu only"),
    ],
)
def test_settings_that_contradict_each_other(fields: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(**fields)


@given(largest=st.integers(1, 300), count=st.integers(1, 1000))
def test_every_batch_finds_its_bucket(largest: int, count: int) -> None:
    buckets = powers_of_two(largest)
    assert buckets[-1] == largest
    assert list(buckets) == sorted(set(buckets))
    parts = chunks(count, buckets)
    assert [i for part in parts for i in range(count)[part]] == list(range(count))
    for part in parts:
        size = part.stop - part.start
        bucket = bucket_for(size, buckets)
        assert size <= bucket <= max(2 * size - 1, 1)  # never more than half of it is filling


def test_a_batch_needs_a_picture() -> None:
    with pytest.raises(ValueError, match="not 0"):
        powers_of_two(0)


def test_filling_leaves_nothing_of_the_batch_before() -> None:
    target = torch.full((4, 3, 2, 2), 9, dtype=torch.uint8)
    fill(target, torch.full((3, 3, 2, 2), 5, dtype=torch.uint8))
    assert (target[:3] == 5).all()
    assert (target[3] == 0).all()


class _Event:
    def __init__(self) -> None:
        self.waited = False

    def synchronize(self) -> None:
        self.waited = True


def test_two_buffers_take_turns_and_wait_for_their_own_copy() -> None:
    staging = Staging(4, 2, pinned=False)
    events = [_Event() for _ in range(3)]
    batches = [torch.full((n, 3, 2, 2), n, dtype=torch.uint8) for n in (1, 2, 3)]

    first = staging.put(batches[0], 1)
    staging.copying(events[0])
    second = staging.put(batches[1], 2)
    assert first.data_ptr() != second.data_ptr()
    assert (first == 1).all()  # still being copied, and still as it was
    assert not events[0].waited
    staging.copying(events[1])
    third = staging.put(batches[2], 4)
    assert events[0].waited
    assert not events[1].waited
    assert third.data_ptr() == first.data_ptr()
    assert third[:, 0, 0, 0].tolist() == [3, 3, 3, 0]


@given(cores=st.integers(1, 130), largest=st.integers(1, 300))
def test_lanes_share_the_cores_evenly_and_have_a_full_part_each(cores: int, largest: int) -> None:
    lanes = lanes_for(cores, largest)
    assert cores % lanes == 0
    assert lanes == 1 or lanes * PART <= largest


def test_a_small_machine_has_a_lane_a_core() -> None:
    assert [lanes_for(cores, 32) for cores in (1, 2, 4, 6, 8, 16)] == [1, 2, 4, 3, 4, 4]


@given(
    count=st.integers(0, 300),
    lanes=st.integers(1, 16),
    may_idle=st.sampled_from([IDLE, IDLE_BESIDE_MUCH_ELSE]),
)
def test_parts_are_the_whole_batch_in_order_and_evenly_cut(
    count: int, lanes: int, may_idle: float
) -> None:
    parts = parts_of(count, lanes, may_idle)
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(count))
    if len(parts) == 1:
        assert lanes == 1 or count < lanes or -count % lanes > may_idle * count
        return
    sizes = [part.stop - part.start for part in parts]
    assert len(parts) % lanes == 0
    assert 1 <= min(sizes) <= max(sizes) <= min(PART, min(sizes) + 1)


def test_few_pictures_are_shared_only_where_they_come_out_even() -> None:
    assert [len(parts_of(count, 2)) for count in range(9)] == [1, 1, 2, 1, 2, 1, 2, 1, 2]
    assert [len(parts_of(count, 2)) for count in (13, 15, 16, 17, 32, 33)] == [1, 2, 2, 4, 4, 6]


def test_beside_much_else_they_are_shared_even_if_one_lane_has_a_picture_less() -> None:
    cut = [len(parts_of(count, 2, IDLE_BESIDE_MUCH_ELSE)) for count in range(9)]
    assert cut == [1, 1, 2, 2, 2, 2, 2, 2, 2]
    cut = [len(parts_of(count, 4, IDLE_BESIDE_MUCH_ELSE)) for count in range(9)]
    assert cut == [1, 1, 1, 1, 4, 1, 4, 4, 4]
