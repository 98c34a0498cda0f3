"""The labelled pictures of a product, each in its split, as they leave for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Engine

from db.labels import golden_members, golden_sets
from db.labels.golden_members import GoldenPicture
from db.labels.history import Statement, current
from db.labels.labels import labelled_challenges
from linewatch.labels.splits import GOLDEN, splits


def labelled_pictures(
    engine: Engine, product: str, *, shares: Sequence[float], seed: int, golden_set: str
) -> tuple[list[Statement], list[str], list[UUID]]:
    """The labels that hold, and the golden set with the classes that it was given.

    The split `golden` is the set that the gate reads, picture for picture, so the digest of its
    ids and classes is the set's own. A golden picture that nobody labelled is there too.

    Args:
        engine: the database.
        product: whose.
        shares: of train, val and test; their sum is 1.
        seed: decides who is in which of these.
        golden_set: LINEWATCH_GOLDEN_SET.

    Returns:
        The pictures by id, the split of each, and the golden pictures whose label is another
        class than their set's.
    """
    name = golden_sets.usual(engine, product, golden_set)
    kept = {one.inspection_id: one for one in golden_members.pictures(engine, product, name)}
    barred = labelled_challenges(engine, product)  # programs that learn must not know them either
    said = {
        one.inspection_id: one
        for one in current(engine, product)
        if one.inspection_id not in barred
    }
    relabelled = [id_ for id_, one in kept.items() if id_ in said and said[id_].label != one.label]
    wrong = set(relabelled)
    rows = said | {
        id_: _as_statement(one, name)
        for id_, one in kept.items()
        if id_ not in said or id_ in wrong
    }
    ordered = [rows[id_] for id_ in sorted(rows)]
    groups = [row.part or str(row.inspection_id) for row in ordered]
    held = {str(id_) for id_ in golden_members.every_member(engine, product)}
    held |= golden_members.parts(engine, product)
    parts = splits([row.label for row in ordered], groups, shares, seed, held)
    found = [
        GOLDEN if row.inspection_id in kept else part
        for row, part in zip(ordered, parts, strict=True)
    ]
    return ordered, found, relabelled


def _as_statement(one: GoldenPicture, set_name: str) -> Statement:
    return Statement(
        inspection_id=one.inspection_id,
        label=one.label,
        labelled_by=one.added_by,
        labelled_at=one.added_at,
        recorded_at=one.added_at,
        source=f"golden set {set_name}",
        note="",
        part=one.part,
        image_uri=one.image_uri,
        image_sha256=one.image_sha256,
    )
