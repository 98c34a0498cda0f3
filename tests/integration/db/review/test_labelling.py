"""Labels on single pictures, by two people at once too."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from db.labels import labels
from db.review.labelling import label_picture, picture_labels
from db.review.standing import ChangedSinceError
from db.session import reading, transaction
from linewatch.errors import LabelError
from tests.support.interleaving import meanwhile
from tests.support.review import PRODUCT, a_product, a_view, commit


@pytest.fixture
def plant(engine: Engine) -> Engine:
    a_product(engine)
    return engine


@pytest.mark.parametrize("part", ["P1", None])
def test_of_two_who_label_at_once_one_is_told(plant: Engine, part: str | None) -> None:
    view = a_view(part)
    commit(plant, [view])
    told: list[str] = []

    def says(label: str, by: str) -> None:
        try:
            with transaction(plant) as connection:
                label_picture(connection, view.id, label, by, 0)
        except ChangedSinceError as error:
            told.append(str(error))

    # On PostgreSQL bob commits before ann comes to the part's row; SQLite lets him wait for her.
    sqlite = plant.dialect.name == "sqlite"
    at = "INSERT INTO labels" if sqlite else "linewatch_settle"
    with meanwhile(plant, at, lambda: says("bent", "bob"), waits=sqlite):
        says("ok", "ann")
    assert len(told) == 1
    first = "ann labelled this picture 'ok'" if sqlite else "bob labelled this picture 'bent'"
    assert told[0].startswith(first)
    assert labels.latest(plant, PRODUCT) == {view.id: "ok" if sqlite else "bent"}


def test_what_holds_is_the_last_and_may_be_taken_back(plant: Engine) -> None:
    view, other = a_view("P1"), a_view("P1", 1)
    commit(plant, [view, other])
    for given, (label, by) in enumerate([("bent", "ann"), ("burnt", "bob"), ("", "ann")]):
        with transaction(plant) as connection:
            now = label_picture(connection, view.id, label, by, given)
        with reading(plant) as connection:
            held = picture_labels(connection, [view.id, other.id])
        assert held[view.id] == now
        assert (now.label, now.by, now.given) == (label, by, given + 1)
        assert held[other.id].given == 0
    with pytest.raises(LabelError, match="nothing to take back"), transaction(plant) as connection:
        label_picture(connection, view.id, "", "ann", 3)
    with (
        pytest.raises(ChangedSinceError, match="no label"),
        transaction(plant) as connection,
    ):
        label_picture(connection, other.id, "ok", "ann", 1)
    assert labels.latest(plant, PRODUCT) == {}
