"""Addresses of every page of the console, those about a named thing with a thing of a test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter
from urllib.parse import quote, urlencode

from console.pages import PAGES
from console.pages.reports.catalogue import CATALOGUE
from console.pages.review.shown import key_of
from quality.audit.draw import PassName


@dataclass(frozen=True)
class Things:
    """What pages are asked about.

    Attributes:
        product, part, lot, line, camera, version, message: their names.
        letter: number of a dead letter.
        defect_class: a class of the product.
    """

    product: str = "plug"
    part: str = "P-1"
    lot: str = "LOT-1"
    line: str = "L1"
    camera: str = "C1"
    version: str = "plug-1"
    message: str = "task-1"
    letter: int = 1
    defect_class: str = "bent"

    @property
    def narrowed(self) -> dict[str, str]:
        """All that a page may be narrowed to; a page takes what it knows."""
        key = key_of(PassName(self.product, self.part, "", 1))
        named = ("product", "lot", "line", "camera", "version")
        return {name: getattr(self, name) for name in named} | {
            "class": self.defect_class,
            "q": self.part,
            "part": key,
        }


def every_path(things: Things) -> Iterator[tuple[str, str]]:
    """Path of each page, and of its JSON; a report's page once for each report."""
    values = {**vars(things), "report": None}
    for page in PAGES:
        path = page.path.replace(":path}", "}")
        wanted = {name for _, name, _, _ in Formatter().parse(path) if name}
        for report in CATALOGUE if "report" in wanted else [""]:
            said = {name: quote(str(values[name] or report), safe="") for name in wanted}
            yield path.format(**said), (page.api_path.replace(":path}", "}")).format(**said)


def query(things: Things, **more: str) -> str:
    """Everything at once, as an address says it."""
    return urlencode({**things.narrowed, **more})
