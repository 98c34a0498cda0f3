"""A list that is empty is still a table to the program that reads it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from db import products
from db.session import engine_for
from linewatch.cli import cli
from linewatch.products import parse_product
from linewatch.settings import Settings
from tests.support.committed import committed

LISTS = (
    ("alerts", "list"),
    ("audit-sample", "list"),
    ("challenge", "show"),
    ("chart", "baselines"),
    ("chart", "signals"),
    ("dead-letters", "list"),
    ("golden", "list"),
    ("labels", "decisions", "cable"),
    ("labels", "disagreements", "cable"),
    ("labels", "history", "cable"),
    ("labels", "list", "cable"),
    ("lines", "list"),
    ("models", "decisions"),
    ("models", "list"),
    ("models", "runs", "cable"),
    ("outputs", "list"),
    ("users", "list"),
)


def asked(command: tuple[str, ...], format_: str) -> str:
    result = CliRunner().invoke(cli, [*command, "--format", format_])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


@pytest.fixture
def plant(make_settings: Callable[..., Settings], sqlite_url: str) -> None:
    make_settings()
    classes = [{"code": "good", "good": True}, {"code": "bent"}]
    spec = parse_product({"product": "cable", "classes": classes}, source="test")
    committed(engine_for(sqlite_url), products.register, spec)


@pytest.mark.usefixtures("plant")
@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_an_empty_list_has_its_header(command: tuple[str, ...]) -> None:
    assert json.loads(asked(command, "json")) == []
    (header,) = csv.reader(io.StringIO(asked(command, "csv")))
    assert len(header) >= 3
    assert len(set(header)) == len(header)
    assert all(name == name.strip() and name for name in header)


@pytest.mark.usefixtures("plant")
def test_a_purge_writes_nothing_beside_its_list() -> None:
    command = ("purge", "--dry-run")
    first = json.loads(asked(command, "json"))[0]
    assert next(csv.DictReader(io.StringIO(asked(command, "csv")))).keys() == first.keys()
