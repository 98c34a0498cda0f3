"""Real Chromium on a real console. Any complaint of the browser fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import chromium_browser

VENDOR = Path(__file__).with_name("vendor")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser; skips where Playwright or Chromium is missing.

    A module's, not the session's: while it is open Playwright's event loop counts as running, and
    no other test could run one of its own.
    """
    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page whose console errors, script errors and failed requests fail the test at its end.

    A test that provokes a refusal says so: `page.expected.add(409)`.
    """
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(90_000)  # ms: a busy machine may take its time
    page = context.new_page()
    watch(page)
    yield page
    complaints = [text for text in page.complaints if not _expected(page, text)]
    context.close()
    assert not complaints


def watch(page: Any) -> None:
    """Note what the browser complains of."""
    page.complaints, page.expected = [], set()
    page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("requestfailed", lambda asked: page.complaints.append(_failure(asked)))


def with_scripts(page: Any) -> None:
    """Wait for the scripts of a page that a click led to: what is shown comes before them.

    `page.goto` waits for them by itself, and keys are kept for them (`test_early_keys.py`).
    """
    page.wait_for_load_state("domcontentloaded")


def _failure(asked: Any) -> str:
    return f"{asked.method} {asked.url} failed: {asked.failure}"


def _expected(page: Any, text: str) -> bool:
    return any(f"status of {status}" in text for status in page.expected) or (
        # a stream or a page that the browser itself left
        "net::ERR_ABORTED" in text
    )


def serious(page: Any) -> list[str]:
    """What axe finds that is serious or critical, colour contrast included."""
    page.evaluate((VENDOR / "axe-4.14.1.min.js").read_text())
    found = page.evaluate("axe.run()")
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
