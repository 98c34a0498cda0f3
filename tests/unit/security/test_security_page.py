"""docs/security.md names tests for what it says of each role: they are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
ROLES = PAGE.split("## Who may do what", 1)[1].split("\n## ", 1)[0]


def test_each_role_names_tests_that_there_are() -> None:
    rows = [row.split("|") for row in ROLES.splitlines() if row.startswith("| ")][1:]
    assert len(rows) >= 10
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)`", row[-2])
        assert named, row[1]
        folder = ""
        for name in named:  # a name without a folder lies beside the one before it
            folder = name.rpartition("/")[0] or folder
            path = ROOT / "tests" / folder / name.rpartition("/")[2]
            assert path.is_file(), f"{row[1].strip()}: {path.relative_to(ROOT)}"
