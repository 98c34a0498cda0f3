"""Who killed the worker: the rules, played through death by death."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from workers.broker.poison import Fate, Suspicion, Trial, fate, trial


def play(ids: list[UUID], culprit: UUID) -> tuple[int, dict[UUID, str]]:
    """Deliver a message until every picture has an end; the culprit kills each worker."""
    suspicions: dict[UUID, Suspicion] = {}
    ends: dict[UUID, str] = {}
    deaths = 1  # the first delivery
    while len(ends) < len(ids):
        left = [id_ for id_ in ids if id_ not in ends]
        verdict = trial(left, suspicions)
        ends |= dict.fromkeys(verdict.condemned, "dead letter")
        groups = [verdict.together] if verdict.together else []
        groups += [(id_,) for id_ in verdict.one_by_one]
        for group in groups:
            for id_ in group:
                old = suspicions.get(id_, Suspicion())
                suspicions[id_] = Suspicion(old.deaths + 1, old.alone + (len(group) == 1))
            if culprit in group:
                deaths += 1
                break
            ends |= dict.fromkeys(group, "judged")
            for id_ in group:
                del suspicions[id_]
    return deaths, ends


def test_a_single_picture_is_condemned_after_three_deaths() -> None:
    culprit = uuid4()
    deaths, ends = play([culprit], culprit)
    assert deaths == 3
    assert ends == {culprit: "dead letter"}


def test_the_culprit_is_condemned_alone_and_its_neighbours_judged() -> None:
    ids = [uuid4() for _ in range(16)]
    for culprit in (ids[0], ids[7], ids[-1]):
        deaths, ends = play(ids, culprit)
        assert deaths == 3
        assert [id_ for id_, end in ends.items() if end == "dead letter"] == [culprit]


def test_a_first_redelivery_is_tried_together() -> None:
    ids = [uuid4(), uuid4()]
    assert trial(ids, {}) == Trial((), tuple(ids), ())


def test_two_deaths_in_company_condemn_nobody() -> None:
    ids = [uuid4(), uuid4()]
    suspicions = {id_: Suspicion(deaths=5, alone=0) for id_ in ids}
    assert trial(ids, suspicions) == Trial((), (), tuple(ids))


def test_a_message_that_was_handed_back_starts_without_a_death() -> None:
    (id_,) = ids = [uuid4()]
    unknown = Suspicion(deaths=0)
    assert trial(ids, {}, unknown) == Trial((), (), (id_,))
    two = {id_: Suspicion(deaths=2, alone=2)}
    assert trial(ids, two, unknown).condemned == ()
    three = {id_: Suspicion(deaths=3, alone=3)}
    assert trial(ids, three, unknown).condemned == (id_,)


@pytest.mark.parametrize(
    ("suspicion", "expected"),
    [
        (None, Fate.TOGETHER),
        (Suspicion(deaths=1), Fate.TOGETHER),
        (Suspicion(deaths=2), Fate.ALONE),
        (Suspicion(deaths=9), Fate.ALONE),  # it was never alone: others may be to blame
        (Suspicion(deaths=2, alone=2), Fate.TOGETHER),  # it became no task: no need to be alone
        (Suspicion(deaths=3, alone=1), Fate.CONDEMNED),
    ],
)
def test_the_fate_of_a_message_whose_task_did_not_begin(
    suspicion: Suspicion | None, expected: Fate
) -> None:
    assert fate(suspicion) is expected
