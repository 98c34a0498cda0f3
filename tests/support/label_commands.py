"""`linewatch labels`, as typed."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result
from sqlalchemy import Engine

from db.labels import decisions
from db.labels import history as label_history
from linewatch.cli import cli
from linewatch.errors import LinewatchError

KINDS = ("good", "bent_wire", "cable_swap")


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["labels", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def rows(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*arguments, "--format", "json"))
    return found


def failed(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["labels", *arguments])
    assert isinstance(result.exception, LinewatchError), repr(result.exception)
    return result


def decisions_and_labels(engine: Engine) -> tuple[int, int]:
    return len(decisions.history(engine, "cable")), len(label_history.history(engine, "cable"))
