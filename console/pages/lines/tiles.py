"""The HTML of each tile, made once for all who read the same language."""

from __future__ import annotations

from console.pages.lines.context import Lines
from console.site import Site

_NAME = "tiles"


def tiles(site: Site, lines: Lines, language: str, template: str) -> dict[str, str]:
    """Element id to what stands in it: a line's head, a camera, and the strip above them all."""
    made = site.kept.setdefault(_NAME, {})
    assert isinstance(made, dict)
    kept = made.get((template, language))
    if kept is None or kept[0] is not lines:
        kept = made[template, language] = (lines, _made(site, lines, language, template))
    found: dict[str, str] = kept[1]
    return found


def _made(site: Site, lines: Lines, language: str, template: str) -> dict[str, str]:
    def block(name: str, **values: object) -> str:
        return site.words.block(language, template, name, {"page": lines, **values})

    pieces = {"strip": block("strip")}
    pieces |= {line.key: block("line", line=line) for line in lines.lines}
    if template.startswith("lines/"):
        pieces |= {tile.key: block("camera", tile=tile) for tile in lines.cameras}
    return pieces
