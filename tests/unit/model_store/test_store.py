from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import save

from linewatch.errors import ModelError
from model_store.heads.head import Head
from model_store.manifest import Manifest, ManifestDraft
from model_store.names import new_version_name
from model_store.novelty.novelty import Novelty, fit_novelty
from model_store.serving.apply import meter_of
from model_store.store import ModelStore
from model_store.verdicts.verdict import Thresholds

Make = Callable[..., ManifestDraft]
Data = tuple[np.ndarray, list[str]]


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(str(tmp_path / "models"))


@pytest.fixture
def saved(store: ModelStore, head: Head, make_draft: Make) -> Manifest:
    return store.save(head, make_draft())


@pytest.fixture
def folder(tmp_path: Path, saved: Manifest) -> Path:
    return tmp_path / "models" / "cable" / saved.version


def same(one: Head, other: Head) -> bool:
    arrays = [field.name for field in fields(Head) if field.name not in ("classes", "converged")]
    return (
        all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
        and one.classes == other.classes
        and one.converged == other.converged
    )


@pytest.mark.parametrize("scheme", ["path", "file", "memory"])
def test_what_is_saved_is_loaded(scheme: str, tmp_path: Path, head: Head, make_draft: Make) -> None:
    url = {
        "path": str(tmp_path / "a b"),
        "file": f"file://{tmp_path}/models",
        "memory": f"memory://{uuid4()}",
    }[scheme]
    store = ModelStore(url)
    assert store.versions("cable") == []
    manifest = store.save(replace(head, converged=False), make_draft(parent="older"))
    loaded = ModelStore(url).load("cable", manifest.version)
    assert same(loaded.head, replace(head, converged=False))
    assert loaded.manifest == manifest
    assert manifest.classes == head.classes
    assert manifest.feature_dim == head.dim
    assert manifest.libraries["numpy"] == np.__version__
    assert store.versions("cable") == [manifest.version]
    assert store.exists("cable", manifest.version)
    assert not store.exists("cable", "cable-x")
    assert not store.exists("bottle", manifest.version)
    assert store.verify("cable", manifest.version) == manifest


def test_the_manifest_is_json_that_people_can_read(folder: Path, saved: Manifest) -> None:
    data = json.loads((folder / "manifest.json").read_text())
    assert data["format"] == 1
    assert data["version"] == saved.version
    assert data["created_at"] == "2026-11-23T23:15:00Z"
    assert data["thresholds"] == {"review_below": 0.6}
    assert data["metrics"]["classes"][0]["class_code"] == "bent_wire"
    assert sorted(path.name for path in folder.iterdir()) == ["head.safetensors", "manifest.json"]


