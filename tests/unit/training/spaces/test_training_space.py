"""Which features a product's next model learns from, while several kinds are stored."""

from __future__ import annotations

from typing import Any, cast

import pytest
from sqlalchemy import Engine

from db.models.feature_spaces import FeatureSpace
from linewatch.errors import TrainingError
from linewatch.products import parse_product
from training.spaces import framing
from training.spaces.framing import newest_made, training_space
from vision.fingerprint import RECIPE, space_description
from vision.framing import CENTRE_CROP, Framing

NOWHERE = cast(Engine, None)
CLASSES = [{"code": "good", "good": True}, {"code": "bent"}]
SQUASH, TILES = Framing("squash"), Framing("tiles")


def space(name: str, how: Framing, recipe: str = "patches/1", by: str = "compact") -> FeatureSpace:
    return FeatureSpace(name, space_description(by, recipe, how), 4)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[tuple[FeatureSpace, int]]:
    """What the database has, the newest first; no model serves."""
    found: list[tuple[FeatureSpace, int]] = []
    monkeypatch.setattr(framing.feature_spaces, "labelled_spaces", lambda *_: found)
    monkeypatch.setattr(framing.feature_spaces, "of_product", lambda *_: (found, None))
    return found


def chosen(stored: list[Any], *rows: tuple[FeatureSpace, int], **fields: Any) -> str | None:
    stored[:] = rows
    wanted = fields.pop("framing", None)
    spec = parse_product({"product": "p", "classes": CLASSES, **fields}, "t")
    found = training_space(NOWHERE, spec, "patches", wanted)
    return None if found is None else found.fingerprint


def test_the_wanted_framing_is_taken_once_enough_pictures_have_it(stored: list[Any]) -> None:
    old, new = space("old", CENTRE_CROP), space("new", SQUASH)
    assert chosen(stored, fit="squash") is None
    assert chosen(stored, (new, 94), (old, 100), fit="squash") == "old"
    assert chosen(stored, (new, 95), (old, 100), fit="squash") == "new"
    assert chosen(stored, (old, 100), (new, 100), fit="squash") == "new"
    assert chosen(stored, (old, 100), fit="squash") == "old"


def test_a_framing_that_was_asked_for_is_taken_or_refused(stored: list[Any]) -> None:
    old, new = space("old", CENTRE_CROP), space("new", SQUASH)
    assert chosen(stored, (old, 100), (new, 3), framing=SQUASH) == "new"
    with pytest.raises(TrainingError, match="fit tiles"):
        chosen(stored, (old, 100), (new, 3), framing=TILES)


def test_other_encoders_are_never_gone_back_to_for_a_framing(stored: list[Any]) -> None:
    new, old = space("new", CENTRE_CROP, by="full"), space("old", SQUASH)
    assert chosen(stored, (new, 5), (old, 100), fit="squash") == "new"


def test_the_recipe_of_the_settings_wins_once_enough_pictures_have_it(stored: list[Any]) -> None:
    seed, patches = space("seed", TILES, RECIPE), space("patches", TILES)
    assert chosen(stored, (seed, 100), (patches, 95)) == "patches"
    assert chosen(stored, (seed, 100), (patches, 50)) == "seed"
    stored[:] = [(patches, 100), (seed, 100)]
    assert [s.fingerprint for s, _ in newest_made(NOWHERE, "p", "seed")] == ["seed"]
