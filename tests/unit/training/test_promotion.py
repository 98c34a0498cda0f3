"""Who may serve: the gate's outcome, the champion that serves, and what is wished."""

from __future__ import annotations

import pytest

from linewatch.errors import ModelError
from linewatch.settings import Settings
from model_store.gate.gate import Decision, GateOutcome
from training.promotion import Wish, may_serve

AUTO, NONE = Wish("auto"), Wish("none")
ASKED = Wish.of_person("ann", "")
REASONED = Wish.of_person("ann", "a trial on line 2", reasoned=True)
FORCED = Wish.of_person("ann", "a trial", force=True)


@pytest.mark.parametrize(
    ("wish", "serving", "granted"),
    [
        (NONE, "old", set()),
        (NONE, None, set()),
        (AUTO, "old", {"passed"}),
        (AUTO, None, set()),  # a person retired it, or has yet to choose the first
        (ASKED, "old", {"passed", "first"}),
        (ASKED, None, {"passed", "first"}),
        (REASONED, "old", {"passed", "first", "undecided"}),
        (REASONED, None, {"passed", "first", "undecided"}),
        (Wish.of_person("ann", " ", reasoned=True), "old", {"passed", "first"}),
        (FORCED, "old", {"passed", "first", "failed", "undecided"}),
        (FORCED, None, {"passed", "first", "failed", "undecided"}),
    ],
)
def test_the_whole_rule(wish: Wish, serving: str | None, granted: set[str]) -> None:
    found = {
        str(outcome)
        for outcome in GateOutcome
        if may_serve(Decision(outcome, ("why",), {}), serving, wish)
    }
    assert found == granted


def test_force_needs_a_reason() -> None:
    with pytest.raises(ModelError, match="--force needs --why"):
        Wish.of_person("ann", " ", force=True)


def test_the_plant_wishes_what_its_settings_say() -> None:
    assert Wish.of(Settings()).kind == "none"
    assert Wish.of(Settings(auto_promote="gate")).kind == "auto"
