"""Where all is installed (LINEWATCH_TEST_COMPLETE, set by .ci/run), some skips are failures.

A pytest plugin: a browser or line test that is skipped for want of a program would go unnoticed.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

MARKS = ("browser", "line")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    marked = [mark for mark in MARKS if item.get_closest_marker(mark)]
    if report.skipped and marked and os.environ.get("LINEWATCH_TEST_COMPLETE"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"a {marked[0]} test may not be skipped here: {why}"
    return report
