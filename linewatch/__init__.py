"""Linewatch inspects parts on production lines: camera to queue to classified to SQL to report.

>>> from linewatch import Camera
>>> with Camera(line="line-1", camera="cam-2", product="cable") as camera:
...     camera.submit("/data/pictures/000017.png", part="SN-000017")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from producer.camera import Camera

__all__ = ["Camera", "__version__"]
__version__ = "0.2.0"


def __getattr__(name: str) -> object:
    if name == "Camera":  # imported when asked for: `linewatch` alone stays light
        from linewatch.import_path import require_unhidden

        require_unhidden("producer")
        from producer import Camera

        return Camera
    raise AttributeError(f"module 'linewatch' has no attribute {name!r}")
