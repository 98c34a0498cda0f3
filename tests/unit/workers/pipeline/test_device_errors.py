"""What errors of torch, CUDA and OpenVINO mean."""

from __future__ import annotations

import pytest
import torch

from workers.pipeline.device_errors import DeviceError, device_error


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError(),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate "
            "memory: you tried to allocate 1073741824 bytes. Error code 12 (Cannot allocate memory)"
        ),
        RuntimeError("[enforce fail] data. DefaultCPUAllocator: not enough memory: you tried"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("Exception from src/inference/src/cpp/infer_request.cpp:223: std::bad_alloc"),
    ],
    ids=str,
)
def test_out_of_memory(error: Exception) -> None:
    assert device_error(error) is DeviceError.OUT_OF_MEMORY


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("CUDA error: no CUDA-capable device is detected"),
        RuntimeError("CUDA error: unspecified launch failure"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        torch.AcceleratorError("CUDA error: unknown error", 999),
        RuntimeError("[GPU] clWaitForEvents, error code: -14 CL_DEVICE_NOT_AVAILABLE"),
        RuntimeError("[GPU] clFlush, error code: -5 CL_OUT_OF_RESOURCES"),
    ],
    ids=str,
)
def test_a_lost_device(error: Exception) -> None:
    assert device_error(error) is DeviceError.LOST


@pytest.mark.parametrize(
    "error",
    [
        ValueError("device-side assert"),  # not what a device raises
        RuntimeError("stack expects each tensor to be equal size"),
        KeyError("cable"),
    ],
    ids=str,
)
def test_other_errors_say_nothing_of_the_device(error: Exception) -> None:
    assert device_error(error) is None
