"""Manifests of earlier and later versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linewatch.errors import ModelError
from linewatch.product_options import Rectangle
from model_store.heads.head import Head
from model_store.manifest import Manifest, ManifestDraft
from model_store.store import ModelStore
from tests.support import version_0_1_0 as old

Make = Callable[..., ManifestDraft]


def test_a_model_of_0_1_0_loads(tmp_path: Path) -> None:
    product, version = old.write_model(tmp_path)
    stored = ModelStore(str(tmp_path)).load(product, version)
    assert stored.manifest.thresholds.pass_from == 0.9
    assert (stored.manifest.fit, stored.manifest.roi) == (None, None)
    rules = stored.manifest.thresholds
    assert (rules.alone_from, rules.prior_log_odds, rules.proposes) == (None, None, None)


def test_what_says_nothing_new_has_no_new_key(head: Head, make_draft: Make, tmp_path: Path) -> None:
    saved = ModelStore(str(tmp_path)).save(head, make_draft())
    keys = json.loads((tmp_path / "cable" / saved.version / "manifest.json").read_text()).keys()
    assert not keys & {"fit", "roi", "requires", "unlike_good"}


def test_fit_and_roi_come_through(head: Head, make_draft: Make, tmp_path: Path) -> None:
    store = ModelStore(str(tmp_path))
    roi = Rectangle(x=0.1, y=0, width=0.5, height=1)
    saved = store.save(head, make_draft(fit="tiles", roi=roi))
    assert store.manifest("cable", saved.version) == saved
    assert (saved.fit, saved.roi) == ("tiles", roi)
    other = store.save(head, make_draft(roi=((0, 0), (1, 0), (0.5, 1))))
    assert store.manifest("cable", other.version).roi == ((0, 0), (1, 0), (0.5, 1))


def written_later(store: Path, saved: Manifest, **more: Any) -> None:
    """What a later version would have sealed: its keys are under the digest too."""
    later = Manifest.model_validate({**saved.model_dump(mode="json"), **more}).sealed()
    path = store / "cable" / saved.version / "manifest.json"
    path.write_text(later.model_dump_json())


def test_optional_keys_of_a_later_version_are_left_out_of_account_but_sealed(
    head: Head, make_draft: Make, tmp_path: Path
) -> None:
    store = ModelStore(str(tmp_path))
    saved = store.save(head, make_draft())
    written_later(tmp_path, saved, heat_map={"grid": [14, 14], "share": 0.1})
    assert store.verify("cable", saved.version).version == saved.version
    path = tmp_path / "cable" / saved.version / "manifest.json"
    path.write_text(path.read_text().replace("0.1", "0.2"))
    with pytest.raises(ModelError, match="changed after it was saved"):
        store.verify("cable", saved.version)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"requires": ["flow"]}, "it needs what this Linewatch does not know: 'flow'"),
        (
            {"thresholds": {"pass_form": 0.5}},
            r"there is no key 'thresholds.pass_form' \(is 'pass_from' meant\?\)",
        ),
    ],
)
def test_what_decides_verdicts_and_is_not_known_is_named(
    head: Head, make_draft: Make, tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    store = ModelStore(str(tmp_path))
    saved, fine = store.save(head, make_draft()), store.save(head, make_draft())
    path = tmp_path / "cable" / saved.version / "manifest.json"
    path.write_text(json.dumps({**saved.model_dump(mode="json"), **more}))
    with pytest.raises(ModelError, match=f"manifest.json .*{words}.*update this one"):
        store.load("cable", saved.version)
    store.verify("cable", fine.version)
