"""Secrets that can be recognised wherever they turn up, in whatever spelling."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

# What has to be encoded somewhere: in a URL, in JSON, in HTML, for a shell.
_BETWEEN = "/@:%+?#&='\"<;"


class Marked:
    """A secret for each name: parts that occur nowhere else, with special characters between them.

    Whichever piece of it is shown, and however it is encoded, a part is in there.
    """

    def __init__(self, *names: str) -> None:
        self._parts = {name: f"Zq{place:02}kWx" for place, name in enumerate(names)}

    def __getitem__(self, name: str) -> str:
        return _secret(self._parts[name])

    def in_url(self, name: str) -> str:
        """As it is written between the colon and the @ of a URL."""
        return quote(self[name], safe="")

    def plain(self, name: str) -> str:
        """One without special characters, for what allows none; found as the others are."""
        return self._parts[name] * 6

    def shown(self, text: str) -> list[str]:
        """The names of the secrets that a text shows, in clear or in base64."""
        return [
            name
            for name, part in self._parts.items()
            if part in text or any(form in text for form in _base64(_secret(part), part * 6))
        ]

    def shown_in(self, texts: Mapping[str, str]) -> dict[str, list[str]]:
        """Where secrets are shown, and which."""
        found = {place: self.shown(text) for place, text in texts.items()}
        return {place: names for place, names in found.items() if names}


def _secret(part: str) -> str:
    return "".join(part + mark for mark in _BETWEEN) + part


def _base64(*secrets: str) -> Iterable[str]:
    """The middles of a secret's base64, wherever it begins in what was encoded."""
    for secret in secrets:
        for lead in range(3):
            yield base64.b64encode(b"-" * lead + secret.encode()).decode()[4:-4]


def command_lines(roots: Iterable[int]) -> dict[str, str]:
    """The command lines of processes and of all that they started, as anybody's `ps` shows them."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    wanted = {*roots, os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= more
    lines = {}
    for pid in wanted:
        try:
            text = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        lines[f"ps {pid}"] = text.replace("\0", " ")
    return lines
