"""Templates and message files say the same: nothing without German, nothing that nobody says.

`UPDATE_MESSAGES=1` takes out of the file what stands twice or is said by nobody, as after a merge.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from console.pages import PAGES

CONSOLE = Path(str(files("console")))
FILE = CONSOLE / "messages/de.po"
_PACKAGES = (
    "console",
    "db",
    "linewatch",
    "model_store",
    "outputs",
    "producer",
    "quality",
    "training",
    "workers",
)
_PLACE = re.compile(r"%\(\w+\)s|\{\w*\}")


def of_templates() -> set[str]:
    """What stands between `_(` and `)` in the templates."""
    found = extract_from_dir(
        CONSOLE / "templates",
        method_map=[("**.html", "jinja2")],
        options_map={"**.html": {"trimmed": "true", "silent": "false"}},
    )
    return {one for _, _, message, _, _ in found for one in _single(message)}


def of_python() -> set[str]:
    """Every text of our modules: words of the database too are said by way of a variable."""
    root = CONSOLE.parent
    paths = (path for package in _PACKAGES for path in (root / package).rglob("*.py"))
    nodes = (node for path in paths for node in ast.walk(ast.parse(path.read_text())))
    texts = {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return texts | {text.replace("_", " ") for text in texts}


def german() -> dict[str, str]:
    """Each message once."""
    with FILE.open("rb") as source:
        catalogue = read_po(source, locale="de", abort_invalid=True)
    return {str(entry.id): str(entry.string) for entry in catalogue if entry.id}


@pytest.fixture(scope="module", autouse=True)
def _tidied() -> None:
    if os.environ.get("UPDATE_MESSAGES"):
        FILE.write_text(tidied(FILE.read_text(), of_templates() | of_python()))


def tidied(text: str, said: set[str]) -> str:
    """The file with each message once, the first time, and only those that are said."""
    kept: list[str] = []
    known: set[str] = set()
    for block in re.split(r"\n\s*(?=(?:#.*\n)*msgid )|\n\n+", text.strip()):
        message = re.search(r'^msgid "(.+)"$', block, re.MULTILINE)
        if message is not None:
            id_ = message[1].replace('\\"', '"')
            if id_ in known or id_ not in said:
                continue
            known.add(id_)
        kept.append(block)
    return "\n\n".join(kept) + "\n"


def test_everything_has_german() -> None:
    said, titles = of_templates(), {page.title for page in PAGES}
    known = {message for message, string in german().items() if string}
    assert len(said) > 30
    assert sorted((said | titles) - known) == []


def test_nothing_is_translated_that_nobody_says() -> None:
    assert sorted(german().keys() - of_templates() - of_python()) == []


def test_translations_have_the_same_gaps() -> None:
    wrong = [
        message
        for message, string in german().items()
        if sorted(_PLACE.findall(message)) != sorted(_PLACE.findall(string))
    ]
    assert wrong == []


def test_no_message_stands_twice() -> None:
    ids = re.findall(r'^msgid "(.+)"$', FILE.read_text(), re.MULTILINE)
    assert sorted(one for one in set(ids) if ids.count(one) > 1) == []


def _single(message: object) -> Iterator[str]:
    if isinstance(message, tuple):
        yield from (one for one in message if isinstance(one, str))
    elif isinstance(message, str):
        yield message


def test_scripts_have_their_words_from_the_page() -> None:
    """A sentence in a script would be English in every language."""
    for script in (CONSOLE / "static").glob("*.js"):
        assert not re.search(r"\bsay\([^;]*[\"'`][A-Z][a-z]+ ", script.read_text()), script.name
