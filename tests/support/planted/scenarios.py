"""What can happen to a part, each with what it then is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from producer.contract import Verdict
from tests.support.planted.clock import shift_of
from tests.support.planted.parts import CABLE, CAP, GHOST, NOW, Week

_GAP = 601  # seconds, of which product plug lets 600 pass
_HOURS = 3600


def complete(week: Week) -> None:
    """Both views that the product file names."""
    item = week.item()
    first = week.shot(item)
    week.shot(item, 20, camera="side")
    week.is_(item, first, "good by model", views=2)


def bad_in_one_of_three(week: Week) -> None:
    """A part with three pictures of which one shows a defect; the worst view wins."""
    item = week.item()
    first = week.shot(item)
    week.shot(item, 5, "bent", camera="side")
    week.shot(item, 9, "review", camera="back")
    week.is_(item, first, "bad bent by model", views=3)


def bad_in_two_ways(week: Week) -> None:
    """Two classes, and a picture of before that could not be inspected, so of no model."""
    item = week.item()
    first = week.shot(item, 0, "rejected", camera="side")
    week.shot(item, 4, "burnt")
    week.shot(item, 5, "bent")
    week.is_(item, first, "bad bent+burnt by model", views=3)


def open_for_a_view(week: Week) -> None:
    """A view did not come; the message may name others than the product file."""
    item = week.item()
    first = week.shot(item)
    week.is_(item, first, "open incomplete")
    item = week.item()
    first = week.shot(item, views=("top", "end"))
    week.shot(item, 30, camera="side", views=("top", "end"))
    week.is_(item, first, "open incomplete", views=2)
    item = week.item()
    first = week.shot(item, views=("top",))
    week.is_(item, first, "good by model")


def open_for_a_person(week: Week) -> None:
    """A review, a picture that could not be inspected, and both."""
    for saw, why in (
        (("review", "pass"), "review"),
        (("pass", "rejected"), "rejected"),
        (("rejected", "review"), "review"),
        (("dead_letter", "rejected"), "rejected"),
    ):
        item = week.item()
        first = week.shot(item, 0, saw[0])
        week.shot(item, 7, saw[1], camera="side")
        version = item.version if {*saw} & {"review", "pass"} else ""
        week.is_(item, first, f"open {why}", views=2, model_version=version)


def labelled(week: Week) -> None:
    """People's words on reviews, an escape, and overkill."""
    for saw, label, said, model in (
        ("review", "bent", "bad bent by person", "open review"),
        ("review", "ok", "good by person", "open review"),
        ("pass", "burnt", "bad burnt by person", "good by model"),
        ("bent", "ok", "good by person", "bad bent by model"),
        ("bent", "burnt", "bad burnt by person", "bad bent by model"),
        ("rejected", "ok", "good by person", "open rejected"),
    ):
        item = week.item()
        first = week.shot(item)
        second = week.shot(item, 3, saw, camera="side")
        week.label(second, label)
        week.is_(item, first, said, model, views=2)


def labelled_in_part(week: Week) -> None:
    """One of two bad views is known to be good, or bad in another way; one of two open ones."""
    item = week.item()
    first = week.shot(item, 0, "bent")
    week.label(week.shot(item, 2, "burnt", camera="side"), "ok")
    week.is_(item, first, "bad bent by model", "bad bent+burnt by model", views=2)
    item = week.item()
    first = week.shot(item, 0, "bent")
    week.label(week.shot(item, 2, camera="side"), "burnt")
    week.is_(item, first, "bad bent+burnt by person", "bad bent by model", views=2)
    item = week.item()
    first = week.shot(item, 0, "review")
    week.label(week.shot(item, 2, "review", camera="side"), "ok")
    week.is_(item, first, "open review", views=2)


def relabelled(week: Week) -> None:
    """The latest word counts, though it is stored before the one it corrects."""
    item = week.item()
    first = week.shot(item, 0, "review", views=("top",))
    week.label(first, "ok", minutes=120)
    week.label(first, "bent", minutes=60)
    week.is_(item, first, "good by person", "open review")


def decided(week: Week) -> None:
    """By the latest of the decisions, whatever the pictures, their labels and the order."""
    item = week.item()
    first = week.shot(item, 0, "bent")
    week.label(first, "burnt")
    week.shot(item, 3, camera="side")
    week.decisions += [week.decision(item, "ok", 300), week.decision(item, "burnt", 200)]
    week.is_(item, first, "good by person", "bad bent by model", views=2)
    item = week.item()
    first = week.shot(item, 0, "review")
    week.before.append(week.decision(item, "burnt"))
    week.is_(item, first, "bad burnt by person", "open review")
    item = week.item()
    first = week.shot(item)
    week.after.append(week.decision(item, "ok", by="eve"))
    week.is_(item, first, "good by person", "open incomplete")
    week.before.append(week.decision(week.item(), "bent"))  # of which no picture came


def inspected_again(week: Week) -> None:
    """After rework: a later pass, by the time between, or as the message says."""
    item = week.item()
    first = week.shot(item, 0, "bent")
    second = week.shot(item, _GAP, views=("top",))
    week.is_(item, first, "bad bent by model")
    week.is_(item, second, "good by model", number=2)
    item = week.item()
    first = week.shot(item, 0, "burnt", pass_number=1)
    second = week.shot(item, 60, views=("top",), pass_number=2)
    week.is_(item, first, "bad burnt by model")
    week.is_(item, second, "good by model", number=2)


