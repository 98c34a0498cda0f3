"""Checks a folder of weights against the checksums that its about.json names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from linewatch.errors import WeightsError
from vision.weights import ABOUT_FILE, CLIP_FILES, DINO_FILES, sha256_of

FILES = (
    *(f"clip/{name}" for name in CLIP_FILES),
    *(f"dinov2/{name}" for name in DINO_FILES),
)


def about_of(folder: Path) -> dict[str, Any]:
    """What about.json says; nothing where there is none.

    Raises:
        WeightsError: it is damaged.
    """
    path = folder / ABOUT_FILE
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read ({error}); import the weights again") from None
    if not isinstance(about, dict) or not isinstance(about.get("sha256", {}), dict):
        raise WeightsError(f"{path} does not describe weights; import them again")
    return about


def verify(folder: Path) -> dict[str, str]:
    """Each file's SHA-256, if all are there and none differs from what about.json says.

    Raises:
        WeightsError: a file is missing, unreadable or changed.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise WeightsError(f"{folder} holds no {', '.join(missing)}; fetch or import the weights")
    found = {name: sha256_of(folder / name) for name in FILES}
    wanted = about_of(folder).get("sha256", {})
    changed = [name for name, digest in wanted.items() if found.get(name) != digest]
    if changed:
        raise WeightsError(
            f"{folder} is damaged: {', '.join(changed)} is not what {ABOUT_FILE} says; "
            "fetch or import the weights again"
        )
    return found
