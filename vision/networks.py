"""The encoders as a backend runs them for a recipe; for several recipes of the same encoders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from linewatch.settings import Settings
from vision import optimized
from vision.backends.build import build
from vision.backends.choice import choose
from vision.backends.protocol import Backend
from vision.encoders import EncoderPair
from vision.feature_net import FeatureNet
from vision.fingerprint import Fingerprint
from vision.framing import CENTRE_CROP
from vision.loading import dino_architecture, load_clip, load_dino
from vision.patch_stages import LOOK
from vision.probe import probe_of
from vision.recipe import SEED, Block, Recipe
from vision.weights import Weights, describe, find_weights


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """What makes features of squares by one recipe.

    Attributes:
        backend: runs the encoders.
        recipe: what fuses their outputs.
        blocks: of a feature vector.
        fingerprint: of the features, with the framing of 0.1.
        encoders: gives the networks themselves, for text; a backend that has its own copy does not
            keep torch's in memory.
        description: what surfaces say of the encoders.
    """

    backend: Backend
    recipe: Recipe
    blocks: tuple[Block, ...]
    fingerprint: Fingerprint
    encoders: Callable[[], EncoderPair]
    description: str


class NetworkLoader:
    """Loads the encoders that the settings name, once for all recipes where torch runs them.

    Args:
        settings: name the encoders, the device and the backend.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._weights = find_weights(settings)
        self._resident: EncoderPair | None = None
        self._loading = Lock()
        self._text = lru_cache(maxsize=1)(lambda: load_net(self._weights)[0].encoders)

    def load(self, recipe: Recipe) -> Networks:
        """The networks for a recipe; takes seconds.

        Raises:
            WeightsError: the weights, or the networks optimised from them, cannot be had, are
                damaged, or do not belong to each other.
            ConfigurationError: the device does not exist, or device, backend, precision and recipe
                do not go together.
        """
        with self._loading:
            return self._load(recipe)

    def _load(self, recipe: Recipe) -> Networks:
        settings = self._settings
        net, fingerprint = load_net(self._weights, recipe)
        about = optimized.about_of(optimized.folder_of(settings, "float32"))
        converted = about is not None and (about.source, about.look) == (fingerprint.hex, LOOK)
        choice = choose(settings, converted=converted)
        blocks, probe = net.blocks, None
        if choice.backend == "torch" and self._resident is not None:
            if choice.precision != "float32" or choice.device.type == "cuda":
                probe = probe_of(net)  # the resident ones are on their device and cast already
            net = FeatureNet(self._resident, recipe)
        built = build(choice, net, settings, source=fingerprint.hex, probe=probe)
        encoders: Callable[[], EncoderPair] = self._text
        if choice.backend == "torch":
            resident = self._resident = net.encoders
            encoders = lambda: resident  # noqa: E731
        words = [describe(settings), f"{choice.backend} {choice.precision}"]
        return Networks(
            backend=built.backend,
            recipe=recipe,
            blocks=blocks,
            fingerprint=fingerprint.in_precision(built.numerics),
            encoders=encoders,
            description=", ".join(words if built.numerics else words[:1]),
        )


def load_net(weights: Weights, recipe: Recipe = SEED) -> tuple[FeatureNet, Fingerprint]:
    """The networks in float32 on the CPU, and the fingerprint of their features.

    Raises:
        WeightsError: the weights are damaged.
    """
    clip, dino = load_clip(weights), load_dino(weights)
    net = FeatureNet(EncoderPair(clip, dino), recipe)
    fingerprint = Fingerprint(
        recipe=recipe.name,
        preprocessing=CENTRE_CROP.preprocessing(net.size),
        encoders={"clip": clip.architecture, "dinov2": dino_architecture(dino)},
        weights_sha256=weights.checksums(),
        dim=net.dim,
    )
    return net, fingerprint
