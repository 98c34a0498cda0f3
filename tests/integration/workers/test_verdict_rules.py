"""From labels to verdicts: training sets the rules, the worker applies them on the device."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner

from db import products
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, StoredFeatures
from db.labels import labels
from db.models import deployments, feature_spaces
from db.session import engine_for
from linewatch.cli import cli
from linewatch.products import parse_product
from linewatch.settings import Settings
from model_store.manifest import Manifest
from model_store.store import ModelStore
from producer.contract import ImageRef, Reason, Verdict
from producer.contract.message import Envelope
from producer.simulator import render
from tests.support.committed import committed
from tests.support.records import a_record
from training.retraining import retrain
from vision.extractor import FeatureExtractor
from vision.preprocess import preprocess
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.pipeline.judge import Judge
from workers.serving.residency import Residency
from workers.serving.spaces import Spaces

KINDS = ("good", "missing_cable")
COSTS = {"escape": 300, "overkill": 4, "review": 1, "defect_rate": 0.01}


def part(kind: str, seed: int) -> torch.Tensor:
    return preprocess(render(kind, np.random.default_rng(seed), size=224))


def picture(
    extractor: FeatureExtractor, pixels: torch.Tensor, flaw: str | None = None
) -> InspectionRequest:
    now = datetime.now(UTC)
    image = ImageRef(id=uuid4(), uri="/x.png", camera="C1", captured_at=now)
    envelope = Envelope(product="cable", line="L1", enqueued_at=now)
    request = InspectionRequest(image, envelope, "w1")
    request.picture = PreparedPicture(pixels, "0" * 64, extractor, flaw)
    return request


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> FeatureExtractor:
    folder = tmp_path_factory.mktemp("weights")
    return FeatureExtractor.from_settings(Settings(data_dir=folder, device="cpu"))


@pytest.fixture(scope="module")
def labelled(extractor: FeatureExtractor) -> list[tuple[str, bytes]]:
    kinds = [kind for kind in KINDS for _ in range(14)]
    pixels = torch.stack([part(kind, seed) for seed, kind in enumerate(kinds)])
    vectors = extractor.features(pixels).numpy().astype("<f2")
    return [(kind, vector.tobytes()) for kind, vector in zip(kinds, vectors, strict=True)]


@pytest.fixture
def train(
    settings: Settings,
    make_settings: Callable[..., Settings],
    extractor: FeatureExtractor,
    labelled: list[tuple[str, bytes]],
) -> Callable[..., Manifest]:
    """Trains and promotes a model under a product's costs and the settings given."""
    engine = engine_for(settings.sql_url)
    committed(
        engine,
        feature_spaces.register,
        extractor.fingerprint,
        encoders=extractor.describe(),
        dim=extractor.dim,
    )
    records = [
        a_record(id=uuid4(), part=f"P-{i}", features=StoredFeatures(extractor.fingerprint, vector))
        for i, (_, vector) in enumerate(labelled)
    ]

    def run(
        costs: dict[str, float] | None = None, kinds: tuple[str, ...] = KINDS, **fields: object
    ) -> Manifest:
        classes = [{"code": kind, "good": kind == "good"} for kind in KINDS]
        data = {"product": "cable", "classes": classes, "costs": costs}
        committed(engine, products.register, parse_product(data, "t"))
        commit_inspections(engine, records, UTC)
        committed(
            engine,
            labels.add_labels,
            [
                labels.NewLabel(record.id, kind, "ann")
                for record, (kind, _) in zip(records, labelled, strict=True)
                if kind in kinds
            ],
        )
        made = make_settings(**fields)
        result = retrain(
            engine, ModelStore(made.models_url), "cable", trigger="test", settings=made
        )
        assert result is not None
        committed(
            engine, deployments.promote, "cable", result.manifest.version, by="ann", why="test"
        )
        return result.manifest

    return run


def judged(settings: Settings, extractor: FeatureExtractor, *pixels: torch.Tensor) -> list:
    engine = engine_for(settings.sql_url)
    residency = Residency(
        engine,
        ModelStore(settings.models_url),
        spaces=Spaces(engine, extractor),
        poll_s=60,
    )
    residency.refresh()
    rows: list[InspectionRecord] = Judge(residency, feature_sample_rate=1).judge(
        [picture(extractor, one) for one in pixels]
    )
    return [(row.verdict, row.reason) for row in rows]


def test_a_part_unlike_any_goes_to_a_person(
    settings: Settings, extractor: FeatureExtractor, train: Callable[..., Manifest]
) -> None:
    manifest = train(novelty_rate=0.01, review_below=0)
    assert manifest.thresholds.novel_above is not None
    noise = torch.randint(0, 256, (3, 224, 224), dtype=torch.uint8)
    said = judged(settings, extractor, part("good", 900), noise, noise.flip(0))
    assert said[0][0] in (Verdict.PASS, Verdict.DEFECT)
    assert said[1:] == [(Verdict.REVIEW, Reason.NOVEL)] * 2


