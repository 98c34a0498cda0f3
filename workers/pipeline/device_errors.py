"""What an error of the device means: too little memory, a device that is gone, or neither. Pure.

Neither torch nor OpenVINO gives these errors types that can be relied on, so their words decide.
An error of CUDA leaves its context unusable: nothing but a new process helps.
"""

from __future__ import annotations

from enum import Enum, auto

_NO_MEMORY = (
    "out of memory",
    "not enough memory",  # torch on the CPU: "DefaultCPUAllocator: not enough memory"
    "can't allocate memory",
    "cannot allocate memory",
    "failed to allocate",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "bad_alloc",
    "bad allocation",
    "cl_out_of_host_memory",
    "cl_mem_object_allocation_failure",
    "exceeded max size of memory object allocation",  # OpenVINO on a GPU
)
_LOST = (
    "cuda error",
    "cuda driver error",
    "cuda failure",
    "device-side assert",
    "no cuda-capable device",
    "unspecified launch failure",
    "illegal memory access",
    "device unavailable",
    "devices are busy or unavailable",
    "cublas_status",
    "cudnn_status",
    "no cuda gpus are available",
    "cl_device_not_available",
    "cl_device_not_found",
    "cl_out_of_resources",  # what OpenCL says of a GPU that was reset
    "cl_invalid_command_queue",
    "device lost",
    "device is lost",
    "device_lost",
    "gpu hang",
)


class DeviceError(Enum):
    """What went wrong on the device."""

    OUT_OF_MEMORY = auto()
    LOST = auto()


def device_error(error: BaseException) -> DeviceError | None:
    """What `error` says of the device; None if it says nothing of it."""
    words = f"{type(error).__name__}: {error}".lower()
    if isinstance(error, MemoryError) or any(sign in words for sign in _NO_MEMORY):
        return DeviceError.OUT_OF_MEMORY
    if isinstance(error, (RuntimeError, OSError)) and any(sign in words for sign in _LOST):
        return DeviceError.LOST
    return None
