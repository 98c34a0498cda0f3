"""Where the encoders' weights lie: the compact ones in this package, the full ones in a folder of
this machine or else at the hub.

`vision/weights_compact` and `<weights_dir>/full` have the same layout:

    clip/     open_clip_config.json, open_clip_model.safetensors    an open_clip `local-dir:`
    dinov2/   config.json, model.safetensors                        a Hugging Face model folder
    about.json  {"description": "…", "sha256": {…}}                 optional; what surfaces say

Other weights of the same architectures are a matter of putting them in the full ones' place.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from linewatch.errors import WeightsError
from linewatch.settings import Settings

log = logging.getLogger(__name__)

CLIP_MODEL, CLIP_TAG = "ViT-B-32-quickgelu", "openai"
DINO_MODEL = "facebook/dinov2-small"
CLIP_FILES = ("open_clip_config.json", "open_clip_model.safetensors")
DINO_FILES = ("config.json", "model.safetensors")
ABOUT_FILE = "about.json"
FULL_DESCRIPTION = f"CLIP {CLIP_MODEL} ({CLIP_TAG}) + DINOv2 {DINO_MODEL}"
COMPACT = Path(__file__).parent / "weights_compact"


@dataclass(frozen=True, slots=True)
class Weights:
    """Files to load. `clip_model` is an open_clip name, `local-dir:…` or a built-in one."""

    clip_model: str
    clip_checkpoint: Path
    dino_folder: Path

    def checksums(self) -> dict[str, str]:
        """SHA-256 of each encoder's checkpoint file.

        Raises:
            WeightsError: a file cannot be read.
        """
        files = {"clip": self.clip_checkpoint, "dinov2": self.dino_folder / DINO_FILES[1]}
        return {name: sha256_of(path) for name, path in files.items()}


def describe(settings: Settings) -> str:
    """What every surface says of the encoders in use. Loads nothing."""
    about = folder_for(settings) / ABOUT_FILE
    try:
        description = json.loads(about.read_text(encoding="utf-8"))["description"]
    except (OSError, ValueError, KeyError, TypeError):
        return FULL_DESCRIPTION if settings.encoders == "full" else "compact encoders"
    return str(description)


def folder_for(settings: Settings) -> Path:
    """The folder in which the weights of `settings.encoders` are looked for."""
    if settings.encoders == "full":
        return full_folder(settings)
    return COMPACT


def full_folder(settings: Settings) -> Path:
    """Where the full weights are looked for before the hub is asked."""
    return settings.local_weights_dir / "full"


def find_weights(settings: Settings) -> Weights:
    """The weights of `settings.encoders`. The compact ones are there without any network.

    Raises:
        WeightsError: they are incomplete, or the hub does not give them.
    """
    folder = folder_for(settings)
    if settings.encoders == "compact" or folder.exists():
        return in_folder(folder)
    return from_hub(folder)


def in_folder(folder: Path) -> Weights:
    """The weights in a folder of the layout above.

    Raises:
        WeightsError: a file is missing.
    """
    files = [folder / "clip" / name for name in CLIP_FILES]
    files += [folder / "dinov2" / name for name in DINO_FILES]
    missing = [str(path.relative_to(folder)) for path in files if not path.is_file()]
    if missing:
        advice = (
            "install linewatch anew"
            if folder == COMPACT
            else "complete the folder, or put weights there with `linewatch weights fetch "
            "--replace` or `import --replace`"
        )
        raise WeightsError(f"{folder} holds no {', '.join(missing)}; {advice}")
    return Weights(f"local-dir:{folder / 'clip'}", files[1], folder / "dinov2")


def from_hub(folder: Path) -> Weights:
    """The full weights in the hub client's cache, downloaded if need be.

    Raises:
        WeightsError: the hub does not give them; names `folder` as the other place for them.
    """
    import open_clip
    from huggingface_hub import snapshot_download

    log.info("no weights in %s; asking the hub", folder)
    try:
        dino = snapshot_download(DINO_MODEL, allow_patterns=list(DINO_FILES))
        wanted = open_clip.get_pretrained_cfg(CLIP_MODEL, CLIP_TAG)
        clip = open_clip.download_pretrained(wanted)
    except ImportError:
        raise
    except Exception as error:  # the hub's client raises its own, httpx's and the system's errors
        cause = f"{type(error).__name__}: {error}".splitlines()[0]
        raise WeightsError(
            f"the full encoders are neither in {folder} nor to be had from the hub ({cause:.200}); "
            "bring them with `linewatch weights import` or `fetch --from FOLDER`, "
            "or set LINEWATCH_ENCODERS=compact"
        ) from None
    return Weights(CLIP_MODEL, Path(clip), Path(dino))


def sha256_of(path: Path) -> str:
    """A file's SHA-256, 64 hex digits.

    Raises:
        WeightsError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from None
