"""The camera side must stay light: it runs on the camera's PC."""

import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "numpy", "transformers", "sklearn", "open_clip", "sqlalchemy", "PIL", "fsspec")
LAZY = ("celery", "kombu", "redis", "watchfiles", "rich", "click")


@pytest.mark.parametrize("module", ["producer", "producer.camera", "producer.contract"])
def test_import_is_light(module: str) -> None:
    code = (
        f"import sys, {module}; loaded = {HEAVY + LAZY!r}; "
        "print(*[name for name in loaded if name in sys.modules])"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert time.monotonic() - start < 5  # 0.35 s on an idle machine; this one may be busy


def test_camera_is_exported() -> None:
    import producer
    from producer.camera import Camera

    assert producer.Camera is Camera
    with pytest.raises(AttributeError, match="no attribute 'Kamera'"):
        producer.Kamera  # noqa: B018
