"""`linewatch init`, as typed."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from linewatch.cli import cli

ROOT = Path(__file__).parents[2]
CABLE = ROOT / "products" / "cable.yaml"


def init(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(cli, ["init", str(folder), *arguments])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.output


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
