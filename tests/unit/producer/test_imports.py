"""The camera side must stay light: it runs on the camera's PC."""

import resource
import subprocess
import sys

import pytest

HEAVY = ("torch", "numpy", "transformers", "sklearn", "open_clip", "sqlalchemy", "PIL", "fsspec")
LAZY = ("celery", "kombu", "redis", "watchfiles", "rich", "click")


@pytest.mark.parametrize("module", ["producer", "producer.camera", "producer.contract"])
def test_import_is_light(module: str) -> None:
    code = (
        f"import sys, {module}; loaded = {HEAVY + LAZY!r}; "
        "print(*[name for name in loaded if name in sys.modules])"
    )
    before = cpu_s()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert cpu_s() - before < 3  # about 0.35


def cpu_s() -> float:
    """What the processes that we waited for have used: the clock on the wall tells of others."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_camera_is_exported() -> None:
    import producer
    from producer.camera import Camera

    assert producer.Camera is Camera
    with pytest.raises(AttributeError, match="no attribute 'Kamera'"):
        producer.Kamera  # noqa: B018
