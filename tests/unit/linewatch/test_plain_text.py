"""What others wrote is seen in logs and terminals, and does nothing there."""

from __future__ import annotations

import io
import json
import logging

import pytest

from linewatch.commands._output import say, write_rows
from linewatch.plain_text import PlainLogRecord, visible, visible_json

# ESC, a C1 CSI, DEL, bidi overrides and isolates, separators of lines, a BOM, a lone surrogate
HOSTILE = (
    "\x1b[2J",
    "\x9b31m",
    "\x7f",
    "\r",
    "\n",
    "\v",
    "\x85",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u200f",
    "\ufeff",
    "\ud800",
    "\0",
    "\U000e0041",
)
SEEN = "Größe 5 €, 部品-1, 1\u00a0000"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_nothing_that_acts_is_left(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(text).startswith("\\")
    assert visible(f"a{text}b") == f"a{visible(text)}b"
    for format_ in ("table", "csv", "json"):
        stream = Terminal() if format_ == "csv" else io.StringIO()  # rich colours a terminal
        rows = [{"part": f"a{text}b", "line": text}]
        columns = ("part", "line")
        write_rows(rows, format_, columns=columns, title="t", empty="e", stream=stream)
        assert stream.getvalue().replace("\n", "").isprintable(), format_
        if format_ == "json":
            assert json.loads(stream.getvalue()) == rows
            assert len(stream.getvalue().splitlines()) == 6


def test_csv_for_programs_keeps_its_lines_and_nothing_else_that_acts() -> None:
    stream = io.StringIO()
    rows = [{"lot": "a\tb\r\nc\x1b[2J\u202e"}]
    write_rows(rows, "csv", columns=("lot",), title="t", empty="e", stream=stream)
    assert stream.getvalue() == 'lot\n"a\tb\r\nc\\x1b[2J\\u202e"\n'


def test_what_can_be_seen_is_left_as_it_is() -> None:
    assert visible(SEEN) == SEEN
    assert visible("a\tb\n", keep="\t\n") == "a\tb\n"
    assert visible_json({"a": SEEN}) == json.dumps({"a": SEEN}, indent=2, ensure_ascii=False)


def test_a_line_that_is_said_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("detail\nlinewatch: all is well\x1b[2K")
    assert capsys.readouterr().out == "detail\\nlinewatch: all is well\\x1b[2K\n"


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_an_entry_of_the_log_cannot_begin_another(text: str) -> None:
    stream = io.StringIO()
    logger = logging.Logger("outsiders")
    logger.addHandler(handler := logging.StreamHandler(stream))
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(PlainLogRecord)
    try:
        logger.error("task %s broke", f"x{text}CRITICAL all is lost")
        try:
            raise ValueError(f"x{text}CRITICAL all is lost")
        except ValueError:
            logger.exception("it raised")
    finally:
        logging.setLogRecordFactory(factory)
    written = stream.getvalue()
    first, *others = written.split("\n")
    assert first == f"ERROR task x{visible(text)}CRITICAL all is lost broke"
    assert written.replace("\n", "").isprintable()
    assert [line for line in others if line and not line.startswith("  ")] == ["ERROR it raised"]
    assert "CRITICAL all is lost" in written.split("it raised")[1]
