"""Before a training that a person asked for: settle how pictures are framed, and read them again.

It needs the encoders only where something is to be compared or read again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import numpy as np
from sqlalchemy import Engine

from db.labels import golden_members, labels
from db.labels.picture_parts import parts_of_pictures
from db.session import reading
from linewatch.errors import TrainingError
from linewatch.product_options import Fit
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from training.spaces.fit_comparison import FitTrial, best, tried
from training.spaces.framing import ENOUGH, champion_framing, newest_made
from training.spaces.reading_again import Wanted, embed_missing, features_in, missing, read
from vision.decode import read_header
from vision.errors import Unjudgeable
from vision.fingerprint import framing_of, is_recipe
from vision.framing import Framing, next_framing, tile_count

if TYPE_CHECKING:  # loaded only when it is needed
    from vision.extractor import FeatureExtractor

COMPARED = 300  # labelled pictures at most; more would tell little and cost minutes
LOOKED_AT = 8  # pictures whose headers say how long a product's are
FITS: tuple[Fit, ...] = ("crop", "squash", "pad", "tiles")

Asked = Fit | Literal["auto"] | None
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Refit:
    """Settles the framing of a product's next model.

    Args:
        engine: the database.
        spec: the product.
        settings: say which encoders, and where pictures may lie.
        load: gives the extractor, when it is needed.
        say: tells a person what is found.
    """

    engine: Engine
    spec: ProductSpec
    settings: Settings
    load: Callable[[], FeatureExtractor]
    say: Say

    def settle(self, asked: Asked) -> Framing | None:
        """The framing to train in, once labelled pictures have features in it.

        Args:
            asked: a fit; `auto`, to compare all; None: as the product's file says, or its champion
                has it, or, where its pictures are not square, as a comparison finds.

        Returns:
            None where too few pictures can be read again: then training takes the features that
            there are.

        Raises:
            TrainingError: a fit was asked for, and no picture can be read for it.
        """
        said = next_framing(self.spec, champion_framing(self.engine, self.spec.product))
        wanted = missing(self.engine, self.spec, "")
        sizes = self._sizes(wanted)
        fit = None if asked == "auto" else asked
        if fit is not None:
            said = Framing(fit, self.spec.roi)
        elif sizes and (asked == "auto" or self._is_open(sizes)):
            said = self._compared(said, wanted, sizes)
        if sizes and not self._embedded(said):
            space = self.load().space(said)
            added, unread = embed_missing(self.engine, self.spec, space, self.settings)
            self.say(f"read {added} labelled pictures again for fit {said.fit}")
            if unread:
                self.say(f"{unread} pictures could not be read again")
        counts = self._counts()
        if fit is not None and not counts.get(said):
            raise TrainingError(
                f"no labelled picture of {self.spec.product} can be read again, so there are no "
                f"features by fit {said.fit}"
            )
        enough = counts.get(said, 0) >= ENOUGH * max(counts.values(), default=0)
        return said if fit is not None or (enough and counts) else None

    def _counts(self) -> dict[Framing, int]:
        """How many labelled pictures have features in each framing, by the newest encoders."""
        found = newest_made(self.engine, self.spec.product, self.settings.recipe)
        return {framing_of(space.encoders): count for space, count in found}

    def _is_open(self, sizes: list[tuple[int, int]]) -> bool:
        """Whether nobody said a fit, no model has one, and it makes a difference."""
        if self.spec.fit is not None or all(width == height for width, height in sizes):
            return False
        before = champion_framing(self.engine, self.spec.product)
        return before is None or before.fit == "crop"

    def _sizes(self, wanted: dict[UUID, Wanted]) -> list[tuple[int, int]]:
        """Width and height of some labelled pictures that can be read, the newest."""
        found: list[tuple[int, int]] = []
        for id_ in sorted(wanted, reverse=True)[: 4 * LOOKED_AT]:
            try:
                data = read(wanted[id_], self.settings)
                header = read_header(data, max_pixels=self.settings.max_image_pixels)
            except (Unjudgeable, LookupError):
                continue
            found.append((header.width, header.height))
            if len(found) == LOOKED_AT:
                break
        return found

    def _embedded(self, framing: Framing) -> bool:
        """Whether every labelled picture has features in it already, by the newest encoders."""
        recipe = self.settings.recipe
        made = [space for space, _ in newest_made(self.engine, self.spec.product, recipe)]
        alike = [space for space in made if is_recipe(space.encoders, recipe)]
        match = next((space for space in alike if framing_of(space.encoders) == framing), None)
        return match is not None and not missing(self.engine, self.spec, match.fingerprint)

    def _compared(
        self, default: Framing, wanted: dict[UUID, Wanted], sizes: list[tuple[int, int]]
    ) -> Framing:
        """The framing that does best; the default where there are too few labels to tell."""
        said = labels.latest(self.engine, self.spec.product)
        barred = golden_members.every_member(self.engine, self.spec.product)
        known = [
            id_ for id_ in wanted if id_ not in barred and said.get(id_) in self.spec.class_codes
        ]
        if len(known) > COMPARED:
            drawn = np.random.default_rng(self.settings.random_state)
            known = [known[place] for place in drawn.choice(len(known), COMPARED, replace=False)]
        self.say(f"comparing fits on {len(known)} labelled pictures")
        framings = [Framing(fit, self.spec.roi) for fit in FITS]
        first = self.load()
        extractors = [first.space(framing) for framing in framings]
        found = features_in({id_: wanted[id_] for id_ in known}, extractors, self.settings)
        with reading(self.engine) as connection:
            by = self.settings.group_by
            parts = parts_of_pictures(connection, self.spec.product, found, by)
        names = [said[id_] for id_ in found]
        matrices = {
            fit: np.stack([vectors[place] for vectors in found.values()]).astype(np.float64)
            for place, fit in enumerate(FITS)
            if found
        }
        squares = dict.fromkeys(FITS, 1.0)
        counts = [tile_count(self.spec.roi, *size) for size in sizes]
        squares["tiles"] = sum(counts) / len(counts)
        try:
            trials = tried(
                matrices,
                squares,
                names,
                [parts[id_] for id_ in found],
                good_class=self.spec.good_class,
                folds=self.settings.folds,
                random_state=self.settings.random_state,
            )
        except TrainingError as error:
            self.say(f"fit {default.fit}, without comparison: {error}")
            return default
        if not trials:
            return default
        for trial in trials:
            self.say(_in_words(trial))
        chosen = Framing(best(trials, default.fit), self.spec.roi)
        self.say(f"fit {chosen.fit}")
        return chosen


def _in_words(trial: FitTrial) -> str:
    escapes = "" if trial.escapes is None else f", escapes {trial.escapes:.1%}"
    note = ", for comparison only" if trial.fit == "crop" else ""
    return (
        f"  {trial.fit:6} macro F1 {trial.macro_f1:.3f}{escapes}, "
        f"{trial.squares:.1f} squares a picture{note}"
    )
