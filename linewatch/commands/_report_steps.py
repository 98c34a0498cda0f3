"""Tables that are too long to read, as options say them."""

from __future__ import annotations


def refuse_long_table(
    by: tuple[str, ...] | str | None, since: str | None, until: str | None, *, of_pictures: bool
) -> None:
    """Refuse a table of more hours or quarter hours than a person reads.

    Args:
        by: what is grouped by.
        since: as it was given; None: from the first that is counted.
        until: as it was given; None: up to now.
        of_pictures: else of parts.

    Raises:
        ReportError: says what to do; or a time is none.
    """
    if not by or not {"hour", "quarter"} & set([by] if isinstance(by, str) else by):
        return
    from db.reports import long_tables
    from linewatch.commands._report_options import database, instants

    first, last = instants(since, until)
    long_tables.refuse_long_table(database()[0], by, first, last, of_pictures=of_pictures)
