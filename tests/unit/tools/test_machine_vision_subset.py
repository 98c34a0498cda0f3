"""The subset of OPC 40100-1 that comes along is what the tool makes of the standard's NodeSet."""

from __future__ import annotations

from pathlib import Path

from outputs.drivers.opcua_objects import SUBSET, check_nodeset
from tests.support.opcua import nodeset
from tools.machine_vision_subset import main


def test_the_subset_is_what_the_tool_makes(tmp_path: Path) -> None:
    """And it is far smaller, with the licence of the whole."""
    made = tmp_path / "subset.xml"
    main(nodeset(), made)
    assert made.read_text("utf-8") == SUBSET.read_text("utf-8")
    assert "MIT License" in SUBSET.read_text("utf-8")
    check_nodeset(made)
    assert made.stat().st_size < nodeset().stat().st_size / 10
