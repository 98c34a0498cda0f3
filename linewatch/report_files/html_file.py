"""A report as one page: no script, nothing from elsewhere, fit to be printed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from db.reports.report import Report, plain, shown_range
from linewatch.plain_text import visible
from linewatch.report_files.cells import words
from linewatch.report_files.charts import Chart, charts_of
from linewatch.report_files.columns import Kind, kind_of
from linewatch.report_files.made import Made

_WIDE, _WIDEST = 9, 13  # columns that no longer fit an upright page, and such a page lying
# A page that holds what others wrote runs nothing and asks nobody, whatever slipped in.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
@page { size: A4 %s; margin: 15mm; }
body { font: 10pt/1.4 sans-serif; color: #1f2933; max-width: 270mm; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 16pt; margin: 0; }
table { border-collapse: collapse; width: 100%%; font-size: %s; }
thead { display: table-header-group; }
tr, figure { break-inside: avoid; }
th, td { padding: 2px 5px; border-bottom: 1px solid #d5dbe1; text-align: left;
  vertical-align: top; }
td.text { overflow-wrap: anywhere; min-width: 5em; }
td.figure, td.time { white-space: nowrap; }
th { border-bottom: 2px solid #1f2933; }
.figure { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1em 0; }
figcaption, footer { font-size: 8.5pt; color: #52606d; }
@media print { body { margin: 0; padding: 0; max-width: none; } }
"""


def html_text(report: Report, made: Made) -> str:
    """The page. All that is in the report is escaped, and what cannot be seen is written out."""
    columns = len(report.columns)
    side = "landscape" if columns > _WIDE else "portrait"
    size = "7pt" if columns > _WIDEST else "8.5pt"
    body = "\n".join(_body(report, made))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_safe(report.title)}</title>\n<style>{_STYLE % (side, size)}</style>\n"
        f"</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _body(report: Report, made: Made) -> Iterable[str]:
    yield f"<h1>{_safe(report.title)}</h1>"
    yield f"<p>{_safe(shown_range(report.since, report.until))}</p>"
    yield from map(_figure, charts_of(report))
    if report.rows:
        yield from _table(report)
    else:
        yield f"<p>{_safe(report.empty)}</p>"
    if report.notes:
        yield f"<ul>{''.join(f'<li>{_safe(note)}</li>' for note in report.notes)}</ul>"
    yield (
        f"<footer>{_safe(report.name)} · made {made.at:%Y-%m-%d %H:%M} "
        f"({_safe(made.timezone)}) by Linewatch {_safe(made.version)}</footer>"
    )


def _figure(chart: Chart) -> str:
    return f"<figure>{chart.svg}<figcaption>{_safe(chart.caption)}</figcaption></figure>"


def _table(report: Report) -> Iterable[str]:
    kinds = {name: _kind(report, name) for name in report.columns}
    names = "".join(
        f'<th class="{kind}">{_safe(name.replace("_", " "))}</th>' for name, kind in kinds.items()
    )
    yield f"<table>\n<thead><tr>{names}</tr></thead>\n<tbody>"
    for row in report.rows:
        cells = ((name, words(name, plain(cell))) for name, cell in row.items())
        shown = (f'<td class="{kinds[name]}">{_safe(text)}</td>' for name, text in cells)
        yield f"<tr>{''.join(shown)}</tr>"
    yield "</tbody>\n</table>"


def _kind(report: Report, name: str) -> str:
    """The class of a column's cells, in the style's words."""
    kind = kind_of(name, (row[name] for row in report.rows))
    if kind in (Kind.COUNT, Kind.NUMBER, Kind.SHARE):
        return "figure"
    return "time" if kind in (Kind.DATE, Kind.INSTANT) else "text"


def _safe(text: str) -> str:
    return escape(visible(text))
