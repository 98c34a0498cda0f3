"""A report's cells on a page are those of its other forms."""

from __future__ import annotations

import pytest

from console.words import Words


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("ppm", 12345.6, "12346"),
        ("rate", 0.0123, "1.23%"),
        ("difference", 0.0123, "1.23%"),
        ("kappa", 0.98765, "0.988"),
        ("parts", 12345, "12345"),
        ("lot", None, "–"),
        ("lot", "<b>", "&lt;b&gt;"),
        ("provisional", True, "ja"),
    ],
)
def test_a_cell_is_shown_as_in_the_other_forms(column: str, value: object, shown: str) -> None:
    environment = vars(Words("UTC"))["_environments"]["de"]
    page = str(environment.get_template("reports/cells.html").module.cell(column, value)).strip()
    assert page.split(">", 1)[1].rsplit("<", 1)[0] == shown
