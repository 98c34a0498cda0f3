"""What a challenge is asked to be of: parts and a line that there are."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from db.challenges.outcome import KnownPart
from db.labels.vocabulary import Vocabulary
from db.storable_text import storable
from db.tables import Line
from linewatch.errors import ChallengeError
from linewatch.nearest import did_you_mean


def known_parts(connection: Connection, parts: Sequence[tuple[str, str, str]]) -> list[KnownPart]:
    """The parts that are named, each once: product, serial number and class, or ''.

    Raises:
        ChallengeError: none is, or one as two classes, or one has no serial number.
        UnknownProductError: a product is not registered.
        LabelError: a product has no such class.
    """
    if not parts:
        raise ChallengeError("name the parts that go through: --part SERIAL, or --parts FILE")
    words = Vocabulary.of(connection, {product for product, _, _ in parts})
    found: dict[tuple[str, str], KnownPart] = {}
    for product, serial, label in parts:
        if not serial:
            raise ChallengeError("a part has no serial number: only parts that have one are told")
        words.refuse_unknown(product, label or next(iter(words.classes.get(product, {})), ""))
        good = bool(label) and words.is_good(product, label)
        part = KnownPart(product, str(storable(serial, 200)), label, good)
        if found.setdefault((product, part.serial), part) != part:
            raise ChallengeError(f"part {serial!r} is named twice, as different classes")
    return list(found.values())


def refuse_unknown_line(connection: Connection, line: str) -> None:
    """Make sure that there is a line of this name.

    Raises:
        ChallengeError: there is none; names the nearest.
    """
    known = connection.execute(select(Line.code).order_by(Line.code)).scalars().all()
    if line not in known:
        hint = did_you_mean(line, known) or "; see `linewatch lines list`"
        raise ChallengeError(f"no line is called {line!r}{hint}")
