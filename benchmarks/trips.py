"""Counts the changes of package on the way from a label to a promoted model.

    python -m benchmarks.trips [--tree FOLDER] [--list]

The real thing runs on SQLite under `sys.setprofile`: labels are stored, a model is trained, the
gate compares it with the champion, and it is promoted. FOLDER is another checkout, so that two
commits are counted alike.

What is counted: the files whose functions are entered, in order. A return is no entry. What lies
between two of our functions (sqlalchemy, pydantic, contextlib) is not ours, so it is not seen; a
comprehension is part of its function. A part of the way that repeats itself at once, as a loop
does, counts once. A change of package is two files in a row of two packages, which are the first
folders: `db/labels` and `db/models` are both `db`. Left out are imports, settings and sessions,
which every way through the code has.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType

PACKAGES = frozenset(
    ("db", "linewatch", "model_store", "producer", "quality", "training", "vision", "workers")
)
LEFT_OUT = ("linewatch/settings", "db/session.py", "db/base.py", "db/tables")
NO_FUNCTIONS = ("<module>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
LONGEST_LOOP = 60  # files that one round of a loop enters: 45 where labels are stored
ROOT = Path(__file__).resolve().parents[1]


class Trip:
    """The files whose functions are entered while it is `recorded`, in order.

    Args:
        tree: the checkout that holds them.
    """

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._entered: list[str] = []
        self._names: dict[str, str | None] = {}  # by what the interpreter calls the file

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Note what this thread enters."""
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(None)

    @property
    def way(self) -> list[str]:
        """The files in order, from the root of the tree; each round of a loop is there once."""
        return without_repeats(self._entered)

    @property
    def files(self) -> set[str]:
        """Every file that was entered."""
        return set(self._entered)

    @property
    def changes(self) -> int:
        """How often the way leads from one package into another."""
        return sum(package(one) != package(other) for one, other in pairwise(self.way))

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_name not in NO_FUNCTIONS:
            name = self._name(code.co_filename)
            if name is not None:
                self._entered.append(name)

    def _name(self, filename: str) -> str | None:
        """The file from the root of the tree; None where it does not count."""
        if filename not in self._names:
            path = Path(filename)
            name = path.relative_to(self._tree).as_posix() if self._tree in path.parents else ""
            counts = package(name) in PACKAGES and not name.startswith(LEFT_OUT)
            self._names[filename] = name if counts else None
        return self._names[filename]


def package(name: str) -> str:
    """The first folder of a file's name."""
    return name.partition("/")[0]


def without_repeats(way: Sequence[str]) -> list[str]:
    """The way without what repeats itself at once: a b c b c d is a b c d."""
    kept: list[str] = []
    for name in way:
        kept.append(name)
        while (length := _repeated(kept)) is not None:
            del kept[-length:]
    return kept


def _repeated(way: list[str]) -> int | None:
    """How long the end is that stands there twice; None where none does."""
    lengths = range(1, min(LONGEST_LOOP, len(way) // 2) + 1)
    return next((n for n in lengths if way[-n:] == way[-2 * n : -n]), None)


def label_to_promotion(tree: Path = ROOT) -> Trip:
    """Labels come in, a model is trained, compared with the champion, and promoted."""
    from db import migrate
    from db.session import engine_for
    from tests.support.bench import CODES, Bench, few_parts

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/plant.db"
        migrate.upgrade(url)
        engine = engine_for(url)
        bench = Bench(engine, few_parts(Path(folder)))
        for code in CODES:
            bench.pictures(code, 70)  # with fewer defects the gate decides nothing
        bench.champion()  # of a first round, which also does the imports
        new = {code: bench.pictures(code, 6, label=False) for code in CODES}
        trip = Trip(tree)
        with trip.recorded():
            for code, ids in new.items():
                bench.label(ids, code)
            made = bench.train(auto_promote="gate")
        engine.dispose()
    assert made.promoted, made.decision
    return trip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tree", type=Path, default=ROOT, help="Another checkout.")
    parser.add_argument("--list", action="store_true", help="Print the files in order.")
    arguments = parser.parse_args()
    tree: Path = arguments.tree.resolve()
    sys.path.insert(0, str(tree))
    trip = label_to_promotion(tree)
    if arguments.list:
        print(*trip.way, sep="\n")
    print(f"label to promotion: {len(trip.files)} files, {trip.changes} changes of package")


if __name__ == "__main__":
    main()
