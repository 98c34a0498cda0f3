"""The camera side: hand a picture over in milliseconds and be told of its verdict.

>>> from linewatch import Camera
>>> with Camera(line="line-1", camera="cam-2", product="cable") as camera:
...     camera.submit("/data/pictures/000017.png", part="SN-000017")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from producer.camera import Camera

__all__ = ["Camera"]


def __getattr__(name: str) -> object:
    if name == "Camera":  # imported when asked for: `producer.contract` alone stays light
        from linewatch.import_path import CAMERA_NEEDS, require_unhidden

        require_unhidden(*CAMERA_NEEDS)
        from producer.camera import Camera

        return Camera
    raise AttributeError(f"module 'producer' has no attribute {name!r}")
