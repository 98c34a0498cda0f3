"""OpenVINO on Intel and AMD CPUs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from linewatch.errors import ConfigurationError
from vision.backends.lanes import IDLE, IDLE_BESIDE_MUCH_ELSE, PART, lanes_for, parts_of
from vision.backends.protocol import Precision
from vision.patch_stages import LOOK

_HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}  # int8: what is not quantised


class OpenvinoBackend:
    """Runs a converted `FeatureNet`, of any batch size.

    It is compiled twice: for all cores on one picture, and for a lane on each part of a batch.
    Every call shares its input: a request that shared once would copy the next over that memory.

    Tokens are computed with every batch: they cost a few hundredths of the features, and a second
    network without them would cost its weights once more.

    Args:
        model: an `openvino.Model`, see `vision.openvino_model`.
        precision: float32 or bfloat16 of the arithmetic; int8 for a model that was quantised.
        largest: the most pictures that a batch will usually have.
        look: what made the model's tokens, as `vision.patch_stages.LOOK` says.
    """

    name = "openvino"
    asynchronous = False
    device = torch.device("cpu")

    def __init__(self, model: Any, *, precision: Precision, largest: int, look: str = LOOK) -> None:
        import openvino

        self.gives_tokens = look == LOOK and len(model.outputs) > 1
        self.precision: Precision = precision
        core = openvino.Core()
        config = {"INFERENCE_PRECISION_HINT": _HINTS[precision]}
        whole = core.compile_model(model, "CPU", {**config, "PERFORMANCE_HINT": "LATENCY"})
        self._whole = whole.create_infer_request()
        cores = int(whole.get_property("INFERENCE_NUM_THREADS"))
        self._lanes = lanes_for(cores, largest)
        # So fast that decoders and commits take a quarter of the cores.
        self._may_idle = IDLE_BESIDE_MUCH_ELSE if precision == "int8" else IDLE
        self._queue: Any = None
        if self._lanes > 1:
            streams = {"NUM_STREAMS": str(self._lanes), "INFERENCE_NUM_THREADS": str(cores)}
            compiled = core.compile_model(model, "CPU", {**config, **streams})
            self._queue = openvino.AsyncInferQueue(compiled, self._lanes)
            self._queue.set_callback(_keep)

    def warm_up(self, picture: torch.Tensor) -> None:
        """Compute small batches of every size once, so that none of them is slow when it comes.

        For a number of pictures that it has not seen yet OpenVINO first makes a plan, in 0.1 to
        0.2 s with the full-size encoders; each lane makes its own.

        Args:
            picture: uint8 [3, size, size].
        """
        for count in range(1, PART + 1):
            images = np.stack([picture.cpu().numpy()] * count)
            if len(parts_of(count, self._lanes, self._may_idle)) == 1:
                self._whole.infer([images], share_inputs=True)
            if self._queue is not None:
                for _ in range(self._lanes):
                    self._queue.start_async([images], ([], 0), share_inputs=True)
                self._queue.wait_all()

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """float32 [n, dim] from uint8 [n, 3, size, size]."""
        return self._computed(batch, 1)[0]

    def with_tokens(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The features, and float32 [n, p, c] tokens of the pictures' places.

        Raises:
            ConfigurationError: the network was converted by a Linewatch that knew of none.
        """
        if not self.gives_tokens:
            raise ConfigurationError(
                "the optimised network gives no patch tokens; run `linewatch optimize` again"
            )
        features, tokens = self._computed(batch, 2)
        return features, tokens

    def _computed(self, batch: torch.Tensor, outputs: int) -> list[torch.Tensor]:
        """The first outputs; copies, since a request writes over its own."""
        images = np.ascontiguousarray(batch.cpu().numpy())
        parts = parts_of(len(images), self._lanes, self._may_idle)
        if len(parts) == 1:
            results = self._whole.infer([images], share_inputs=True)
            return [torch.from_numpy(results[place].copy()) for place in range(outputs)]
        found: list[list[Any]] = [[None] * len(parts) for _ in range(outputs)]
        for index, part in enumerate(parts):
            self._queue.start_async([images[part]], (found, index), share_inputs=True)
        self._queue.wait_all()
        return [torch.from_numpy(np.concatenate(output)) for output in found]

    def describe(self) -> str:
        """Library, precision and device."""
        return f"openvino {self.precision} on cpu"


def _keep(request: Any, place: tuple[Sequence[list[Any]], int]) -> None:
    """Copy what a lane computed, before it writes over it."""
    found, index = place
    for number, output in enumerate(found):
        output[index] = request.get_output_tensor(number).data.copy()
