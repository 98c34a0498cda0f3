"""A `FeatureNet` as an OpenVINO model: float32 by conversion, int8 by quantisation."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from vision.feature_net import FeatureNet

log = logging.getLogger(__name__)

FEATURES, TOKENS = "features", "tokens"  # the outputs' names; networks of 0.1 have no tokens

_STEP = 2  # pictures that pass through the network at once while it is calibrated


class _WithTokens(nn.Module):
    """What is traced: features, and by-products of the same pass."""

    def __init__(self, net: FeatureNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.net.with_tokens(images)


def convert(net: FeatureNet) -> Any:
    """The network as a float32 `openvino.Model` with the outputs `features` and `tokens`.

    See `FeatureNet.with_tokens`. It takes any number of pictures. It is traced on the CPU; weights
    are shared with `net` until the model is compiled or saved.
    """
    return traced(_WithTokens(net), net.size, (FEATURES, TOKENS))


def traced(module: nn.Module, size: int, outputs: Sequence[str]) -> Any:
    """A module as an `openvino.Model`.

    Args:
        module: from uint8 [n, 3, size, size] to one tensor [n, …] for each of `outputs`.
        size: the side of the pictures, in pixels.
        outputs: their names.
    """
    import openvino

    example = torch.zeros((2, 3, size, size), dtype=torch.uint8)
    shape = openvino.PartialShape([-1, 3, size, size])
    with quiet(), torch.inference_mode():
        model = openvino.convert_model(module, example_input=example, input=[shape])
    model.input(0).set_names({"images"})
    for place, name in enumerate(outputs):
        model.output(place).set_names({name})
    return model


def quantise(model: Any, pictures: torch.Tensor) -> Any:
    """The model with int8 multiplications, by NNCF's post-training quantisation.

    Weights use half of int8's range. A CPU without VNNI adds two products in 16 bits, which the
    whole range overflows: features would be others there, without a word.

    Args:
        model: float32; it is changed.
        pictures: uint8 [n, 3, size, size], what the site's cameras see. Ranges come from them, so
            pictures unlike them may saturate.
    """
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix

    samples = [part.numpy() for part in torch.split(pictures, _STEP)]
    with quiet():
        return nncf.quantize(
            model,
            nncf.Dataset(samples),
            model_type=nncf.ModelType.TRANSFORMER,
            preset=nncf.QuantizationPreset.MIXED,
            # The patch embeddings see raw contrast: on flat pictures eight bits are too few for
            # them (least cosine 0.995, against 0.9995 without), and they cost 2 % of the work.
            ignored_scope=nncf.IgnoredScope(types=["Convolution"], validate=False),
            subset_size=len(samples),
            advanced_parameters=AdvancedQuantizationParameters(overflow_fix=OverflowFix.ENABLE),
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep back what the converters say of the networks' Python code: nobody here can change it."""
    loggers = [logging.getLogger(name) for name in ("nncf", "transformers", "torch.onnx")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
