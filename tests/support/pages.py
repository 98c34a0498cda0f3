"""What a Markdown page says in code: its spans, its blocks, its links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCED = re.compile(r"^( *)```[^\n]*\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}[^\n]*\n)+")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        path: beneath the repository's root.
    """

    path: str

    @cached_property
    def text(self) -> str:
        """The page without HTML comments, among which are the markers of measured figures."""
        return _COMMENT.sub("", (ROOT / self.path).read_text("utf-8"))

    @cached_property
    def _blocks(self) -> list[str]:
        fenced = [found[1] for found in _FENCED.findall(self.text)]
        return fenced + _INDENTED.findall(_FENCED.sub("", self.text))

    @cached_property
    def spans(self) -> list[str]:
        """The code spans of the running text, on one line each."""
        prose = _INDENTED.sub("\n", _FENCED.sub("", self.text))
        return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", prose)]

    @cached_property
    def code(self) -> list[str]:
        """All code, a line of a block or a span each; a continued line is one, comments are not."""
        lines = "\n".join(self._blocks).replace("\\\n", " ").splitlines()
        return self.spans + [re.sub(r"(^|\s)#.*", "", line).strip() for line in lines]

    @cached_property
    def links(self) -> list[str]:
        """Where links within the repository lead."""
        found = re.findall(r"\]\(([^)\s]+)\)", _FENCED.sub("", self.text))
        return [link for link in found if "://" not in link]

    @cached_property
    def anchors(self) -> set[str]:
        """Its headings, as GitHub links to them."""
        headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", self.text), re.MULTILINE)
        return {re.sub(r"[^\w -]", "", name.lower()).strip().replace(" ", "-") for name in headings}


def all_pages() -> list[Page]:
    """README, CONTRIBUTING and everything beneath docs/."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [Page(path.relative_to(ROOT).as_posix()) for path in found]
