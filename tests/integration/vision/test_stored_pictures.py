"""Pictures whose features were not kept are read again, as a worker would read them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from db.inspections.passed_part import PassedPicture
from linewatch.errors import ModelError
from linewatch.evaluation.stored_pictures import StoredPictures
from linewatch.products import parse_product
from linewatch.settings import Settings
from model_store.novelty.patch_memory import PatchMemory
from training.comparison.containment import Seen, Unread
from vision.extractor import FeatureExtractor

SPEC = parse_product(
    {"product": "p", "classes": [{"code": "ok", "good": True}, {"code": "bent"}]}, "a test"
)


def a_picture(number: int, path: Path, sha256: str | None = None) -> PassedPicture:
    return PassedPicture(UUID(int=number), "C1", str(path), sha256, None)


def test_what_is_read_again_is_what_would_have_been_stored(
    extractor: FeatureExtractor, tmp_path: Path
) -> None:
    """And what cannot be read says why."""
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    settings = Settings(image_roots=(tmp_path,))
    reader = StoredPictures(extractor, SPEC, settings, extractor.fingerprint)
    there, away = a_picture(1, path), a_picture(2, tmp_path / "none.png")
    other = a_picture(3, path, "0" * 64)
    found = reader.seen([there, away, other])
    stored = found[there.id]
    assert isinstance(stored, Seen)
    assert stored.patches is None
    pixels = extractor.prepare(path.read_bytes()).pixels
    made = extractor.features(pixels[None]).cpu().numpy()[0]
    assert np.allclose(np.frombuffer(stored.vector, "<f2"), made, atol=1e-3)
    for one, words in ((away, "does not exist"), (other, "another picture lies there now")):
        said = found[one.id]
        assert isinstance(said, Unread)
        assert words in said


def test_places_are_looked_at_where_a_model_remembers_patches(
    extractor: FeatureExtractor, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (2, 64, 64, 3), np.uint8)
    asked = [a_picture(n, tmp_path / f"{n}.png") for n in (0, 1)]
    for one, picture in zip(asked, pixels, strict=True):
        Image.fromarray(picture).save(str(one.uri))
    ready = extractor.prepare(Path(str(asked[0].uri)).read_bytes()).pixels
    tokens = extractor.features_and_tokens_of([ready])[1][0].numpy()
    memory = PatchMemory(tokens.astype(np.float16))
    settings = Settings(image_roots=(tmp_path,))
    found = StoredPictures(extractor, SPEC, settings, extractor.fingerprint, memory).seen(asked)
    own, other = (found[one.id] for one in asked)
    assert isinstance(own, Seen)
    assert own.patches == pytest.approx(0, abs=2e-3)
    assert isinstance(other, Seen)
    assert other.patches is not None
    assert other.patches > 0.01


def test_other_encoders_are_refused(extractor: FeatureExtractor) -> None:
    with pytest.raises(ModelError, match="the model wants features"):
        StoredPictures(extractor, SPEC, Settings(), "f" * 64)
