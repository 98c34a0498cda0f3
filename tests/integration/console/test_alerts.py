"""The page of alerts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from db import alerts, audit
from db.alerting import notices
from db.session import engine_for
from linewatch.settings import Settings
from tests.support.committed import committed
from tests.support.console import client_of, console_app
from workers.health.line_settings import LATE

XSS = "<script>alert(1)</script>"


@pytest.fixture
def engine(database_url: str, make_settings: Callable[..., Settings]) -> Engine:
    make_settings()
    return engine_for(database_url)


def an_alert(engine: Engine, **fields: Any) -> int:
    usual = {"kind": "drift", "severity": "warning", "line": "L1", "message": XSS}
    return committed(engine, alerts.raise_alert, **{**usual, **fields})


def test_an_inspector_takes_care_and_closes(engine: Engine) -> None:
    number = an_alert(engine)
    app = console_app(engine)
    viewer, ida = client_of(app, "viewer"), client_of(app, "inspector", "ida")
    page = viewer.get("/alerts").text
    assert XSS not in page
    assert "I take care of it" not in page
    take = f"/alerts/{number}/acknowledge"
    assert viewer.post(take).status_code == 403
    assert ida.post(take, data={"note": XSS}).status_code == 303

    late = client_of(app, "inspector", "ned").post(take)
    assert late.status_code == 409
    assert "acknowledged already, by ida" in late.text
    (row,) = viewer.get("/api/v1/alerts").json()["alerts"]
    assert (row["state"], row["acknowledged_by"], row["note"]) == ("acknowledged", "ida", XSS)

    assert ida.post(f"/alerts/{number}/close").status_code == 303
    assert ida.post(f"/alerts/{number}/close").status_code == 409
    assert viewer.get("/api/v1/alerts").json()["alerts"] == []
    (row,) = viewer.get("/api/v1/alerts?state=closed").json()["alerts"]
    assert (row["closed_by"], row["note"]) == ("ida", XSS)
    deeds = [one for one in audit.newest(engine) if one.action.startswith("alert.")]
    assert [(one.actor, one.action, one.detail["old"]) for one in deeds] == [
        ("ida", "alert.close", "acknowledged"),
        ("ida", "alert.acknowledge", "open"),
    ]


def test_alerts_of_a_line_and_older_ones(engine: Engine) -> None:
    numbers = [an_alert(engine, message=f"{n}") for n in range(52)]
    an_alert(engine, line="L2")
    viewer = client_of(console_app(engine), "viewer")
    first = viewer.get("/api/v1/alerts?line=L1").json()
    second = viewer.get(f"/api/v1/alerts?line=L1&after={first['after']}").json()
    listed = [row["alert"] for page in (first, second) for row in page["alerts"]]
    assert listed == numbers[::-1]
    assert viewer.get("/alerts?state=odd").status_code == 400
    assert client_of(console_app(engine), "inspector").post("/alerts/999/close").status_code == 404


def test_who_is_told_is_shown_without_addresses(
    engine: Engine, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text("channels: {day: {to: [boss], quiet: {starts: 22:00, ends: 06:00}}}")
    make_settings(alerts_file=path, alert_urls="boss=mailto://x:secret@mail.example")
    page = client_of(console_app(engine), "viewer").get("/alerts").text
    assert "22:00–06:00" in page
    assert "secret" not in page
    assert "No notifier runs" in page

    path.write_text("channels: {day: {too: [boss]}}")
    page = client_of(console_app(engine), "viewer").get("/alerts").text
    assert "is &#39;to&#39; meant?" in page


def test_the_page_says_alerts_in_the_visitors_language_and_names_as_text(engine: Engine) -> None:
    an_alert(engine, kind="takt", message=LATE.format(line=XSS, budget="0.5"))
    viewer = client_of(console_app(engine), "viewer")
    page = viewer.get("/alerts", headers={"accept-language": "de"}).text
    assert "Urteile kommen später als das Taktbudget von 0.5 s" in page
    assert XSS not in page
    assert "verdicts come later than its takt budget" in viewer.get("/alerts").text
    (row,) = viewer.get("/api/v1/alerts", headers={"accept-language": "de"}).json()["alerts"]
    assert "verdicts come later" in row["message"], "programs read what is stored"


def test_the_links_of_a_kind_keep_to_it_and_who_was_told_is_told_with_the_day(
    engine: Engine,
) -> None:
    number = an_alert(engine)
    keys = [notices.Key(notices.subject_of(number), "shift-lead", "raised")]
    committed(engine, notices.claim, keys, by="test", again_after=timedelta(minutes=1))
    committed(engine, notices.told, keys)
    viewer = client_of(console_app(engine), "viewer")
    page = viewer.get("/alerts?kind=drift&line=L1").text
    links = re.findall(r'href="(/alerts[?]state=\w+&amp;line=L1[^"]*)"[^>]*>\w', page)
    assert len(links) == 6
    assert [one for one in links if "kind=drift" not in one] == [
        "/alerts?state=standing&amp;line=L1"  # of the alert's own line
    ]
    (row,) = viewer.get("/api/v1/alerts").json()["alerts"]
    assert re.fullmatch(r"shift-lead \d{4}-\d\d-\d\d \d\d:\d\d", row["told"])


def test_a_file_without_rows_says_what_its_columns_are(engine: Engine) -> None:
    viewer = client_of(console_app(engine), "viewer")
    (header,) = viewer.get("/api/v1/alerts.csv").text.splitlines()
    assert header.startswith("alert,raised_at,state,severity,kind,")
