"""Which part a picture in a folder shows, as its path says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from linewatch.errors import EvaluationError
from linewatch.evaluation.pictures import LabelledFile


def parts_by(pattern: str, folder: Path, files: Sequence[LabelledFile]) -> list[str]:
    """The name of each file's part: what the pattern finds in its path below `folder`.

    It is searched anywhere in the path, with forward slashes. Its first group names the part, the
    whole match where it has none. A path without a match is a part of its own.

    Raises:
        EvaluationError: it is no regular expression, matches no path, or says that all pictures
            are of one part.
    """
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise EvaluationError(f"--group-by {pattern!r} is no regular expression: {error}") from None
    paths = [file.path.relative_to(folder).as_posix() for file in files]
    found = [regex.search(path) for path in paths]
    if not any(found):
        raise EvaluationError(
            f"--group-by {pattern!r} matches none of the {len(paths)} paths, such as {paths[0]!r}"
        )
    names = [_name(match, path) for match, path in zip(found, paths, strict=True)]
    if len(set(names)) == 1:
        raise EvaluationError(
            f"--group-by {pattern!r} says that all {len(paths)} pictures are of one part, "
            f"{names[0][1]!r}: nothing is left to learn from when it is judged"
        )
    return ["\0".join(name) for name in names]


def _name(match: re.Match[str] | None, path: str) -> tuple[str, str]:
    if match is None:
        return "path", path
    said = match.group(1) if match.re.groups else match.group()
    return ("part", said) if said is not None else ("path", path)
