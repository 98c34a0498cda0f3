"""Pictures of the console's pages for the docs: `python -m tools.console_pictures ADDRESS LINK`.

Opens every page of a console that runs (`linewatch demo --stay`) in Chromium: light and dark, on a
desktop and on a phone. ADDRESS is the console's, LINK a one-time link of an admin
(`linewatch users link NAME`). A page that complains ends it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click
from playwright.sync_api import sync_playwright

SCREENS = Path(__file__).parents[1] / "docs" / "screens"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
PAGES = {
    "lines": "/",
    "wall": "/wall",
    "review": "/review",
    "parts": "/parts?q=",
    "containment": "/containment",
    "reports": "/reports",
    "defect-rate": "/reports/defect-rate?by=line",
    "pareto": "/reports/pareto",
    "charts": "/charts?by=n&n=20",
    "models": "/models",
    "queue": "/queue",
    "alerts": "/alerts",
    "products": "/products",
    "people": "/people",
    "account": "/account",
}
# A link of a page that leads to one more page.
FOLLOWED = {
    "part": ("/reports/parts", "main tbody a"),
    "model": ("/models", "main tbody a"),
    "product": ("/products", "main a[href^='/products/']"),
}


@click.command()
@click.argument("address")
@click.argument("link")
@click.option("--to", type=click.Path(path_type=Path), default=SCREENS, show_default=True)
def main(address: str, link: str, to: Path) -> None:
    """Take all pictures."""
    to.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context()
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        _picture(page, to, "sign-in", f"{address}/sign-in")
        page.goto(link)
        if page.get_by_role("button").filter(has_text="Sign in").count():
            page.get_by_role("button").filter(has_text="Sign in").first.click()
        addresses = {name: f"{address}{path}" for name, path in PAGES.items()}
        for name, (path, selector) in FOLLOWED.items():
            page.goto(f"{address}{path}")
            target = page.locator(selector).first
            if target.count():
                addresses[name] = f"{address}{target.get_attribute('href')}"
        if "product" in addresses:
            addresses["pick"] = addresses["product"].replace("/products/", "/pick/")
        for name, where in addresses.items():
            _picture(page, to, name, where)
            click.echo(name)
        browser.close()
    if complaints:
        raise click.ClickException("\n".join(complaints))


def _picture(page: Any, to: Path, name: str, where: str) -> None:
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(where, wait_until="load")
            path = to / f"{name}-{size}-{scheme}.jpg"
            page.screenshot(path=path, type="jpeg", quality=72)


if __name__ == "__main__":
    main()
