"""Flower, as a person sees it: real processes, a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linewatch.demo.run import flower_tasks
from linewatch.plant import flower_answers
from linewatch.services import free_port, python_command
from tests.acceptance.live import PATIENCE, Live, ids_of, message, on_one_database
from tests.support.browser import chromium_page

pytestmark = on_one_database


@pytest.fixture(scope="module")
def flower(shared_plant: Live) -> str:
    """Flower's address, with messages of two sizes behind it."""
    port = free_port()
    shared_plant.group.start("flower", python_command("linewatch", "flower", "--port", str(port)))
    url = f"http://127.0.0.1:{port}"
    shared_plant.group.wait_until("flower", lambda: flower_answers(url), 60 * PATIENCE)
    return url


def test_flower_sees_every_message_succeed(shared_plant: Live, flower: str) -> None:
    before = flower_tasks(flower) or 0
    payloads = [message(shared_plant.picture()) for _ in range(200)]
    for payload in payloads:
        shared_plant.enqueue(payload)
    shared_plant.wait_for([id_ for payload in payloads for id_ in ids_of(payload)])
    shared_plant.until(
        lambda: (flower_tasks(flower) or 0) - before == 200, 20, "200 successes in Flower"
    )


@pytest.fixture
def page() -> Iterator[Any]:
    with chromium_page() as opened:
        yield opened


@pytest.mark.browser
def test_a_task_shows_its_line_camera_and_number_of_pictures(
    shared_plant: Live, flower: str, page: Any, tmp_path: Path
) -> None:
    with shared_plant.camera(line="press-7", camera="cam-3") as camera:
        camera.submit_many([shared_plant.picture() for _ in range(5)])
        assert camera.wait(timeout=60 * PATIENCE)
    page.goto(f"{flower}/tasks")
    row = page.get_by_text("press-7 · cam-3 · 5 × widget")
    row.first.wait_for(timeout=60_000)

    def answered() -> bool:
        # Verdicts reach the camera before the event of the task's end reaches Flower, whose page
        # shows the state of the moment in which it was loaded.
        page.reload()
        row.first.wait_for(timeout=60_000)
        return "5 review" in page.content()

    shared_plant.until(answered, 60, "the task's outcome on Flower's page")
    page.screenshot(path=str(tmp_path / "flower.png"))
