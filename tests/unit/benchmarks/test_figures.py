"""What README and docs claim was measured is what the result files say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import demo, figures
from benchmarks.figures import Figure, FigureError
from benchmarks.report import RESULTS, compact_weights
from vision.weights import ABOUT_FILE, COMPACT

PAGES = {str(path.relative_to(figures.ROOT)): path.read_text("utf-8") for path in figures.pages()}
FIGURES = [figure for name, text in PAGES.items() for figure in figures.bound(text, name)]
NOT_MEASURED = Path(__file__).with_name("figures_not_measured.txt")
OF_COMPACT_ENCODERS = (
    *("recipes", "study_heldout", "study_riskcoverage", "study_drift", "compact", "retrain"),
)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f"{f.page}:{f.line}:{f.shown}")
def test_a_figure_is_what_its_source_says(figure: Figure) -> None:
    figures.check(figure)


def test_every_number_with_a_unit_is_bound_or_known_to_be_no_measurement() -> None:
    """`python -m benchmarks.figures` lists them; bind a measurement, list what is none."""
    found = [f"{name}: {words}" for name, text in PAGES.items() for words in figures.unbound(text)]
    listed = [
        line
        for line in NOT_MEASURED.read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    new = [words for words in found if words not in listed]
    gone = [words for words in listed if words not in found]
    assert not new, f"bind these to a result file, or say in {NOT_MEASURED.name} what they are"
    assert not gone, "no page says this any more"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    rows = [{"way": "a, b", "x/y": 1.2345}, {"way": "c", "x/y": 6, "on": True}]
    ratios = {"share": 0.876, "fast": {"median": 1234.5, "low": None}}
    (tmp_path / "r.json").write_text(json.dumps({"rows": rows, "ratios": ratios}))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1.23 ms<!-- = r /rows/[way=a, b]/x~1y --> a picture", "1.23"),
        ("88<!-- = r /ratios/share * 100 --> %", "88"),
        ("| **0.9**<!-- = r /ratios/share --> |", "0.9"),
        ("6<!-- = r /rows/1/x~1y --> and 1<!-- = r /rows/0/x~1y -->", "6 1"),
        ("1,234.5<!-- = r /ratios/fast --> times", "1,234.5"),
        ("20 s<!-- = setting VISIBILITY_TIMEOUT_S -->", "20"),
        ("1<!-- = code workers.inspect:REQUEUE_WAIT_S --> s", "1"),
    ],
)
def test_a_marker_finds_its_figure(text: str, shown: str, results: Path) -> None:
    found = list(figures.bound(text, "page"))
    assert [figure.shown for figure in found] == shown.split()
    for figure in found:
        figures.check(figure, results)


def test_figures_are_written_anew_with_the_digits_they_had(results: Path) -> None:
    text = (
        "In 20 s<!-- = setting VISIBILITY_TIMEOUT_S --> 9.9<!-- = r /rows/0/x~1y --> ms, "
        "7,000<!-- = r /ratios/fast --> times, **50**<!-- = r /ratios/share * 100 --> %; 5 ms.\n"
        "<!-- r: begin -->7<!-- = r /rows/0/x~1y --><!-- r: end -->"
    )
    new = figures.updated(text, results)
    assert [figure.shown for figure in figures.bound(new, "page")] == ["20", "1.2", "1,234", "88"]
    assert new.endswith("; 5 ms.\n<!-- r: begin -->7<!-- = r /rows/0/x~1y --><!-- r: end -->")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1.24<!-- = r /rows/0/x~1y -->", "the source says 1.2345"),
        ("87<!-- = r /ratios/share * 100 -->", "the source says 87.6"),
        ("1<!-- = r /rows/[way=d]/x~1y -->", "0 rows fit"),
        ("1<!-- = r /ratios/other -->", "'other'"),
        ("1<!-- = r /rows/1/on -->", "is no number: True"),
        ("1<!-- = nothing /ratios/share -->", "No such file"),
        ("21<!-- = setting VISIBILITY_TIMEOUT_S -->", "the source says 20"),
        ("1<!-- = setting NO_SUCH -->", "no_such"),
    ],
)
def test_a_figure_that_is_not_its_sources_is_named(text: str, why: str, results: Path) -> None:
    figure = next(iter(figures.bound(text, "page")))
    with pytest.raises(FigureError, match=r"page:1: .*") as error:
        figures.check(figure, results)
    assert why in str(error.value)


def test_a_marker_without_a_number_is_named() -> None:
    with pytest.raises(FigureError, match="page:3: no number stands before"):
        list(figures.bound("9 s\n\nsome<!-- = r /ratios/share -->", "page"))


def test_numbers_that_nothing_binds_are_listed() -> None:
    text = "it took 3.5 s, or 40 %,<!-- = r /x --> of 12 images/s; class 7, 1024x1024\n"
    assert figures.unbound(text) == ["it took 3.5 s , or", "40 %, of 12 images/s ; class"]


def test_readmes_demonstration_is_what_one_printed() -> None:
    page = (figures.ROOT / "README.md").read_text("utf-8")
    assert demo.updated(page, demo.read()) == page, "run `python -m benchmarks.demo`"
    assert sum(line.startswith("accepted ") for line in demo.excerpt(_printed())) == 1


def _printed() -> list[str]:
    printed: list[str] = demo.read()["settings"]["printed"]
    return printed


@pytest.mark.parametrize("name", OF_COMPACT_ENCODERS)
def test_a_result_is_of_the_encoders_that_ship_or_says_that_it_is_not(name: str) -> None:
    settings = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))["settings"]
    about = json.loads((COMPACT / ABOUT_FILE).read_text("utf-8"))
    present = settings.get("compact_weights") == compact_weights()
    assert present or settings.get("sha256") == about["sha256"] or settings["earlier_encoders"]
