"""Fetches the full weights into a folder of this machine: from the hub, or from another folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from linewatch.errors import WeightsError
from vision.archive import drafted
from vision.checksums import FILES, about_of, verify
from vision.loading import load_clip, load_dino
from vision.weights import (
    ABOUT_FILE,
    CLIP_FILES,
    CLIP_MODEL,
    DINO_FILES,
    FULL_DESCRIPTION,
    Weights,
    from_hub,
    in_folder,
)


def fetch(folder: Path, *, source: Path | None = None, replace: bool = False) -> dict[str, str]:
    """Put the full weights into `folder`, with checksums; both networks are loaded once as a test.

    Args:
        folder: where workers look for them.
        source: a folder of the same layout; None asks the hub.
        replace: whether weights that are there already may go.

    Returns:
        Each file's SHA-256.

    Raises:
        WeightsError: the weights cannot be had, are damaged, or may not be replaced.
    """
    with drafted(folder, replace=replace) as draft:
        try:
            _from_folder(source, draft) if source else _from_hub(folder, draft)
        except OSError as error:
            raise WeightsError(f"{folder} cannot be written: {error.strerror}") from None
        weights = in_folder(draft)
        load_clip(weights)
        load_dino(weights)
        about = {"description": FULL_DESCRIPTION, **(about_of(source) if source else {})}
        about["sha256"] = verify(draft)
        text = json.dumps(about, indent=1, sort_keys=True) + "\n"
        (draft / ABOUT_FILE).write_text(text, encoding="utf-8")
        return verify(draft)


def _from_folder(source: Path, draft: Path) -> None:
    verify(source)
    for name in FILES:
        (draft / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(source / name, draft / name)


def _from_hub(folder: Path, draft: Path) -> None:
    """Convert CLIP to the local layout: the hub holds one checkpoint, and no configuration."""
    import open_clip
    from safetensors.torch import save_file

    found: Weights = from_hub(folder)
    (draft / "clip").mkdir()
    (draft / "dinov2").mkdir()
    state = load_clip(found).model.state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, draft / FILES[1])
    config = {"model_cfg": open_clip.get_model_config(CLIP_MODEL), "preprocess_cfg": {}}
    (draft / "clip" / CLIP_FILES[0]).write_text(json.dumps(config, indent=1), encoding="utf-8")
    for name in DINO_FILES:
        shutil.copyfile(found.dino_folder / name, draft / "dinov2" / name)
