"""`linewatch schema`: the message contract for people who do not write Python."""

from __future__ import annotations

import json
from typing import Any

import click

from producer.contract import InspectMessage, Receipt

EXACT_REASON = "The reason, where `reason` can only come near it."


def schemas() -> dict[str, Any]:
    """Version 1 of the message; the receipt stands under `$defs`."""
    message = InspectMessage.model_json_schema(mode="validation")
    receipt = Receipt.model_json_schema(by_alias=False, mode="validation")
    fields = receipt["properties"]
    receipt["properties"] = {  # as `Receipt.written` writes it
        **{name: fields[name] for name in list(fields)[: list(fields).index("reason") + 1]},
        "exact_reason": {**fields["reason"], "description": EXACT_REASON},
        **fields,
    }
    definitions = {**message.pop("$defs"), **receipt.pop("$defs"), "Receipt": receipt}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:linewatch:inspect:v1",
        **message,
        "$defs": dict(sorted(definitions.items())),
    }


def as_text() -> str:
    """The text of `producer/contract/inspect-v1.schema.json`."""
    return json.dumps(schemas(), indent=2, ensure_ascii=False) + "\n"


@click.command()
def command() -> None:
    """Print the message contract as JSON Schema (2020-12); receipts stand under $defs."""
    click.echo(as_text(), nl=False)
