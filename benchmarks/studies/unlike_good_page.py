"""Tables and plot of the study of parts unlike good."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.studies.markdown import Result, percent, section, table
from benchmarks.studies.plots import Rows, figure_of

_LOOK = "trained"


def tables(result: Result) -> str:
    """Every rule on every set; each class; what the memory costs."""
    rows = [row for row in result["rows"] if "rule" in row]
    return section(
        result,
        table(
            "pictures | look | good parts learned from | rule | AUROC | caught | worst class | "
            "good flagged (draws from, to) | peak on the flaw",
            (_cells(row) for row in rows),
        ),
        "What the memory costs, picture by picture on one thread, beside both encoders in torch:",
        table(
            "encoders | encoders | memory | share",
            (
                [
                    row["cost"],
                    f"{row['encoders_ms']:.1f} ms",
                    f"{row['memory_ms']:.1f} ms",
                    percent(row["share"]),
                ]
                for row in result["rows"]
                if "cost" in row
            ),
        ),
    )


def _cells(row: Result) -> list[str]:
    flagged = (row[f"good flagged{end}"] for end in ("", ", least", ", most"))
    mean, least, most = (percent(share) for share in flagged)
    auroc, peak = row.get("auroc"), row.get("peak on the flaw")
    return [
        row["pictures"],
        row["look"],
        str(row["good_parts"]),
        row["rule"],
        "–" if auroc is None else f"{auroc:.3f}",
        percent(row["caught"]),
        percent(min(_classes(row))),
        f"{mean} ({least}, {most})",
        "–" if peak is None else percent(peak),
    ]


def _classes(row: Result) -> Iterator[float]:
    return (share for key, share in row.items() if key.startswith("caught: "))


def plot(rows: Rows) -> None:
    """Caught defects by rule, of the trained encoders that learned from the most good parts."""
    shown = [row for row in rows if row.get("look") == _LOOK]
    sets = list(dict.fromkeys(row["pictures"] for row in shown))
    with figure_of("study_unlike_good", "unlike_good", len(sets)) as axes:
        for axis, name in zip(axes, sets, strict=True):
            of = [row for row in shown if row["pictures"] == name]
            most = max(row["good_parts"] for row in of)
            of = [row for row in of if row["good_parts"] == most]
            places = np.arange(len(of))
            axis.barh(places + 0.2, [row["caught"] for row in of], 0.4, label="caught")
            axis.barh(places - 0.2, [row["good flagged"] for row in of], 0.4, label="good flagged")
            axis.set_yticks(places, [row["rule"] for row in of] if axis is axes[0] else [])
            axis.set(title=f"{name}, {most} good parts", xlim=(0, 1))
        axes[0].legend(fontsize=8)
