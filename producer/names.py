"""Which files are pictures, and which are a program's unfinished work, by their names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePath

PICTURES = ("*.png", "*.jpg", "*.jpeg", "*.bmp", "*.tif", "*.tiff", "*.webp")

_IN_WORK = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".swp", "~")


@dataclass(frozen=True, slots=True)
class PictureNames:
    """Which names count. `patterns` are shell patterns; upper and lower case are the same."""

    patterns: tuple[str, ...] = PICTURES

    def wanted(self, path: PurePath) -> bool:
        """Whether this is a picture's name. `path` is relative; see `entered`."""
        if not self.entered(path):
            return False
        name = path.name.lower()
        return any(fnmatch(name, pattern.lower()) for pattern in self.patterns)

    def entered(self, path: PurePath) -> bool:
        """Whether a folder is looked into: no part of its relative path is hidden or in work."""
        return not any(self.in_work(PurePath(part)) for part in path.parts)

    def in_work(self, path: PurePath) -> bool:
        """Whether programs give such names to files that they still write."""
        return path.name.startswith(".") or path.name.lower().endswith(_IN_WORK)

    def renamed(self, old: PurePath, new: PurePath) -> bool:
        """Whether `old`, now gone, was the unfinished `new`: x.png.tmp, .x.png.Ab12, x.tmp."""
        bare = old.name.lstrip(".")
        return old.parent == new.parent and (
            bare.startswith(new.name) or PurePath(bare).stem == new.stem
        )


def pictures_in(paths: tuple[Path, ...], names: PictureNames) -> Iterator[Path]:
    """The files given, and for each folder the pictures in it and beneath, sorted by name."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for file in sorted(path.rglob("*")):
            if names.wanted(file.relative_to(path)) and file.is_file():
                yield file
