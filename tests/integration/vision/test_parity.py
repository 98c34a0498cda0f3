"""One preprocessing for both encoders gives the features that each one's own would give."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import torch
from PIL import Image

from tests.support.pictures import encoded, real_pictures, texture
from vision.encoders import CLIP_MEAN, CLIP_STD, DINO_MEAN, DINO_STD
from vision.extractor import FeatureExtractor

LEAST_COSINE = 0.9995


def generated() -> list[bytes]:
    sizes = [(224, 224), (900, 900), (1024, 768), (301, 977), (128, 128)]
    images = [Image.fromarray(texture(*size, seed=9)) for size in sizes]
    return [encoded(image, "PNG") for image in images] + [encoded(images[1], "JPEG")]


def bottles() -> list[bytes]:
    return [path.read_bytes() for path in real_pictures("mvtec-bottle", each=3)]


def strips() -> list[bytes]:
    return [path.read_bytes() for path in real_pictures("x-sdd", each=3)]


@pytest.mark.parametrize("pictures", [generated, bottles, strips])
def test_features_agree_with_each_encoders_own_preprocessing(
    extractor: FeatureExtractor, pictures: Callable[[], list[bytes]]
) -> None:
    import open_clip
    from transformers import BitImageProcessor

    files = pictures()
    images = [Image.open(io.BytesIO(data)).convert("RGB") for data in files]
    encoders = extractor._networks.encoders()
    with torch.inference_mode():
        mine = encoders(torch.stack([extractor.prepare(data).pixels for data in files]))

    of_clip = open_clip.image_transform(224, is_train=False, mean=CLIP_MEAN, std=CLIP_STD)
    of_dino = BitImageProcessor(image_mean=DINO_MEAN, image_std=DINO_STD)
    assert of_dino.size["shortest_edge"] == 224
    with torch.inference_mode():
        clip = encoders.clip.encode_image(torch.stack([of_clip(i) for i in images]))
        pixels = [of_dino(i, return_tensors="pt")["pixel_values"] for i in images]
        dino = encoders.dino(torch.cat(pixels)).pooler_output
    for got, want in zip(mine, (clip, dino), strict=True):
        assert torch.cosine_similarity(got, want).min() >= LEAST_COSINE
        assert torch.cosine_similarity(got, want.roll(1, 0)).mean() < LEAST_COSINE
