"""A product with too many classes for a form: the rest of its page works all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from console.access.visitor import COOKIE
from db.session import engine_for
from linewatch.settings import Settings
from tests.support.console import console_app, served, token_for
from tests.support.review import PRODUCT, a_product

pytestmark = pytest.mark.browser


def test_pictures_are_handed_over(
    sqlite_url: str, tmp_path: Path, make_settings: Callable[..., Settings], page: Any
) -> None:
    uploads = tmp_path / "uploads"
    settings = make_settings(image_roots=[uploads], upload_dir=uploads)
    engine = engine_for(sqlite_url)
    codes = [{"code": f"class-{number}"} for number in range(300)]
    a_product(engine, classes=[{"code": "ok", "good": True}, *codes])
    picture = tmp_path / "one.png"
    Image.new("RGB", (40, 30), "grey").save(picture)
    app = console_app(engine, settings=settings)
    with served(app) as address:
        token = token_for(engine, "engineer")
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        page.goto(f"{address}/products/{PRODUCT}")
        page.locator("#too-many").wait_for()
        page.locator("#files").set_input_files(picture)
        page.locator("#sent", has_text="1/1").wait_for()
        page.goto("about:blank")
    app.state.intake.close()
    assert len([one for one in uploads.rglob("*") if one.is_file()]) == 1
