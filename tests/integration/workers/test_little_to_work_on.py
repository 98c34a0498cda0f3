"""With little or nothing to work on, every command ends in an answer or a sentence."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import click
import pytest
from click.testing import CliRunner

from db import products
from db.labels import golden_members
from db.models import deployments, versions
from db.session import engine_for
from linewatch.cli import cli
from linewatch.errors import LinewatchError
from linewatch.settings import Settings
from tests.support.bench import CODES, Bench, spec_of
from tests.support.committed import committed

GROUPS = ("evaluate", "golden", "labels", "models", "replay", "report", "train")
ELSEWHERE = ("zero-shot",)  # loads the encoders; see test_model_commands.py


def leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every command below, as it is typed, with an answer for each of its arguments."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            if name not in ELSEWHERE:
                yield from leaves(child, (*path, name))
        return
    arguments = [p.name for p in command.params if isinstance(p, click.Argument) and p.required]
    yield (*path, *(f"<{name}>" for name in arguments))


def every_command() -> list[tuple[str, ...]]:
    found = []
    for name in GROUPS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        found += leaves(command, (name,))
    more = (
        *(
            "replay --part P-1",
            "replay --since 1d --product <product>",
            "train <product> --few-shot",
        ),
        *("golden remove <product> --all", "golden remove <product> <path>"),
        *("labels history <product> --part P-1", "labels decisions <product> --all"),
        *("labels export <product> --format coco", "models list --product <product>"),
        *("labels import <folder>", "golden add <product> <folder>", "models shadow <version>"),
        *("models shadow --off <product>", "evaluate seed --images <folder>"),
        *("evaluate seed --embeddings <path>", "report classes --product <product>"),
        *("report defect-rate --by hour --by shift", "models decisions --product <product>"),
        *("report pictures --by hour --by shift", "report trend --since 7d"),
    )
    return found + [tuple(line.split()) for line in more]


def test_the_commands_are_found() -> None:
    found = {" ".join(words) for words in every_command()}
    assert {"labels suspects <product>", "models promote <version>", "report model"} <= found
    assert len(found) > 40


def nothing(bench: Bench) -> None:
    """A product that nobody has taken a picture of."""


def pictures_without_labels(bench: Bench) -> None:
    bench.pictures("good", 2, label=False, part="P-1")


def one_label(bench: Bench) -> None:
    bench.pictures("good", 1, part="P-1")


def one_class(bench: Bench) -> None:
    bench.pictures("good", 9, part="P-1")


def a_label_of_each_class(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 1, part="P-1")


def golden_only(bench: Bench) -> None:
    ids: list[UUID] = [id_ for code in CODES for id_ in bench.pictures(code, 4)]
    committed(
        bench.engine, golden_members.add, "cable", "golden", dict.fromkeys(ids, "good"), by="ann"
    )


def labels_without_features(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 4, prints=())


def labels_of_classes_that_are_gone(bench: Bench) -> None:
    for code in CODES[1:]:
        bench.pictures(code, 4)
    committed(bench.engine, products.register, spec_of("good", "new"))


def features_of_a_space_without_numbers(bench: Bench) -> None:
    """Vectors of NaN, as a broken device makes them."""
    for code in CODES:
        bench.pictures(code, 4, noise=float("nan"))


def one_class_that_can_be_tested(bench: Bench) -> None:
    bench.pictures("good", 9, part="P-1")
    bench.pictures("bent", 1, part="P-1")


def a_retired_model_of_prompts_alone(bench: Bench) -> None:
    bench.promote(bench.zero_shot())
    committed(bench.engine, deployments.retire, "cable", by="ann", why="test")


STATES = (
    nothing,
    pictures_without_labels,
    one_label,
    one_class,
    one_class_that_can_be_tested,
    a_label_of_each_class,
    golden_only,
    labels_without_features,
    labels_of_classes_that_are_gone,
    features_of_a_space_without_numbers,
    a_retired_model_of_prompts_alone,
)


def ends_in_a_sentence(words: tuple[str, ...], answers: dict[str, str]) -> str | None:
    """None, or what is wrong with how the command ended."""
    typed = [answers.get(word, word) for word in words]
    result = CliRunner().invoke(cli, typed)
    error = result.exception
    if isinstance(error, LinewatchError):
        message = str(error)
        return None if message and "\n" not in message else f"{typed}: {message!r}"
    if error is None or (isinstance(error, SystemExit) and error.code in (0, 1, 2)):
        return None if result.output else f"{typed}: said nothing"
    return f"{typed}: {''.join(traceback.format_exception(error)[-3:])}"


@pytest.fixture
def answers(tmp_path: Path) -> dict[str, str]:
    folder, table = tmp_path / "sorted", tmp_path / "labels.csv"
    (folder / "good").mkdir(parents=True)
    (folder / "good" / "1.png").write_bytes(b"no picture")
    table.write_text("part,label\nP-1,good\n")
    names = ("<version>", "<champion>", "<challenger>")
    return {
        **dict.fromkeys(names, "ghost-1"),
        "<folder>": str(folder),
        "<path>": str(table),
        "<product>": "cable",
    }


@pytest.mark.parametrize("state", STATES)
def test_on_a_product_with_little(
    make_settings: Callable[..., Settings],
    sqlite_url: str,
    answers: dict[str, str],
    state: Callable[[Bench], None],
) -> None:
    settings = make_settings(review_below="0.0")
    bench = Bench(engine_for(sqlite_url), settings)
    state(bench)
    for info in versions.versions(bench.engine):
        answers |= dict.fromkeys(("<version>", "<champion>", "<challenger>"), info.version)
    commands = [words for words in every_command() if words[0] != "evaluate"]
    wrong = [ends_in_a_sentence(words, answers) for words in commands]
    assert [problem for problem in wrong if problem] == []


def test_on_what_is_not_known_or_not_there(
    make_settings: Callable[..., Settings],
    database_url: str,
    answers: dict[str, str],
) -> None:
    """Without a product at all, on both databases; `evaluate` on a folder of one class."""
    make_settings(database_url=database_url)
    wrong = [ends_in_a_sentence(words, answers) for words in every_command()]
    assert [problem for problem in wrong if problem] == []


def test_without_tables(
    make_settings: Callable[..., Settings], empty_database_url: str, answers: dict[str, str]
) -> None:
    make_settings(database_url=empty_database_url)
    wrong, said = [], []
    for words in every_command():
        if words[0] in ("labels", "golden", "models", "report", "replay", "train"):
            wrong.append(ends_in_a_sentence(words, answers))
            typed = [answers.get(word, word) for word in words]
            said.append(str(CliRunner().invoke(cli, typed).exception))
    assert [problem for problem in wrong if problem] == []
    assert sum("linewatch db upgrade" in text for text in said) > 0.8 * len(said)


def test_without_a_server(make_settings: Callable[..., Settings], answers: dict[str, str]) -> None:
    make_settings(database_url="postgresql://nobody@127.0.0.1:9/none")
    for words in (("labels", "list", "cable"), ("models", "list"), ("golden", "list")):
        assert ends_in_a_sentence(words, answers) is None
