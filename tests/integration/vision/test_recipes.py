"""Recipes made of parts, on real (compact) networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from linewatch.errors import ConfigurationError
from linewatch.settings import Settings
from model_store.heads.prompts import PARTS
from tests.support.pictures import texture
from vision.encoders import EncoderPair
from vision.extractor import FeatureExtractor
from vision.fingerprint import recipe_of, space_description
from vision.loading import load_clip, load_dino
from vision.parts import Part, columns, resized
from vision.recipe import SEED
from vision.recipes import RECIPES, PartsRecipe, join, recipe_named
from vision.weights import find_weights

EVERY = [
    *(Part("clip", p) for p in ("embedding", "mean", "max", "std", "grid2", "grid3")),
    *(Part("dino", p) for p in ("embedding", "mean", "max", "std", "grid2", "grid4")),
    Part("dino", "mean", block=-2),
    Part("clip", "max", block=-2),
]


@pytest.fixture(scope="module")
def pair(weights_dir: Path) -> EncoderPair:
    weights = find_weights(Settings(weights_dir=weights_dir))
    return EncoderPair(load_clip(weights), load_dino(weights))


def pictures(size: int, count: int = 3) -> torch.Tensor:
    stack = np.stack([texture(size, size, seed) for seed in range(count)])
    return torch.from_numpy(stack).permute(0, 3, 1, 2).contiguous()


@torch.inference_mode()
def test_the_two_embeddings_are_those_of_the_seeds_recipe(pair: EncoderPair) -> None:
    images = pictures(224)
    two = PartsRecipe("two/1", (Part("clip", "embedding"), Part("dino", "embedding")))
    assert torch.allclose(two(pair, images), SEED(pair, images), atol=1e-6)
    assert two.blocks(pair) == SEED.blocks(pair)


@torch.inference_mode()
def test_pools_are_of_the_same_patches(pair: EncoderPair) -> None:
    images = pictures(224)
    found = {str(part): block for part, block in columns(pair, images, EVERY).items()}
    assert len(found) == len(EVERY)
    for encoder in ("clip", "dino"):
        mean, peak = found[f"{encoder}.mean"], found[f"{encoder}.max"]
        assert (peak >= mean).all()
        spread = found[f"{encoder}.std"]
        assert (spread >= 0).all()  # some of a trained network's channels see nothing here
        assert (spread > 0).float().mean() > 0.5
    quarters = found["dino.grid2"].unflatten(1, (4, -1))
    assert torch.allclose(quarters.mean(dim=1), found["dino.mean"], atol=1e-5)
    tokens = pair.dino(pair.as_dino_sees(images)).last_hidden_state
    assert torch.allclose(found["dino.mean"], tokens[:, 1:].mean(dim=1), atol=1e-5)
    states = pair.dino(pair.as_dino_sees(images), output_hidden_states=True).hidden_states
    earlier = pair.dino.layernorm(states[-2])[:, 1:].mean(dim=1)
    assert torch.allclose(found["dino.mean[-2]"], earlier, atol=1e-5)
    assert not torch.allclose(found["dino.mean[-2]"], found["dino.mean"], atol=1e-2)


@torch.inference_mode()
def test_a_grid_keeps_where_something_is(pair: EncoderPair) -> None:
    part, images = Part("dino", "grid2"), pictures(224)
    cells = columns(pair, images, [part])[part].unflatten(1, (4, -1))
    tokens = pair.dino(pair.as_dino_sees(images)).last_hidden_state[:, 1:]
    side = int(tokens.shape[1] ** 0.5)
    lower_left = tokens.unflatten(1, (side, side))[:, side // 2 :, : side // 2].mean(dim=(1, 2))
    assert torch.allclose(cells[:, 2], lower_left, atol=1e-5)


@torch.inference_mode()
def test_tiles_are_put_together_where_they_were(pair: EncoderPair) -> None:
    images = pictures(448)
    part, whole = Part("dino", "grid2", "tiles"), Part("dino", "mean")
    found = columns(pair, images, [part])[part].unflatten(1, (4, -1))
    corners = [(0, 0), (0, 224), (224, 0), (224, 224)]
    for cell, (top, left) in enumerate(corners):
        tile = images[..., top : top + 224, left : left + 224]
        assert torch.allclose(found[:, cell], columns(pair, tile, [whole])[whole], atol=1e-4)


@torch.inference_mode()
def test_flips_make_no_difference_to_the_flipped_view(pair: EncoderPair) -> None:
    images = pictures(224)
    parts = [Part(e, p, "flip") for e in ("clip", "dino") for p in ("embedding", "mean", "std")]
    found, mirrored = columns(pair, images, parts), columns(pair, images.flip(-1), parts)
    for part in parts:
        assert torch.allclose(found[part], mirrored[part], atol=1e-4)


@torch.inference_mode()
def test_a_finer_view_is_another_and_no_longer_than_the_whole(pair: EncoderPair) -> None:
    images = pictures(336)
    fine, whole = Part("dino", "mean", "fine"), Part("dino", "mean")
    found = columns(pair, images, [fine, whole])
    assert found[fine].shape == found[whole].shape
    assert not torch.allclose(found[fine], found[whole], atol=1e-2)
    assert resized(images, 336) is images
    assert PartsRecipe("x/1", (fine, whole)).size == 336


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_serves(name: str, weights_dir: Path) -> None:
    settings = Settings(weights_dir=weights_dir, device="cpu", recipe=name)
    extractor = FeatureExtractor.from_settings(settings)
    batch = pictures(extractor.size)
    features = extractor.features(batch)
    assert features.shape == (3, extractor.dim)
    assert torch.allclose(features.norm(dim=1), torch.ones(3), atol=1e-5)
    clip = extractor.embed_text(["a cable"]).shape[1]
    seed = FeatureExtractor.from_settings(settings, recipe=SEED)
    if extractor.size == seed.size:  # zero-shot finds CLIP's embedding in the first columns
        both = [x.features(batch)[:, :clip] for x in (extractor, seed)]
        first, second = (torch.nn.functional.normalize(block, dim=1) for block in both)
        assert torch.allclose(first, second, atol=1e-5)
    assert (extractor.fingerprint == seed.fingerprint) == (name == "seed")
    assert recipe_of(extractor.describe_space()) == recipe_named(name).name


def test_a_network_too_shallow_for_a_recipe_is_one_sentence(pair: EncoderPair) -> None:
    with pytest.raises(ConfigurationError, match=r"wants dino.mean\[-9\], but that encoder has"):
        PartsRecipe("deep/1", (Part("dino", "mean", block=-9),)).blocks(pair)


def test_an_unknown_recipe_is_one_sentence() -> None:
    with pytest.raises(ConfigurationError, match="no recipe is called 'soup'; there are seed"):
        recipe_named("soup")


def test_a_space_says_its_recipe() -> None:
    assert space_description("compact", SEED.name) == "compact"
    assert recipe_of("compact") == SEED.name
    assert recipe_of(space_description("compact, trained", "pools/1")) == "pools/1"


def test_join_weighs_parts_alike() -> None:
    joined = join([torch.full((1, 4), 1000.0), torch.full((1, 2), 0.001)])
    assert torch.allclose(joined[:, :4].norm(), joined[:, 4:].norm())
    assert torch.allclose(joined.norm(), torch.tensor(1.0))


@pytest.mark.parametrize("name", RECIPES)
def test_prompts_know_how_long_clips_part_is(name: str, pair: EncoderPair) -> None:
    recipe = recipe_named(name)
    images = torch.from_numpy(texture(recipe.size, recipe.size)).permute(2, 0, 1)[None]
    fused = recipe(pair, images)
    embedding = fused[0, : pair.dims[0]]
    assert float(embedding.norm()) == pytest.approx(PARTS[recipe.name] ** -0.5, abs=1e-5)
