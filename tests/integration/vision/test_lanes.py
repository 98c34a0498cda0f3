"""A batch in parts on several threads: the features of each picture alone, and clean failures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from linewatch.settings import Settings
from tests.support.pictures import texture
from vision.backends.lanes import PART
from vision.backends.openvino_cpu import OpenvinoBackend
from vision.backends.torch_eager import TorchBackend
from vision.networks import load_net
from vision.openvino_model import convert
from vision.preprocess import preprocess
from vision.probe import FLOAT32_TOLERANCE
from vision.weights import find_weights

LARGEST = 16


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.stack([preprocess(texture(260, 260, seed=i)) for i in range(LARGEST)])


@pytest.fixture(scope="module")
def backend(weights_dir: Path) -> TorchBackend:
    net, _ = load_net(find_weights(Settings(weights_dir=weights_dir)))

    def refuse(_: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> None:
        if (batch[0] == 0).all(dim=(1, 2, 3)).any():
            raise RuntimeError("a black picture")

    net.register_forward_pre_hook(refuse)
    before = torch.get_num_threads()
    torch.set_num_threads(2)  # of a machine with one core, too, two lanes are made
    made = TorchBackend(net, device=torch.device("cpu"), largest=LARGEST)
    torch.set_num_threads(before)
    return made


@pytest.fixture(scope="module")
def alone(backend: TorchBackend, pictures: torch.Tensor) -> torch.Tensor:
    """The features of each picture, computed by itself."""
    return torch.cat([backend.features(picture[None]) for picture in pictures])


@pytest.mark.parametrize("count", [1, 3, 4, 9, LARGEST, 40])
def test_parts_have_the_features_of_each_picture(
    backend: TorchBackend, pictures: torch.Tensor, alone: torch.Tensor, count: int
) -> None:
    which = torch.arange(count) % LARGEST
    found = backend.features(pictures[which])
    torch.testing.assert_close(found, alone[which], atol=1e-5, rtol=0)


def test_a_part_that_fails_is_the_batchs_failure_and_the_next_batch_is_computed(
    backend: TorchBackend, pictures: torch.Tensor
) -> None:
    wanted = backend.features(pictures)
    spoilt = pictures.clone()
    spoilt[-1] = 0
    with pytest.raises(RuntimeError, match="a black picture"):
        backend.features(spoilt)
    assert torch.equal(backend.features(pictures), wanted)


@pytest.mark.slow
def test_openvino_that_was_warmed_up_computes_batches_of_any_size_as_torch_does(
    weights_dir: Path, pictures: torch.Tensor
) -> None:
    net, _ = load_net(find_weights(Settings(weights_dir=weights_dir)))
    with torch.inference_mode():
        wanted = net(pictures)
    warm = OpenvinoBackend(convert(net), precision="float32", largest=LARGEST)
    for count in (1, 2, 3, PART, PART + 1, LARGEST):  # each size that it sees costs it a plan
        warm.warm_up(pictures[count - 1])  # again and again: it must leave nothing behind
        found = warm.features(pictures[:count])
        torch.testing.assert_close(found, wanted[:count], atol=FLOAT32_TOLERANCE, rtol=0)