def test_a_product_begins_with_good_parts_alone(
    settings: Settings, extractor: FeatureExtractor, train: Callable[..., Manifest]
) -> None:
    manifest = train(kinds=("good",))
    assert (manifest.kind, manifest.classes) == ("good-only", ("good",))
    said = judged(settings, extractor, part("good", 900), *(part(KINDS[1], i) for i in range(3)))
    assert said == [(Verdict.PASS, None)] + [(Verdict.REVIEW, Reason.NOVEL)] * 3
    shown = json.loads(CliRunner().invoke(cli, ["models", "show", manifest.version]).output)
    assert shown["unlike_good"]["parts"] == 14
    told = CliRunner().invoke(cli, ["train", "cable"]).output
    assert "it passes what is like the good parts; people decide all else" in told
    assert "provisional, made of good parts alone: no defect is labelled yet" in told
    assert "borders drawn from 14 good parts the true share lies between" in told


def test_a_damaged_picture_goes_to_a_person(
    settings: Settings, extractor: FeatureExtractor, train: Callable[..., Manifest]
) -> None:
    train(review_below=0, novelty_rate=0)
    engine = engine_for(settings.sql_url)
    residency = Residency(
        engine,
        ModelStore(settings.models_url),
        spaces=Spaces(engine, extractor),
        poll_s=60,
    )
    residency.refresh()
    flaw = "the JPEG's decoder says: something"
    both = (None, flaw)
    batch = [picture(extractor, part(kind, 900), said) for kind in KINDS for said in both]
    rows = Judge(residency, feature_sample_rate=1).judge(batch)
    assert [row.verdict for row in rows] == [
        Verdict.PASS, Verdict.REVIEW, Verdict.DEFECT, Verdict.REVIEW
    ]  # fmt: skip
    for sound, damaged in (rows[:2], rows[2:]):
        assert (sound.reason, sound.detail) == (None, None)
        assert (damaged.reason, damaged.detail) == (Reason.DAMAGED, flaw)
        assert damaged.defect_class == sound.defect_class
        assert damaged.confidence == pytest.approx(sound.confidence)


def test_costs_of_the_product_file_decide(
    settings: Settings, extractor: FeatureExtractor, train: Callable[..., Manifest]
) -> None:
    manifest = train(COSTS, novelty_rate=0)
    assert manifest.thresholds.pass_from is not None
    assert manifest.decisions is not None
    assert sum(manifest.decisions.good.model_dump().values()) == 14
    rates = ["--defect-rate", "0.5", "--defect-rate", "0.005"]
    run = CliRunner().invoke(cli, ["models", "costs", manifest.version, *rates, "--format", "json"])
    assert run.exit_code == 0, run.output
    half, rare = json.loads(run.output)
    assert half["defect_rate"] == 0.5
    assert rare["cost_a_part"] <= half["cost_a_part"]  # equal where nothing was told wrong
    shown = json.loads(CliRunner().invoke(cli, ["models", "show", manifest.version]).output)
    assert shown["decisions"]["calibration"]["ece_after"] <= 1
    assert shown["decisions"]["calibration"]["pictures"] == 28


def test_a_plant_without_wishes_is_as_before(train: Callable[..., Manifest]) -> None:
    manifest = train(novelty_rate=0, unlike_good_rate=0, review_below=0.55, escape_target="")
    assert manifest.thresholds.model_dump() == {"review_below": 0.55}
    run = CliRunner().invoke(cli, ["models", "costs", manifest.version])
    assert run.exit_code == 0
    assert "0.50%" in run.output


def test_batches_launched_together_are_judged_as_one_by_one(
    settings: Settings, extractor: FeatureExtractor, train: Callable[..., Manifest]
) -> None:
    """Two products to a batch, a promotion between two launches."""
    first = train(novelty_rate=0.01)
    engine = engine_for(settings.sql_url)
    residency = Residency(
        engine,
        ModelStore(settings.models_url),
        spaces=Spaces(engine, extractor),
        poll_s=60,
    )
    residency.refresh()
    judge = Judge(residency, feature_sample_rate=1)
    pictures = [picture(extractor, part(kind, 700 + i)) for i, kind in enumerate(KINDS * 4)]
    for index in (1, 2, 6):
        envelope = pictures[index].envelope
        pictures[index].envelope = envelope.model_copy(update={"product": "bottle"})
    one_by_one = [judge.judge([one])[0] for one in pictures]
    launched = [judge.launch(pictures[:5])]
    second = train(novelty_rate=0.02)
    residency.refresh()
    launched.append(judge.launch(pictures[5:]))
    rows = [row for each in launched for row in judge.finish(each)]
    assert [row.id for row in rows] == [one.id for one in pictures]
    for row, alone in zip(rows, one_by_one, strict=True):
        assert row.product == alone.product
        assert row.probabilities == pytest.approx(alone.probabilities, abs=1e-4)
    versions = [row.model_version for row in rows]
    assert versions[:5] == [first.version, None, None, first.version, first.version]
    assert versions[5:] == [second.version, None, second.version]


@pytest.mark.slow
def test_an_exported_file_says_which_rules_it_does_not_hold(
    settings: Settings, train: Callable[..., Manifest], tmp_path: Path
) -> None:
    manifest = train(novelty_rate=0.01)
    assert manifest.thresholds.novel_above is not None
    out = tmp_path / "cable.onnx"
    found = CliRunner().invoke(cli, ["export", "onnx", str(out), "--product", "cable"])
    assert found.exit_code == 0, (found.output, found.exception)
    assert "novel_above" in found.stderr
    metadata = {one.key: json.loads(one.value) for one in onnx.load(out).metadata_props}
    assert "novel_above" in metadata["rules_left_out"]
    assert set(metadata["rules_left_out"]) <= metadata["thresholds"].keys()
