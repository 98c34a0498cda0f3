"""How the pictures of a product's next model are brought to the encoders' square, and its space."""

from __future__ import annotations

import logging

from sqlalchemy import Engine

from db.models import deployments, feature_spaces, versions
from db.models.feature_spaces import FeatureSpace
from linewatch.errors import TrainingError
from linewatch.products import ProductSpec
from vision.fingerprint import framing_of, is_recipe
from vision.framing import Framing, next_framing, split_words

log = logging.getLogger(__name__)

ENOUGH = 0.95  # of the pictures that another framing has: features still to come, or files gone


def champion_framing(engine: Engine, product: str) -> Framing | None:
    """The framing of the model that serves a product; None where none does."""
    version = deployments.champion(engine, product)
    info = None if version is None else versions.get(engine, version)
    return None if info is None else framing_of(info.encoders)


def newest_made(engine: Engine, product: str, recipe: str) -> list[tuple[FeatureSpace, int]]:
    """The newest space of each framing by the newest encoders, and of how many pictures.

    The one in which a labelled picture's features were made last comes first. Of several recipes,
    as a champion's beside that of the next model, it is LINEWATCH_RECIPE's, once enough pictures
    have its features.

    Args:
        engine: the database.
        product: whose labelled pictures.
        recipe: as LINEWATCH_RECIPE has it.
    """
    return _newest(feature_spaces.labelled_spaces(engine, product), recipe)


def _newest(spaces: list[tuple[FeatureSpace, int]], recipe: str) -> list[tuple[FeatureSpace, int]]:
    most = max((count for _, count in spaces), default=0)
    preferred = [found for found in spaces if is_recipe(found[0].encoders, recipe)]
    if any(count >= ENOUGH * most for _, count in preferred):
        spaces = preferred
    found: dict[Framing, tuple[FeatureSpace, int]] = {}
    newest: str | None = None
    for space, count in spaces:
        made_by, framing = split_words(space.encoders)
        newest = newest or made_by
        if made_by == newest:
            found.setdefault(framing, (space, count))
    return list(found.values())


def training_space(
    engine: Engine, spec: ProductSpec, recipe: str, framing: Framing | None = None
) -> FeatureSpace | None:
    """The space to train in: the newest encoders' and recipe's, in the framing that is wanted.

    While too few of the labelled pictures have features in that framing, the newest one that has
    them is taken, so that a change of fit or roi never costs a model its labels.

    Args:
        engine: the database.
        spec: the product.
        recipe: as LINEWATCH_RECIPE has it.
        framing: no other will do; None: `next_framing`.

    Raises:
        TrainingError: no picture has features in `framing`.
    """
    spaces, champion = feature_spaces.of_product(engine, spec.product)
    if not spaces:
        return None
    alike = _newest(spaces, recipe)
    before = None if champion is None else framing_of(champion)
    wanted = framing or next_framing(spec, before)
    match = next((found for found in alike if framing_of(found[0].encoders) == wanted), None)
    if framing is not None:
        if match is None:
            raise TrainingError(
                f"no labelled picture of {spec.product} has features by fit {framing.fit}: their "
                "files cannot be read any more"
            )
        return match[0]
    most = max(count for _, count in alike)
    if match is not None and match[1] >= ENOUGH * most:
        return match[0]
    instead = next(space for space, count in alike if count >= ENOUGH * most)
    log.warning(
        "%s: %d of %d labelled pictures have features by fit %s, which is wanted; trained by fit "
        "%s until idle workers, or `linewatch train`, have read the others again",
        spec.product,
        0 if match is None else match[1],
        most,
        wanted.fit,
        framing_of(instead.encoders).fit,
    )
    return instead
