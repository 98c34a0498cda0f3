"""The studies' plots: small SVG files whose bytes depend on the results alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.studies.report import RESULTS

PLOTS = Path(__file__).parents[2] / "docs" / "plots"
_POLICIES = ("first choice", "default", "novelty 5 %", "conformal 10 %", "costs")
Rows = list[dict[str, Any]]


def digest(name: str) -> str:
    """SHA-256 (hex) of a result file; every plot made from it carries it."""
    return hashlib.sha256((RESULTS / f"{name}.json").read_bytes()).hexdigest()


@contextmanager
def figure_of(study: str, plot: str, columns: int = 1, height: float = 3.2) -> Iterator[Any]:
    """The axes of a new figure, which is then written."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    plain = {"svg.hashsalt": "linewatch", "svg.fonttype": "none", "font.size": 9}
    with mpl.rc_context({**plain, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = plt.subplots(
            1, columns, figsize=(4.2 * columns, height), squeeze=False, layout="constrained"
        )
        yield axes[0]
        PLOTS.mkdir(parents=True, exist_ok=True)
        about = {"Date": None, "Description": digest(study)}
        figure.savefig(PLOTS / f"{plot}.svg", metadata=about)
        plt.close(figure)


def heldout(rows: Rows) -> None:
    """Share caught of each held-out class, by policy."""
    sets = list(dict.fromkeys(row["pictures"] for row in rows))
    with figure_of("study_heldout", "heldout", len(sets), 4.0) as axes:
        for axis, pictures in zip(axes, sets, strict=True):
            of = [row for row in rows if row["pictures"] == pictures]
            names = list(dict.fromkeys(row["held_out"] for row in of))
            for place, policy in enumerate(_POLICIES):
                caught = [row["caught"] for row in of if row["policy"] == policy]
                axis.barh(np.arange(len(names)) + 0.16 * (place - 2), caught, 0.16, label=policy)
            axis.set_yticks(range(len(names)), names)
            axis.invert_yaxis()
            axis.set(title=pictures, xlabel="caught", xlim=(0, 1))
        axes[0].figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8
        )


def risk(rows: Rows) -> None:
    """Escapes by the share of parts that people look at."""
    with figure_of("study_riskcoverage", "riskcoverage", 2) as (left, right):
        for pictures in dict.fromkeys(row["pictures"] for row in rows):
            of = [r for r in rows if r["pictures"] == pictures and r["study"] == "risk"]
            share = [row["review_share"] for row in of]
            left.plot(share, [row["escape_rate"] for row in of], "o-", ms=3, label=pictures)
            right.plot(share, [row["error_rate"] for row in of], "o-", ms=3, label=pictures)
        left.set(xlabel="share of parts reviewed", ylabel="defects that escape", ylim=(0, None))
        right.set(xlabel="share of parts reviewed", ylabel="wrong class, of the rest")
        left.legend()


def drift(rows: Rows) -> None:
    """How many cameras have noticed, by the parts since the drift began."""
    with figure_of("study_drift", "drift", 2) as axes:
        for axis, stream in zip(axes, ("fade", "step"), strict=True):
            of = [row for row in rows if row["stream"] == stream]
            for key, label in (("delay", "charts"), ("psi_delay", "PSI over 0.2, windows of 200")):
                delays = sorted(row[key] for row in of if row[key] is not None)
                noticed = np.arange(1, len(delays) + 1) / len(of)
                axis.step([0, *delays], [0, *noticed], where="post", label=label)
            axis.set(title=stream, xlabel="parts since it began", ylim=(0, 1.02))
            axis.set_xlim(0, of[0]["parts"])
        axes[0].set_ylabel("cameras that noticed")
        axes[0].legend(fontsize=8)


def gate(rows: Rows) -> None:
    """How often a challenger passes, by what it adds to the escapes in truth; a dot a case."""
    with figure_of("study_gate", "gate") as (axis,):
        cases = [row for row in rows if "case" in row]
        for name in dict.fromkeys(row["set"] for row in cases):
            of = [row for row in cases if row["set"] == name]
            axis.plot([row["true"] for row in of], [row["passed"] for row in of], "o", label=name)
        axis.axvline(0, lw=0.5, color="grey")
        axis.set(xlabel="escapes added in truth, of all defects", ylabel="passed", ylim=(0, 1.02))
        axis.legend(fontsize=8)


def promises(rows: Rows) -> None:
    """How often each promise held, and which share of the good parts it let pass."""
    names = [f"{row['pictures']}, {row['labels']}" for row in rows]
    with figure_of("study_promises", "promises", 2, 4.5) as (left, right):
        left.barh(names, [row["kept"] for row in rows], 0.7)
        left.axvline(0.95, color="black", linewidth=0.8)
        left.set(xlabel="promise held", xlim=(0.8, 1))
        right.barh(names, [row["alone"] for row in rows], 0.7)
        right.set(xlabel="passed, or judged alone", xlim=(0, 1), yticklabels=[])
        for axis in (left, right):
            axis.invert_yaxis()
            axis.tick_params(axis="y", labelsize=7)
