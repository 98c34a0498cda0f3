"""What a running worker does besides inspecting: shadows, missing features, a new class."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from db import alerts, products
from db.base import table_of
from db.inspections import inspections
from db.labels import labels
from db.models import deployments, feature_copies, feature_spaces
from db.session import transaction
from db.tables import Feature
from linewatch.products import parse_product
from tests.acceptance.faults.trainer import PRODUCT
from tests.acceptance.faults.versions import features_of, new_version, spoiled_version
from tests.acceptance.live import Live
from tests.support.committed import committed

pytestmark = pytest.mark.timeout(300)


def test_shadow_missing_features_and_a_new_class(plant: Live) -> None:
    plant.worker(LINEWATCH_MODEL_POLL_S="0.2", LINEWATCH_EMBED_IDLE_S="0.3")
    features_made_again(plant)
    a_new_class_while_running(plant)
    a_shadow_without_a_say(plant)
    plant.group.check()


def features_made_again(plant: Live) -> None:
    """Labelled pictures without features get them while the worker is idle; others do not.

    Then they get those of their copies, once the product says what leaves a part what it is.
    """
    paths = [plant.picture(size=64) for _ in range(6)]
    with plant.camera() as camera:
        ids = [camera.submit(path) for path in paths]
        assert camera.wait(timeout=60)
    made = features_of(plant).fingerprint
    before = feature_spaces.vectors(plant.engine, ids, made)
    assert set(before) == set(ids)
    with transaction(plant.engine) as connection:
        connection.execute(delete(table_of(Feature)))
    labelled, changed, gone = ids[:5], ids[3], ids[4]
    paths[3].write_bytes(plant.picture(size=64).read_bytes())  # not the picture that was labelled
    paths[4].unlink()
    rows = [labels.NewLabel(inspection_id=i, label="good", labelled_by="ann") for i in labelled]
    committed(plant.engine, labels.add_labels, rows)
    kept = set(labelled) - {changed, gone}
    plant.until(
        lambda: set(feature_spaces.vectors(plant.engine, ids, made)) >= kept, 30, "features"
    )
    plant.until(lambda: "another picture lies there now" in plant._log("w"), 30, "warning")
    after = feature_spaces.vectors(plant.engine, ids, made)
    assert set(after) == kept  # what nobody labelled is not needed
    assert all(len(after[id_]) == len(before[id_]) for id_ in kept)
    classes = [{"code": "good", "good": True}, {"code": "scratch"}]
    product = {"product": PRODUCT, "classes": classes, "symmetry": ["flip"]}
    committed(plant.engine, products.register, parse_product(product, source="tests"))
    plant.until(lambda: set(feature_copies.vectors(plant.engine, ids, made)) >= kept, 30, "copies")
    copies = feature_copies.vectors(plant.engine, ids, made)
    assert set(copies) == kept
    assert all(copies[id_]["mirrored"] != after[id_] for id_ in kept)


def a_new_class_while_running(plant: Live) -> None:
    classes = [{"code": "good", "good": True}, {"code": "scratch"}, {"code": "dent"}]
    committed(
        plant.engine,
        products.register,
        parse_product({"product": PRODUCT, "classes": classes}, source="tests"),
    )
    with plant.camera() as camera:
        id_ = camera.submit(plant.picture(size=64))
        assert camera.wait(timeout=60)
    committed(plant.engine, labels.add_labels, [labels.NewLabel(id_, "dent", "ann")])
    assert labels.latest(plant.engine, PRODUCT)[id_] == "dent"


def a_shadow_without_a_say(plant: Live) -> None:
    champion, shadow = new_version(plant), new_version(plant)
    committed(plant.engine, deployments.promote, PRODUCT, champion, by="tester", why="test")
    committed(plant.engine, deployments.set_shadow, PRODUCT, shadow, by="tester", why="test")
    plant.until(lambda: f"{shadow} is shadow of" in plant._log("w"), 20, "shadow")
    with plant.camera() as camera:
        ids = [camera.submit(plant.picture(size=64)) for _ in range(4)]
        assert camera.wait(timeout=60)
        assert {o.model_version for o in plant.outcomes(ids).values()} == {champion}
        for id_ in ids:
            assert set(inspections.scores(plant.engine, id_)) == {shadow}

        broken = spoiled_version(plant, "tampered")
        committed(plant.engine, deployments.set_shadow, PRODUCT, broken, by="tester", why="test")
        plant.until(lambda: broken in refused(plant), 20, "alert")
        late = camera.submit(plant.picture(size=64))
        assert camera.wait(timeout=60)
    assert inspections.scores(plant.engine, late) == {}
    committed(plant.engine, deployments.set_shadow, PRODUCT, None, by="tester", why="test")
    plant.until(lambda: refused(plant) == "", 20, "alert that is resolved")


def refused(plant: Live) -> str:
    found = alerts.open_alerts(plant.engine)
    return "\n".join(a.message for a in found if a.kind == "shadow_refused")