def decided_in_one_of_its_passes(week: Week) -> None:
    """The one that had begun by then; the first, before any had; the one that is named."""
    for label, minutes, number, on_first in (
        ("ok", 9 * 60, None, False),
        ("ok", 30, None, True),
        ("ok", -30, None, True),
        ("ok", 9 * 60, 1, True),
        ("ok", 30, 2, False),
    ):
        item = week.item()
        first = week.shot(item, 0, "bent")
        second = week.shot(item, 4 * _HOURS, "burnt")
        week.decisions.append(week.decision(item, label, minutes, number))
        said = ["bad bent by model", "bad burnt by model"]
        model = list(said)
        said[not on_first] = "good by person"
        week.is_(item, first, said[0], model[0])
        week.is_(item, second, said[1], model[1], number=2)


def late_view(week: Week) -> None:
    """A spool held a view for days: it completes a part, makes one bad, or joins two passes."""
    item = week.item()
    first = week.shot(item)
    week.shot(item, 20, camera="side", late=True)
    week.is_(item, first, "good by model", views=2)
    item = week.item()
    week.shot(item, 0, "review")
    first = week.shot(item, -100, "bent", camera="side", late=True)
    week.is_(item, first, "bad bent by model", views=2)
    item = week.item()
    first = week.shot(item)
    week.shot(item, 900, "bent")
    week.shot(item, 450, camera="side", late=True)
    week.is_(item, first, "bad bent by model", views=3)
    item = week.item()
    first = week.shot(item, 0, "bent", late=True)
    week.is_(item, first, "bad bent by model")


def without_serial(week: Week) -> None:
    """Each picture a part of its own, of which no view can be missing."""
    for saw, said in (
        ("pass", "good by model"),
        ("bent", "bad bent by model"),
        ("review", "open review"),
        ("rejected", "open rejected"),
    ):
        item = week.item(serial=week.rng.choice([None, ""]))
        first = week.shot(item, 0, saw, late=week.rng.random() < 0.2)
        version = "" if saw == "rejected" else item.version
        week.is_(item, first, said, model_version=version)
    item = week.item(serial=None)
    first = week.shot(item, 0, "review")
    week.label(first, "burnt")
    week.is_(item, first, "bad burnt by person", "open review")


def wrong_clock(week: Week) -> None:
    """None, one to come, one of long ago: it counts when the database got it."""
    for captured_at in (None, NOW + timedelta(days=1), NOW - timedelta(days=40)):
        item = week.item(serial=week.rng.choice([None, week.item().serial]))
        first = week.shot(item, views=("top",), captured_at=captured_at, late=True)
        week.is_(item, first, "good by model", made_at=None)


def one_serial_of_two_parts(week: Week) -> None:
    """Serial numbers that begin anew with each lot, or each of the plant's days."""
    item = week.item(product=CABLE, lot="A")
    other = replace(item, lot="B")
    first, second = week.shot(item, 0, "bent"), week.shot(other, 30)
    week.is_(item, first, "bad bent by model", scope="A")
    week.is_(other, second, "good by model", scope="B")
    item = week.item(product=CAP)
    other = replace(item, at=item.at + timedelta(hours=26))
    first, second = week.shot(item, 0, "review"), week.shot(other)
    for one, shot, said in ((item, first, "open review"), (other, second, "good by model")):
        week.is_(one, shot, said, scope=shift_of(one.line, one.at).day.isoformat())


def judged_after_all(week: Week) -> None:
    """A dead letter that a person sends again; with a serial number, and without."""
    for serial in (week.item().serial, None):
        item = week.item(serial=serial)
        dead = week.shot(item, 0, "dead_letter", views=("top",))
        judged = replace(
            dead, verdict=Verdict.DEFECT, defect_class="burnt", model_version="m-3", decided_at=NOW
        )
        week.again.append(judged)
        week.is_(item, dead, "bad burnt by model", model_version="m-3")


def of_an_unknown_product(week: Week) -> None:
    """Nobody registered it: nothing is said of its parts but by its pictures."""
    item = week.item(product=GHOST)
    first = week.shot(item, 0, "rejected")
    second = week.shot(item, 3000, "rejected")
    week.is_(item, first, "open rejected", views=2, model_version="")
    assert second.part == item.serial


SCENARIOS: list[Callable[[Week], None]] = [
    *(complete, complete, complete, complete),
    *(bad_in_one_of_three, bad_in_two_ways, open_for_a_view, open_for_a_person),
    *(labelled, labelled_in_part, relabelled, decided),
    *(inspected_again, decided_in_one_of_its_passes, late_view, without_serial, wrong_clock),
    *(one_serial_of_two_parts, judged_after_all, of_an_unknown_product),
]


def a_week(seed: int, parts: int) -> Week:
    """So many parts at least, each scenario about equally often."""
    week = Week(seed)
    while len(week.truth) < parts:
        for scenario in SCENARIOS:
            scenario(week)
    return week
