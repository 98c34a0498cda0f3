"""README, CONTRIBUTING and docs/ name files, commands, modules and rules that there are."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import click
import pytest

from linewatch.cli import cli
from tests.support.pages import ROOT, Page, all_pages

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PYPROJECT["tool"]["ruff"]["lint"]["isort"]["known-first-party"]
CONTRACTS = [contract["name"] for contract in PYPROJECT["tool"]["importlinter"]["contracts"]]
FOLDERS = [
    *PACKAGES,
    "docs",
    "deploy",
    "examples",
    "tools",
    r"\.ci",
    r"\.github",
    r"\.devcontainer",
]
PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./*-]*")
MODULE = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+(?<!\.py)")
COMMAND = re.compile(r"(?<![\w.-])(?<!from )(?:linewatch|run --rm admin) ([a-z][^|;&>]*)")
# By `make gpu`, on a machine that has one; by whoever has receivers.
MADE_LATER = {"benchmarks/results/gpu.json", "outputs/outputs.yaml"}
# A file of the data folder, the file of outputs, and tasks of Celery.
NO_MODULES = {"linewatch.db", "outputs.yaml", "linewatch.inspect", "linewatch.charts"}

every_page = pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.path)


@every_page
def test_paths_are_there(page: Page) -> None:
    named = {span for span in page.spans if PATH.fullmatch(span)} - MADE_LATER
    named |= {f"docs/{span}" for span in page.spans if re.fullmatch(r"[a-z-]+\.md", span)}
    missing = [path for path in named if not any(ROOT.glob(path.rstrip("/")))]
    assert not missing


@every_page
def test_links_lead_somewhere(page: Page) -> None:
    for link in page.links:
        target, _, anchor = link.partition("#")
        path = ((ROOT / page.path).parent / target).resolve() if target else ROOT / page.path
        assert path.exists(), link
        if anchor:
            assert anchor in Page(path.relative_to(ROOT).as_posix()).anchors, link


@every_page
def test_commands_and_their_options_are_there(page: Page) -> None:
    faults = [fault for line in page.code for fault in command_faults(line)]
    assert not faults


@every_page
def test_modules_are_there(page: Page) -> None:
    dotted = {span.removesuffix("()") for span in page.spans} - NO_MODULES
    missing = [name for name in dotted if MODULE.fullmatch(name) and not is_there(name)]
    ran = {name for line in page.code for name in re.findall(r"python -m ([\w.]+)", line)}
    ours = [name for name in ran if name.split(".")[0] in (*PACKAGES, "tools")]
    assert not missing + [name for name in ours if not (source(name) or source(f"{name}.__main__"))]


@every_page
def test_make_knows_its_targets(page: Page) -> None:
    known = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {t for line in page.code for t in re.findall(r"^make ([\w-]+)", line)} <= known


def test_contributing_lists_the_import_rules() -> None:
    section = Page("CONTRIBUTING.md").text.split("## Import rules", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE) == CONTRACTS


def test_decisions_have_one_form_and_are_listed() -> None:
    listed = [link for link in Page("docs/decisions/README.md").links if link[0].isdigit()]
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert listed == [path.name for path in records]
    for number, path in enumerate(records, start=1):
        headings = re.findall(r"^#+ .*", path.read_text("utf-8"), re.MULTILINE)
        assert headings[0].startswith(f"# {number}. ")
        assert headings[1:] == ["## Context", "## Decision", "## Consequences"], path.name


def test_the_map_names_every_package() -> None:
    table = re.findall(r"^\| `([\w.]+)/?` \|", Page("docs/architecture.md").text, re.MULTILINE)
    installed = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(installed) <= set(table)
    assert [name for name in table if not is_there(name)] == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("linewatch report defect-rate --by line --since 7d | head", None),
        ("from linewatch import Camera", None),
        ("linewatch bench NAME --quick", None),
        (".venv/bin/linewatch reprot pareto", "no command reprot"),
        ("linewatch dead-letters lits", "no command lits"),
        ("cd plant && docker compose run --rm admin docter", "no command docter"),
        ("linewatch report pareto --form=json", "no option --form"),
    ],
)
def test_a_command_that_is_not_there_is_found(line: str, fault: str | None) -> None:
    assert command_faults(line) == ([] if fault is None else [f"{line}: {fault}"])


@pytest.mark.parametrize("name", ["db.nothing", "workers.pipeline.batching", "db.session.nothing"])
def test_a_module_that_is_not_there_is_found(name: str) -> None:
    assert is_there("db.session.transaction")
    assert not is_there(name)


def command_faults(line: str) -> list[str]:
    """What a line of code asks of `linewatch` that it does not have."""
    faults = []
    for found in COMMAND.findall(line):
        words = found.split()
        command: click.Command = cli
        context = click.Context(cli)
        while words and isinstance(command, click.Group):
            if not re.fullmatch(r"[a-z][a-z-]*", words[0].rstrip(",")):
                break  # a placeholder, or words that do not name a command
            below = command.get_command(context, words[0].rstrip(","))
            if below is None:
                faults.append(f"{line}: no command {words[0]}")
                break
            command, words = below, words[1:]
        else:
            known = {opt for p in command.params for opt in (*p.opts, *p.secondary_opts)}
            known |= {"--help", "-h"}
            asked = {word.partition("=")[0].strip("[],") for word in words if word[:2] == "--"}
            faults += [f"{line}: no option {option}" for option in asked - known]
    return faults


def is_there(name: str) -> bool:
    """Whether a dotted name is a module or package of ours, or something that one defines."""
    package, _, rest = name.partition(".")
    module, names = package, rest.split(".") if rest else []
    while names and source(f"{module}.{names[0]}"):
        module, names = f"{module}.{names[0]}", names[1:]
    path = source(module)
    return path is not None and (not names or names[0] in defined(path))


def source(module: str) -> Path | None:
    """The file of a module or package; None where there is none."""
    base = ROOT / module.replace(".", "/")
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


@cache
def defined(path: Path) -> set[str]:
    """The names that a file binds at its top, imports included."""
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        else:
            names |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return names
