"""The published JSON Schema is the contract's, and says no to what the contract refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

import producer.contract
from linewatch.commands import schema

PUBLISHED = Path(producer.contract.__file__).with_name("inspect-v1.schema.json")


def test_published_file_is_current() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema.as_text(), (
        f"run: linewatch schema > {PUBLISHED}"
    )


def test_command_prints_it() -> None:
    result = CliRunner().invoke(schema.command)
    assert json.loads(result.output) == schema.schemas()


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"images": []}, {"product": ""}, {"unknown": 1}, {"producer": "a/b"}],
)
def test_schema_refuses(change: dict[str, object]) -> None:
    message = {
        "version": 1,
        "product": "cable",
        "line": "line-1",
        "enqueued_at": "2026-01-01T00:00:00Z",
        "images": [
            {
                "id": "0197b3a0-0000-7000-8000-000000000000",
                "uri": "/a.png",
                "camera": "c",
                "captured_at": "2026-01-01T00:00:00Z",
            }
        ],
    }
    validator = Draft202012Validator(schema.schemas())
    assert validator.is_valid(message)
    assert not validator.is_valid({**message, **change})
