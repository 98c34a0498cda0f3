"""Tables of the studies of estimators and control charts."""

from __future__ import annotations

from benchmarks.studies.markdown import Result, percent, section, table

_CHARTS = {"p": "p", "laney_p": "p′", "g": "g"}


def coverage(result: Result) -> str:
    """Every design, with how often each interval held the truth."""
    shown = ("coverage", "escapes", "overkill", "exact", "score")
    normal = ("horvitz-thompson", "prediction-powered")
    return section(
        result,
        table(
            "parts | audit share | defect rate | model | nonconforming expected in the audit | "
            "width of the interval | defect rate held | escapes | overkill | exact | score | "
            "Horvitz–Thompson | prediction-powered",
            (
                [
                    f"{row['parts']:,}",
                    f"{100 * row['share']:.0f} %",
                    percent(row["rate"]),
                    row["model"],
                    f"{row['expected']:.1f}",
                    f"{100 * row['width']:.2f} points",
                    *(percent(row[key]) for key in (*shown, *normal)),
                ]
                for row in result["rows"]
            ),
        ),
    )


def prevalence(result: Result) -> str:
    """Every design of the estimate without an audit."""
    return section(
        result,
        table(
            "parts | labelled bad, good | defect rate | model | held | width | refused",
            (
                [
                    f"{row['parts']:,}",
                    f"{row['labelled_bad']}, {row['labelled_good']}",
                    percent(row["rate"]),
                    row["model"],
                    "–" if row["coverage"] is None else percent(row["coverage"]),
                    "–" if row["width"] is None else f"{100 * row['width']:.1f} points",
                    percent(row["refused"]),
                ]
                for row in result["rows"]
            ),
        ),
    )


def run_length(result: Result) -> str:
    """Every chart and rule set."""
    return section(
        result,
        table(
            "chart | rate | parts a subgroup | σ_z | rule set | rules | points to a false alarm | "
            "in parts | rule 1 alone",
            (
                [
                    _CHARTS[row["chart"]],
                    percent(row["rate"]),
                    f"{row['parts']:,}" if row["chart"] != "g" else "–",
                    f"{row['sigma_z']:.0f}",
                    row["set"],
                    row["rules"].replace("_", " "),
                    f"{row['run_length']:.0f} ± {1.96 * row['standard_error']:.0f}",
                    f"{row['in_parts']:,.0f}",
                    f"{row['rule_1_alone']:.0f}",
                ]
                for row in result["rows"]
            ),
        ),
    )
