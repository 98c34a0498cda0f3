"""What a worker serves at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from linewatch.products import ProductSpec
from vision.extractor import FeatureExtractor
from workers.serving.resident_model import ResidentModel


class Serving(NamedTuple):
    """What a product's pictures are seen and judged by.

    Attributes:
        space: makes their features.
        model: the champion, which judges those features; None while there is none.
        shadow: judges beside it without a say, perhaps features of another space.
    """

    space: FeatureExtractor
    model: ResidentModel | None
    shadow: ResidentModel | None


@dataclass(slots=True)
class Table:
    """What a worker knew at one moment, by product.

    Attributes:
        products, models, shadows: themselves.
        unserved: those with a champion that could not be loaded, and why.
        spaces: of their next models.
    """

    products: Mapping[str, ProductSpec] = field(default_factory=dict)
    models: Mapping[str, ResidentModel] = field(default_factory=dict)
    shadows: Mapping[str, ResidentModel] = field(default_factory=dict)
    unserved: Mapping[str, str] = field(default_factory=dict)
    spaces: Mapping[str, FeatureExtractor] = field(default_factory=dict)

    def serving(self, product: str) -> Serving | None:
        """What serves `product`; None for a product that is not known."""
        space, model = self.spaces.get(product), self.models.get(product)
        if model is not None and model.space is not None:
            space = model.space
        return None if space is None else Serving(space, model, self.shadows.get(product))

    def spaces_of(self, product: str) -> list[FeatureExtractor]:
        """The spaces of a product's champion, shadow and next model, each once."""
        models = (self.models.get(product), self.shadows.get(product))
        spaces = [model.space for model in models if model is not None]
        wanted = [*spaces, self.spaces.get(product)]
        return list(dict.fromkeys(space for space in wanted if space is not None))