def places(size: int) -> list[int]:
    return sorted({0, 1, 7, 8, 9, 20, size // 3, size // 2, size - 2, size - 1})


@pytest.mark.parametrize("name", ["head.safetensors", "manifest.json"])
def test_every_flipped_byte_is_found(store: ModelStore, folder: Path, name: str) -> None:
    path = folder / name
    whole = path.read_bytes()
    step = 1 if name == "manifest.json" else 97
    for place in sorted({*range(0, len(whole), step), *places(len(whole))}):
        flipped = whole[place] ^ (1 << place % 7)
        path.write_bytes(whole[:place] + bytes([flipped]) + whole[place + 1 :])
        with pytest.raises(ModelError, match=name):
            store.load("cable", folder.name)
    path.write_bytes(whole)
    store.verify("cable", folder.name)


@pytest.mark.parametrize("name", ["head.safetensors", "manifest.json"])
def test_truncated_and_extended_files_are_refused(
    store: ModelStore, folder: Path, name: str
) -> None:
    path = folder / name
    whole = path.read_bytes()
    for data in [*(whole[:place] for place in places(len(whole))), whole + b"x", whole * 2]:
        path.write_bytes(data)
        with pytest.raises(ModelError, match=name):
            store.load("cable", folder.name)


@pytest.mark.parametrize("name", ["head.safetensors", "manifest.json"])
def test_a_missing_file_is_named(store: ModelStore, folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}.*does not exist"):
        store.load("cable", folder.name)
    (folder / name).mkdir()
    with pytest.raises(ModelError, match=name):
        store.load("cable", folder.name)


def test_swapped_files_are_refused(
    store: ModelStore, folder: Path, head: Head, make_draft: Make
) -> None:
    other = store.save(replace(head, mean=head.mean + 1), make_draft(number=2))
    there = folder.parent / other.version
    for name, words in [("head.safetensors", "not the file"), ("manifest.json", "belongs to")]:
        mine = (folder / name).read_bytes()
        shutil.copy(there / name, folder / name)
        with pytest.raises(ModelError, match=words):
            store.load("cable", folder.name)
        (folder / name).write_bytes(mine)
    for name in ("head.safetensors", "manifest.json"):  # even both at once
        shutil.copy(there / name, folder / name)
    with pytest.raises(ModelError, match=f"belongs to cable/{other.version}"):
        store.load("cable", folder.name)


def test_another_products_model_is_refused(store: ModelStore, folder: Path) -> None:
    shutil.copytree(folder, folder.parent.parent / "bottle" / folder.name)
    with pytest.raises(ModelError, match="belongs to cable/"):
        store.load("bottle", folder.name)


def test_a_forged_head_with_a_matching_manifest_must_still_fit(
    store: ModelStore, folder: Path, saved: Manifest
) -> None:
    """Someone who can write both files can seal them again, but not with any tensors."""
    path = folder / "head.safetensors"
    good = load_file(path)
    d = saved.feature_dim
    forgeries = [
        {**good, "extra": np.zeros(3)},
        {name: array for name, array in good.items() if name != "scale"},
        {**good, "scale": np.zeros(d)},
        {**good, "coef": np.full_like(good["coef"], np.nan)},
        {**good, "coef": good["coef"].astype(np.float16)},
        {**good, "intercept": good["intercept"][:-1]},
        {**{n: a[..., :5] for n, a in good.items()}, "intercept": good["intercept"]},
    ]
    for tensors in forgeries:
        save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, path)
        _reseal(folder, saved)
        with pytest.raises(ModelError, match=r"head\.safetensors"):
            store.load("cable", folder.name)
    path.write_bytes(save({"mean": torch.zeros(d, dtype=torch.bfloat16)}))
    _reseal(folder, saved)
    with pytest.raises(ModelError, match=r"head\.safetensors is no head: 'BF16'"):
        store.load("cable", folder.name)
    save_file(good, path)
    _reseal(folder, saved)
    store.verify("cable", folder.name)


def test_foreign_manifests_are_refused(store: ModelStore, folder: Path, saved: Manifest) -> None:
    for change in (
        {"format": 2},
        {"fingerprint": "abc"},
        {"classes": ["good"]},
        {"feature_dim": 0},
        {"thresholds": {"review_belov": 0.5}},
        {"requires": ["flow"]},
        {"created_at": "2026-11-23T23:15:00"},  # no time zone
        {"image_counts": {"good": 3}},
    ):
        data = {**saved.model_dump(mode="json"), **change}
        (folder / "manifest.json").write_text(json.dumps(data))
        with pytest.raises(ModelError, match=r"manifest\.json is no manifest of format 1"):
            store.load("cable", folder.name)
    (folder / "manifest.json").write_bytes(b" " * (5 * 2**20))
    with pytest.raises(ModelError, match="more than"):
        store.load("cable", folder.name)


@pytest.mark.parametrize(
    "name", ["../cable", "..", ".", "", "a/b", "/etc", ".hidden", "a\0b", "a\n", "x" * 200, "ü"]
)
def test_names_cannot_lead_elsewhere(
    store: ModelStore, head: Head, make_draft: Make, folder: Path, name: str
) -> None:
    for action in (
        lambda: store.load("cable", name),
        lambda: store.load(name, folder.name),
        lambda: store.exists("cable", name),
        lambda: store.versions(name),
        lambda: store.save(head, make_draft(product=name)),
    ):
        with pytest.raises(ModelError, match="names no model or product"):
            action()


def test_version_names_sort_by_time() -> None:
    one = new_version_name("cable", datetime(2026, 11, 23, 23, 15, tzinfo=UTC), "3f9a")
    assert one == "cable-20261123T231500Z-3f9a"
    later = new_version_name("cable", datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC), "0000")
    assert one < later


def test_versions_saved_in_one_second_are_all_kept(
    store: ModelStore, head: Head, make_draft: Make
) -> None:
    drafts = [make_draft(number=n) for n in range(1, 21)]
    with ThreadPoolExecutor(8) as pool:
        names = {m.version for m in pool.map(lambda draft: store.save(head, draft), drafts)}
    assert len(names) == 20
    assert store.versions("cable") == sorted(names)
    for name in names:
        store.verify("cable", name)


def test_a_draft_must_fit_its_head(store: ModelStore, head: Head, make_draft: Make) -> None:
    with pytest.raises(ModelError, match="different classes"):
        store.save(head, make_draft(image_counts={"good": 1, "other": 2, "cut": 1}))
    assert store.versions("cable") == []


