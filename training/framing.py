"""How the pictures of a product's next model are brought to the encoders' square."""

from __future__ import annotations

from linewatch.products import ProductSpec
from model_store.manifest import Manifest
from vision.framing import Framing, chosen


def next_framing(spec: ProductSpec, champion: Manifest | None) -> Framing:
    """As the product's file says; else as its champion's, if that loses no pixels; else by size.

    Args:
        spec: the product.
        champion: the manifest of the model that serves it, if one does.
    """
    size = spec.image_size
    return chosen(
        spec.fit,
        spec.roi,
        None if size is None else (size.width, size.height),
        None if champion is None else Framing.of(champion.fit, champion.roi),
    )
