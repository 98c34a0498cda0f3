"""The corpus of bad inputs: what a case is, and all of them together. The same for the same seed.

Not everything odd is bad: each case says how it may end. Most name the one right end; where the
damage is random (a flipped bit may hit a comment or a size) the case names the few that are right.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from producer.contract import Reason

JUDGED = frozenset({Reason.NO_MODEL})  # the test's plant has no model, so a person should look
DAMAGED = frozenset({Reason.CORRUPT, Reason.NOT_AN_IMAGE, Reason.TOO_LARGE, *JUDGED})


@dataclass(frozen=True, slots=True)
class Case:
    """A picture of an otherwise good message.

    Args:
        name: what is wrong with it.
        uri: where it is said to lie.
        ends: the reasons with which it may end; `JUDGED` for one that must be judged.
        fields: what else its entry in the message says.
    """

    name: str
    uri: str
    ends: frozenset[Reason]
    fields: dict[str, Any]


def one(reason: Reason) -> frozenset[Reason]:
    """The only right end."""
    return frozenset({reason})


def cases(root: Path, outside: Path, stack: ExitStack, seed: int = 0) -> Iterator[Case]:
    """Write the corpus below `root`, an image root, and `outside`, which is none.

    `stack` ends what some cases keep running.
    """
    from tests.acceptance.faults import corpus_fields, corpus_paths, corpus_valid

    folder = root / "corpus"
    folder.mkdir()
    good = corpus_valid.plain("PNG")
    for number, (name, data, ends) in enumerate(_pictures(seed)):
        path = folder / f"{number}-{_slug(name)}"
        path.write_bytes(data)
        yield Case(name, str(path), ends, {})
    for name, uri, ends in corpus_paths.paths(root, outside, good, stack):
        yield Case(name, uri, ends, {})
    (root / "good.png").write_bytes(good)
    for name, fields, ends in corpus_fields.fields(good):
        yield Case(name, str(root / "good.png"), ends, fields)


@cache
def _pictures(seed: int) -> tuple[tuple[str, bytes, frozenset[Reason]], ...]:
    from tests.acceptance.faults import corpus_pictures, corpus_valid

    return (*corpus_valid.pictures(), *corpus_pictures.pictures(seed))


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)[:60]