def test_a_store_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, head: Head, make_draft: Make
) -> None:
    (tmp_path / "file").touch()
    for url in (str(tmp_path / "file"), "/proc/no-such-place"):
        with pytest.raises(ModelError, match="LINEWATCH_MODEL_STORE_URL"):
            ModelStore(url).save(head, make_draft())


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """The kernel's own limit on file size stands in for the full disk: the write itself fails."""
    script = (
        "import resource, signal, sys, numpy as np\n"
        "from datetime import datetime, UTC\n"
        "from linewatch.errors import ModelError\n"
        "from model_store.validation.crossval import cross_validate\n"
        "from model_store.heads.fit import fit_head\n"
        "from model_store.manifest import ManifestDraft\n"
        "from model_store.store import ModelStore\n"
        "from model_store.verdicts.verdict import Thresholds\n"
        "x = np.random.default_rng(0).normal(size=(12, 400)); y = ['a', 'b'] * 6\n"
        "draft = ManifestDraft(product='cable', number=1, good_class=None, fingerprint='f' * 64,\n"
        "    encoders='', thresholds=Thresholds(), training_digest='d' * 64,\n"
        "    image_counts={'a': 6, 'b': 6}, metrics=cross_validate(x, y).summary(),\n"
        "    created_at=datetime.now(UTC))\n"
        "head = fit_head(x, y)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "try: ModelStore(sys.argv[1]).save(head, draft)\n"
        "except ModelError as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert os.strerror(errno.EFBIG) in done.stdout
    assert "its room" in done.stdout
    assert list((tmp_path / "cable").iterdir()) == []


def test_a_half_written_version_is_not_seen(store: ModelStore, folder: Path) -> None:
    (folder.parent / f".draft-{folder.name}-1234").mkdir()
    crashed = folder.parent / "cable-20261123T231501Z-0000"
    crashed.mkdir()
    shutil.copy(folder / "head.safetensors", crashed)  # as an object store's crash leaves it
    assert store.versions("cable") == [folder.name]
    assert not store.exists("cable", crashed.name)


@pytest.mark.parametrize("url", ["nonsense://x", "s4://bucket"])
def test_an_unknown_kind_of_store(url: str) -> None:
    with pytest.raises(ModelError, match="cannot be used"):
        ModelStore(url)


def test_novelty_is_stored_beside_the_head(
    store: ModelStore, head: Head, make_draft: Make, training_data: Data, folder: Path
) -> None:
    measure, _ = fit_novelty(*training_data)
    draft = make_draft(thresholds=Thresholds(novel_above=1.5))
    saved = store.save(head, draft, novelty=measure)
    loaded = store.load("cable", saved.version)
    assert loaded.manifest.thresholds.novel_above == 1.5
    assert loaded.novelty is not None
    assert isinstance(loaded.novelty, Novelty)
    for field in fields(Novelty):
        assert np.array_equal(getattr(loaded.novelty, field.name), getattr(measure, field.name))
    assert store.load("cable", folder.name).novelty is None
    for wrong in (None, replace(measure, centres=measure.centres[:-1])):
        broken = store.save(head, draft, novelty=wrong)
        with pytest.raises(ModelError, match=r"head\.safetensors is no head"):
            store.load("cable", broken.version)


def test_a_model_with_the_square_matrix_of_0_1_0_judges_as_before(
    store: ModelStore, head: Head, make_draft: Make, training_data: Data, tmp_path: Path
) -> None:
    features = training_data[0]
    rng = np.random.default_rng(0)
    whitening = rng.normal(size=(12, 12)).astype(np.float32)
    centres = rng.normal(size=(len(head.classes), 12)).astype(np.float32)
    saved = store.save(head, make_draft(thresholds=Thresholds(novel_above=1.5)))
    folder = tmp_path / "models" / "cable" / saved.version
    old = {"novelty_whitening": whitening, "novelty_centres": centres}
    tensors = load_file(folder / "head.safetensors")
    save_file({**tensors, **old}, folder / "head.safetensors")
    _reseal(folder, saved)
    loaded = store.load("cable", saved.version)
    gaps = (features @ whitening.T)[:, None] - centres
    expected = np.square(gaps).sum(axis=2).min(axis=1) / 12
    assert loaded.novelty is not None
    np.testing.assert_allclose(loaded.novelty.distances(features), expected)
    on_device = meter_of(loaded.novelty)(torch.from_numpy(features))
    np.testing.assert_allclose(on_device.numpy(), expected, rtol=1e-4)
    for some in ({"novelty_whitening": whitening}, {**old, "novelty_middle": centres[0]}):
        save_file({**tensors, **some}, folder / "head.safetensors")
        _reseal(folder, saved)
        with pytest.raises(ModelError, match=r"it holds .*novelty_whitening"):
            store.load("cable", saved.version)


def test_a_manifest_from_before_these_rules_is_still_whole(store: ModelStore, folder: Path) -> None:
    """Its digest was made over the fields of its day."""
    data = json.loads((folder / "manifest.json").read_text())
    assert "decisions" not in data
    assert data["thresholds"] == {"review_below": 0.6}
    digest = data.pop("manifest_sha256")
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    assert store.verify("cable", folder.name).decisions is None


def _reseal(folder: Path, manifest: Manifest) -> None:
    data = (folder / "head.safetensors").read_bytes()
    update = {"head_sha256": hashlib.sha256(data).hexdigest(), "head_bytes": len(data)}
    sealed = manifest.model_copy(update=update).sealed()
    (folder / "manifest.json").write_text(sealed.model_dump_json(indent=1))
