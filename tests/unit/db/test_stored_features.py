"""A vector is kept as float16, and read back as that."""

from __future__ import annotations

import numpy as np
import pytest

from db.inspections.records import StoredFeatures
from model_store.serving.rejudge import vectors_of


@pytest.mark.parametrize("dtype", ["<f2", ">f2", np.float32, np.float64])
def test_whatever_it_was_made_as(dtype: str | type[np.floating]) -> None:
    vectors = np.array([[0.5, -1.25, 3e-5], [0, 1, 65504]], dtype)
    kept = [StoredFeatures.of("f1", vector) for vector in vectors]
    assert {features.fingerprint for features in kept} == {"f1"}
    assert kept[1].vector == b"\x00\x00\x00\x3c\xff\x7b"  # little endian
    read = vectors_of([features.vector for features in kept])
    assert np.array_equal(read, vectors.astype(np.float16).astype(np.float64))
