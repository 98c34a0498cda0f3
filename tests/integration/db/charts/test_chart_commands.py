"""`linewatch chart`, as typed; and by the users of each role."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, timedelta

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from db.charts.watch import watch
from db.session import engine_for
from linewatch.cli import cli
from linewatch.errors import LinewatchError
from linewatch.settings import Settings
from tests.support.charts import MONDAY, SHIFT, STEADY, a_product, after, steady, store_all
from tests.support.database_users import database_users

END = f"{MONDAY + len(STEADY) * SHIFT:%Y-%m-%dT%H:%M}"


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["chart", *arguments])


def refused(*arguments: str) -> str:
    found = typed(*arguments)
    assert isinstance(found.exception, LinewatchError), found.output
    return str(found.exception)


@pytest.fixture
def settings(make_settings: Callable[..., Settings], database_url: str) -> Settings:
    return make_settings(database_url=database_url, plant_timezone="UTC")


def test_from_the_baseline_to_what_was_done(settings: Settings, engine: Engine) -> None:
    a_product(engine, "bent")
    store_all(engine, [*steady(), *steady((30, 11), first=20)])
    done = typed("freeze", "cable", "--to", END, "--why", "a good week", "--by-whom", "ann")
    assert done.exit_code == 0, done.exception
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "baseline 1 of cable, all lines, by shift: 20 subgroups, 2000 parts, 10.00% nonconforming"
    )
    assert lines[2] == "limits for subgroups of 100 parts: 1.0% to 19.0%, centre 10.0%"
    assert lines[-1].startswith("while nothing changes, a false alarm comes every ")
    assert "ann" in typed("baselines", "--product", "cable", "--format", "csv").stdout
    watch(engine, UTC, after(22))

    plot = typed("show", "cable").stdout.splitlines()
    assert plot[0] == "p chart of cable, all lines, by shift: share nonconforming"
    assert "X 1: 2026-02-08 night: 30.0%, a point beyond 3 sigma" in plot
    assert "limits of the baseline that ann froze on" in plot[-1]
    (row, other) = json.loads(typed("show", "cable", "--format", "json").stdout)
    assert {name: row[name] for name in ("subgroup", "parts", "nonconforming", "value")} == {
        "subgroup": "2026-02-08 night",
        "parts": 100,
        "nonconforming": 30,
        "value": 0.3,
    }
    assert (row["upper"], row["signals"], row["raised"]) == (
        pytest.approx(0.19),
        "beyond_3",
        "beyond_3",
    )
    assert (other["signals"], other["starts"]) == ("", "2026-02-09T06:00+00:00")
    whole = typed("show", "cable", "--since", "2026-02-02T06:00", "--format", "csv").stdout
    assert len(whole.splitlines()) == 23

    (open_,) = json.loads(typed("signals", "--open", "--format", "json").stdout)
    done = typed("react", str(open_["signal"]), "new blade", "--by-whom", "bob")
    assert done.stdout == f"signal {open_['signal']}: kept what bob did; its alert is over\n"
    assert typed("signals", "--open").stdout == "no signal is open\n"
    (kept,) = json.loads(typed("signals", "--format", "json").stdout)
    assert (kept["did"], kept["seen_to_by"], kept["reactions"]) == ("new blade", "bob", 1)


def test_what_cannot_be_is_one_sentence(settings: Settings, engine: Engine) -> None:
    assert refused("show", "cable") == "no product is called 'cable'; there is none yet"
    assert "no product is called 'cable'" in refused("freeze", "cable", "--why", "x")
    a_product(engine, "bent")
    assert typed("show", "cable").stdout.splitlines() == [
        "p chart of cable, all lines, by shift: share nonconforming",
        "no subgroup is over in this time",
    ]
    store_all(engine, steady(STEADY[:2]))
    assert "needs at least 20 subgroups; there are 2" in refused(
        "freeze", "cable", "--why", "a good week"
    )
    assert "2 subgroups say too little for limits" in typed("show", "cable").stdout
    assert "did you mean 'cable'" in refused("show", "cabel")
    assert "say --by n with --n" in refused("show", "cable", "--by", "n")
    assert "say --by n with --n" in refused("show", "cable", "--by", "hour", "--n", "5")
    assert "say --by n with --n" in refused("show", "cable", "--n", "-5")
    assert "ends before it begins" in refused(
        "show", "cable", "--since", "2026-02-03", "--until", "2026-02-02"
    )
    for number in ("7", "-7", "99999999999999999999"):
        assert f"no signal has the number {number}" in refused("react", "--", number, "x")
    assert "'ok' is the good class" in refused("show", "cable", "--class", "ok")
    for listed in ("signals", "baselines"):
        assert "did you mean 'cable'" in refused(listed, "--product", "cabel")
    assert typed("baselines").stdout.startswith("no baseline was frozen yet")


@pytest.mark.parametrize("settings_of", ["console", "maintenance", "reports"])
def test_each_role_does_its_part(
    make_settings: Callable[..., Settings], postgresql_url: str, settings_of: str
) -> None:
    owner = engine_for(postgresql_url)
    a_product(owner, "bent")
    store_all(owner, [*steady(), *steady((30,), first=20)])
    freeze = ("freeze", "cable", "--to", END, "--why", "a good week")
    with database_users(postgresql_url) as users:
        engine = users.engine(settings_of)
        make_settings(database_url=users.url(settings_of), plant_timezone="UTC")
        if settings_of == "console":
            assert typed(*freeze).exit_code == 0
            assert watch(owner, UTC, after(21))
            assert typed("react", "1", "new blade").exit_code == 0
        else:
            assert f"refuses this to its user {users.name(settings_of)}: " in refused(*freeze)
            make_settings(database_url=postgresql_url, plant_timezone="UTC")
            assert typed(*freeze).exit_code == 0
            make_settings(database_url=users.url(settings_of), plant_timezone="UTC")
        if settings_of == "maintenance":
            assert len(watch(engine, UTC, after(21) + timedelta(days=1))) == 1
        if settings_of == "reports":
            watch(owner, UTC, after(21))
            assert "permission denied for table chart_reactions" in refused("react", "1", "x")
        for show in (("show", "cable"), ("signals",), ("baselines",)):
            if settings_of != "maintenance":
                assert typed(*show).exit_code == 0, show
