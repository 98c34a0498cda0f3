"""docs/studies.md and its plots are made from the results that lie beside them."""

from __future__ import annotations

import pytest

from benchmarks.studies import plots
from benchmarks.studies.page import PAGE, STUDIES, updated
from benchmarks.studies.report import RESULTS, read

PLOT_OF = {
    "study_heldout": "heldout",
    "study_riskcoverage": "riskcoverage",
    "study_drift": "drift",
    "study_gate": "gate",
    "study_promises": "promises",
    "study_coverage": "coverage",
    "study_prevalence": "prevalence",
    "study_run_length": "run_length",
    "study_unlike_good": "unlike_good",
}


def test_the_tables_are_current() -> None:
    page = PAGE.read_text()
    assert updated(page) == page, "run `python -m benchmarks.studies.page`"
    assert page.count("|---|") >= len(STUDIES)


@pytest.mark.parametrize("name", STUDIES)
def test_the_plot_is_current_and_small(name: str) -> None:
    svg = (plots.PLOTS / f"{PLOT_OF[name]}.svg").read_text()
    assert plots.digest(name) in svg, "run `python -m benchmarks.studies.page`"
    assert len(svg) < 100_000


@pytest.mark.parametrize("name", STUDIES)
def test_results_have_the_common_form(name: str) -> None:
    found = read(name)
    assert found["name"] == name
    assert list(found) == ["name", "when", "commit", "machine", "settings", "rows", "ratios"]
    assert found["rows"]
    assert (RESULTS / f"{name}.json").stat().st_size < 100_000
