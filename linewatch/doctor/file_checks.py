"""Whether the files that settings name can be read: what is wrong is known before it is needed."""

from __future__ import annotations

from collections.abc import Iterator

from linewatch.doctor.findings import Finding, State
from linewatch.errors import LinewatchError
from linewatch.settings import Settings


def alerts_file(settings: Settings) -> Iterator[Finding]:
    """Of LINEWATCH_ALERTS_FILE: its rules, and its addresses where these settings know any."""
    from linewatch.alerting.file import alerts_of, load

    if settings.alerts_file is None:
        return
    try:
        file = alerts_of(settings) if settings.alert_urls else load(settings.alerts_file)
    except LinewatchError as error:
        yield Finding("alerts file", State.FAIL, str(error))
        return
    if file.channels:
        yield Finding("alerts file", State.OK, f"tells {', '.join(file.channels)}")
    else:
        advice = f"{settings.alerts_file} has no channel, so nobody is told of an alert"
        yield Finding("alerts file", State.WARN, advice)


def outputs_file(settings: Settings) -> Iterator[Finding]:
    """Of LINEWATCH_OUTPUTS_FILE: the receivers of each line."""
    from outputs.file import load_outputs

    if settings.outputs_file is None:
        return
    if not settings.outputs_file.exists():  # as in Compose, where the file's place is always named
        advice = f"there is no {settings.outputs_file}, so no line is told a verdict"
        yield Finding("outputs file", State.WARN, advice)
        return
    try:
        lines = load_outputs(settings.outputs_file).lines
    except LinewatchError as error:
        yield Finding("outputs file", State.FAIL, str(error))
        return
    yield Finding("outputs file", State.OK, f"receivers of {len(lines)} lines")
