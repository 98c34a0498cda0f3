"""A head fitted on real pictures' features judges as scikit-learn does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model_store.heads.fit import fit_head, pipeline
from model_store.serving.apply import AffineHead
from tests.support.pictures import real_pictures
from vision.extractor import FeatureExtractor


@pytest.mark.parametrize("name", ["mvtec-bottle", "x-sdd"])
def test_probabilities_are_scikit_learns(extractor: FeatureExtractor, name: str) -> None:
    paths = real_pictures(name, each=8)
    labels = [path.parent.name for path in paths]
    prepared = torch.stack([extractor.prepare(path.read_bytes()).pixels for path in paths])
    features = extractor.features(prepared)
    stored = (
        features.cpu().numpy().astype(np.float16).astype(np.float64)
    )  # as the database has them

    expected = pipeline().fit(stored, np.array(labels)).predict_proba(features.double().numpy())
    got = AffineHead(fit_head(stored, labels))(features)
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-5)
    assert len(set(labels)) >= 3
