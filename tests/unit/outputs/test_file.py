"""The file of outputs: what may stand in it, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from linewatch.errors import ConfigurationError
from outputs.file import KINDS, OutputsFile, load_outputs, parse_outputs


def a_file(receiver: dict[str, Any] | None = None, **line: Any) -> dict[str, Any]:
    mqtt = {"name": "gate", "kind": "mqtt", "host": "broker"}
    return {"version": 1, "lines": {"L1": {**line, "receivers": [receiver or mqtt]}}}


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "outputs.yaml"
    path.write_text(
        "version: 1\nsite: north\nlines:\n  L1:\n    area: hall 2\n    deadline_s: 1.5\n"
        "    receivers:\n      - {name: gate, kind: mqtt, host: broker}\n"
        "      - {name: files, kind: drop, folder: /srv/files, level: picture}\n"
    )
    found = load_outputs(path)
    assert found.place("L1").area == "hall 2"
    assert [(one.name, one.level) for one in found.lines["L1"].receivers] == [
        ("gate", "part"),
        ("files", "picture"),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "file"),
        ({"lines": {}}, "lines"),
        ({**a_file(), "sit": "north"}, "'sit' (is 'site' meant?)"),
        (a_file(dead_line_s=1), "'lines.L1.dead_line_s' (is 'deadline_s' meant?)"),
        (a_file({"name": "a", "kind": "mqtt", "host": "b", "tlss": True}), "is 'tls' meant?"),
        (a_file({"name": "a", "kind": "mqqt", "host": "b"}), "'mqqt'"),
        (a_file({"name": "a", "host": "b"}), "kind"),
        (a_file({"name": "a b", "kind": "mqtt", "host": "b"}), "name"),
        (a_file(deadline_s=0), "deadline_s"),
        (a_file({"name": "a", "kind": "mqtt", "host": "b", "topic": "x/#"}), "no +, #"),
        (a_file({"name": "a", "kind": "mqtt", "host": "b", "topic": "{lin}"}), "{site}, {area}"),
        (
            a_file({"name": "a", "kind": "mqtt", "host": "b", "tls": False, "ca_file": "/ca"}),
            "need tls: true",
        ),
        (
            a_file({"name": "a", "kind": "webhook", "url": "http://mes/x", "secret_file": "/s"}),
            "must be https://",
        ),
        (
            a_file({"name": "a", "kind": "webhook", "url": "https://u:p@mes", "secret_file": "s"}),
            "user or password",
        ),
        (a_file({"name": "a", "kind": "drop", "folder": "files"}), "absolute"),
    ],
)
def test_what_is_wrong_is_named(data: object, words: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_outputs(data, "outputs.yaml")
    assert words in str(error.value)
    assert str(error.value).startswith("outputs.yaml: ")


def a_drop(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "kind": "drop", "folder": "/srv", **fields}


def test_names_of_a_line_are_its_own() -> None:
    twice = {"name": "gate", "kind": "drop", "folder": "/srv"}
    data = {"lines": {"L1": {"receivers": [twice, twice]}}}
    with pytest.raises(ConfigurationError, match="listed twice: gate"):
        parse_outputs(data, "outputs.yaml")


@pytest.mark.parametrize(
    "lines",
    [
        {"L 1": [a_drop("a")], "L_1": [a_drop("a")]},
        {"L1": [a_drop("parts"), a_drop("pictures", level="picture", folder="/srv/./")]},
    ],
)
def test_files_that_would_replace_each_other_are_refused(lines: dict[str, Any]) -> None:
    data = {"lines": {line: {"receivers": receivers} for line, receivers in lines.items()}}
    with pytest.raises(ConfigurationError, match=r"would replace those of L.* in /srv: give each"):
        parse_outputs(data, "outputs.yaml")


def test_lines_may_share_a_folder_and_formats_too() -> None:
    both = [a_drop("json"), a_drop("csv", format="csv")]
    parse_outputs({"lines": {line: {"receivers": both} for line in ("L1", "L2")}}, "outputs.yaml")


def test_a_missing_file_and_one_that_is_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load_outputs(tmp_path / "outputs.yaml")
    (tmp_path / "outputs.yaml").write_text("lines: [")
    with pytest.raises(ConfigurationError, match=r"outputs\.yaml: "):
        load_outputs(tmp_path / "outputs.yaml")


def test_every_kind_can_be_configured_and_opened() -> None:
    from outputs.kinds import _DRIVERS

    schema = OutputsFile.model_json_schema()
    named = {
        definition["properties"]["kind"]["const"]
        for definition in schema["$defs"].values()
        if "const" in definition.get("properties", {}).get("kind", {})
    }
    assert named == KINDS.keys()
    assert named <= _DRIVERS.keys()
