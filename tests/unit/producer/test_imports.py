"""The camera side must stay light: it runs on the camera's PC."""

import os
import resource
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize("package", ["redis", "kombu", "vine"])
@pytest.mark.parametrize(
    "fault",
    [
        "import nowhere_to_be_found",
        "raise ImportError('cannot import name X')",
        "raise OSError('libx.so: cannot open shared object file')",
        "raise AttributeError('half a package')",
    ],
)
def test_a_broken_package_is_no_redis_that_is_away(
    tmp_path: Path, package: str, fault: str
) -> None:
    """kombu goes on without redis, and lacks it for ever after: nobody may wait for that."""
    (tmp_path / f"{package}.py").write_text(fault)
    script = (
        "from linewatch.settings import Settings\n"
        "from producer.publisher import Publisher\n"
        "try:\n    Publisher(Settings(redis_url='redis://127.0.0.1:1/0'), 'p')\n"
        "except ImportError: print('a fault')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "a fault\n", done.stderr
