"""docs/line.md: what it shows runs, and what it lists is what there is."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine

from linewatch.services import free_port
from outputs.dispatcher import Dispatcher
from outputs.drivers.opcua_objects import VARIABLES
from outputs.file import parse_outputs
from outputs.register_map import ACKNOWLEDGE, PART, STATUS_BITS, needed
from outputs.signals import ErrorCode
from producer.contract import Verdict
from tests.support.outbox import committed, now_record
from tests.support.waiting import until
from tools.handshake_picture import picture

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "line.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of a language, as far left as they go."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", TEXT, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for _, block in found]


def outputs_file(kind: str, port: int, folder: Path) -> Any:
    """The page's file of outputs that tells such a receiver on this machine; its paths in `folder`.

    Without its deadline: a busy machine would miss it, and the good part were ejected as well.
    """
    for block in blocks("yaml"):
        data = yaml.safe_load(block)
        data["lines"]["line-1"].pop("deadline_s", None)
        for receiver in data["lines"]["line-1"]["receivers"]:
            if receiver["kind"] == kind and receiver["address"] == "127.0.0.1":
                receiver["port"] = port
                for name in ("certificate", "private_key", "trusted", "password_file"):
                    if name in receiver:
                        receiver[name] = str(folder / receiver[name])
                return parse_outputs(data, "docs/line.md")
    raise AssertionError(f"the page shows no {kind}")


@contextmanager
def simulated_plc(*arguments: str, folder: Path) -> Iterator[list[str]]:
    """The page's PLC as a program; what it prints."""
    command = [sys.executable, str(ROOT / "examples" / "plc_ejects.py"), *arguments]
    program = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    printed: list[str] = []
    assert program.stdout is not None
    reader = threading.Thread(target=printed.extend, args=(map(str.strip, program.stdout),))
    reader.start()
    try:
        yield printed
    finally:
        program.terminate()
        program.wait(10)
        reader.join(10)
        program.stdout.close()


def a_part_is_ejected(engine: Engine, file: Any, printed: list[str]) -> None:
    """Commit a bad and a good part of the line, and wait for the PLC to eject the bad one."""
    dispatcher = Dispatcher(engine, file)
    dispatcher.start()
    try:
        bad = {"verdict": Verdict.DEFECT, "defect_class": "bent_wire"}
        committed(engine, now_record(line="line-1", part="SN-000016", verdict=Verdict.PASS))
        committed(engine, now_record(line="line-1", part="SN-000017", **bad))
        until(lambda: "ejected SN-000017" in printed, timeout_s=60)
        assert printed == ["ejected SN-000017"]
    finally:
        dispatcher.stop()


one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@one_database
def test_the_page_goes_from_nothing_to_an_ejected_part(engine: Engine, tmp_path: Path) -> None:
    """By Modbus: its file, its PLC, two parts of the database."""
    port = free_port()
    (command,) = [block for block in blocks("sh") if "plc_ejects.py modbus" in block]
    kind, host, _ = command.split()[2:]
    with simulated_plc(kind, host, str(port), folder=tmp_path) as printed:
        a_part_is_ejected(engine, outputs_file("modbus", port, tmp_path), printed)


@pytest.mark.slow
@one_database
def test_and_by_opc_ua_with_the_certificates_it_makes(engine: Engine, tmp_path: Path) -> None:
    """Its openssl commands, its file, its PLC."""
    port = free_port()
    (make,) = [block for block in blocks("sh") if "openssl" in block]
    subprocess.run(make, shell=True, check=True, cwd=tmp_path, capture_output=True)
    (command,) = [block for block in blocks("sh") if "plc_ejects.py opcua" in block]
    arguments = command.replace("\\\n", " ").replace("4840", str(port)).split()[2:]
    file = outputs_file("opcua", port, tmp_path)
    with simulated_plc(*arguments, folder=tmp_path) as printed:
        a_part_is_ejected(engine, file, printed)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_each_file_of_outputs_can_be_read(block: str) -> None:
    """No key is unknown, no map too small."""
    parse_outputs(yaml.safe_load(block), "docs/line.md")


def test_the_plcs_program_is_that_of_the_example() -> None:
    """Word by word."""
    (shown,) = [block for block in blocks("python") if "results_ready" in block]
    source = (ROOT / "examples" / "plc_ejects.py").read_text("utf-8")
    assert textwrap.indent(shown, " " * 8) in source


def test_the_picture_is_what_the_handshake_does() -> None:
    """`python -m tools.handshake_picture docs/plots/handshake.svg` draws it anew."""
    assert (ROOT / "docs" / "plots" / "handshake.svg").read_text("utf-8") == picture()


def test_the_tables_list_what_there_is() -> None:
    """Registers, bits, errors, variables."""
    rows = [[cell.strip() for cell in row.split("|")] for row in TEXT.splitlines() if "|" in row]
    names = {code.name for code in ErrorCode}
    errors = {(int(row[1]), row[2].strip("`")) for row in rows if row[2].strip("`") in names}
    assert errors == {(code.value, code.name) for code in ErrorCode}
    (status,) = [row[3] for row in rows if row[2] == "status"]
    said = [name.lower().replace(" ", "_") for name in re.findall(r"\d ([A-Z][A-Za-z ]*)", status)]
    assert said == list(STATUS_BITS)
    assert [row[1] for row in rows if row[2] == "Acknowledge"] == [str(ACKNOWLEDGE)]
    assert [row[1] for row in rows if row[2] == "part"] == [f"{PART} to {needed(32) - 1}"]
    listed = {
        name: row[2]
        for row in rows
        if row[2] in ("Boolean", "UInt16", "UInt32", "String")
        for name in re.findall(r"`(\w+)`", row[1])
    }
    there = {name: kind.name for name, (_, kind) in VARIABLES.items()}
    assert listed == {**there, "Acknowledge": "Boolean"}
