from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from producer.simulator import (
    CLASSES,
    STANDARD,
    CableDesign,
    Conditions,
    Drift,
    SimulatedLine,
    render,
    save,
)
from producer.simulator.line import normalised_mix

DEFECTS = CLASSES[1:]
SMALL = 256


def picture(defect_class: str, seed: int = 1, size: int = SMALL) -> NDArray[np.uint8]:
    return render(defect_class, np.random.default_rng(seed), size=size)


def digest(pixels: NDArray[np.uint8]) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def test_there_are_nine_classes_good_first() -> None:
    assert CLASSES[0] == "good"
    assert len(CLASSES) == 9
    assert list(DEFECTS) == sorted(DEFECTS)


@pytest.mark.parametrize("defect_class", CLASSES)
def test_every_class_renders_at_full_size(defect_class: str) -> None:
    pixels = picture(defect_class, size=1024)
    assert pixels.shape == (1024, 1024, 3)
    assert pixels.dtype == np.uint8
    assert 60 < pixels.mean() < 190  # neither black nor blown out
    assert (pixels == 255).mean() < 0.01


@pytest.mark.parametrize("size", [64, 100, 224, 640])
def test_other_sizes_show_the_same_part(size: int) -> None:
    small, large = picture("good", size=size), picture("good", size=512)
    shrunk = [cv2.resize(p, (16, 16), interpolation=cv2.INTER_AREA) for p in (small, large)]
    assert np.abs(shrunk[0].astype(int) - shrunk[1].astype(int)).mean() < 14


@pytest.mark.parametrize("defect_class", CLASSES)
def test_the_same_seed_gives_the_same_bytes(defect_class: str) -> None:
    assert digest(picture(defect_class)) == digest(picture(defect_class))
    assert digest(picture(defect_class)) != digest(picture(defect_class, seed=2))


def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import hashlib; from producer.simulator import SimulatedLine;"
        f"pixels = SimulatedLine(seed=5, size={SMALL}).part(3).pixels;"
        "print(hashlib.sha256(pixels.tobytes()).hexdigest())"
    )
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert fresh.stdout.strip() == digest(SimulatedLine(seed=5, size=SMALL).part(3).pixels)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("defect_class", DEFECTS)
def test_a_defect_changes_the_good_part_in_one_region(defect_class: str, seed: int) -> None:
    good, bad = picture("good", seed, 512), picture(defect_class, seed, 512)
    difference = np.abs(good.astype(int) - bad.astype(int)).max(axis=2)
    assert (difference > 25).sum() > 20, "a person could not see it"
    assert (difference == 0).mean() > 0.55, "it is not local"


def test_a_part_depends_on_its_index_alone() -> None:
    line = SimulatedLine(seed=7, size=64)
    forwards = [digest(p.pixels) for p in line.parts(6)]
    backwards = [digest(line.part(i).pixels) for i in reversed(range(6))]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == 6
    assert forwards != [digest(p.pixels) for p in SimulatedLine(seed=8, size=64).parts(6)]


def test_parts_name_line_camera_lot_and_serial() -> None:
    line = SimulatedLine(seed=1, lines=("a", "b"), lot_size=3, size=64, first_serial=100)
    parts = list(line.parts(6))
    assert [p.index for p in parts] == list(range(6))
    assert [p.line for p in parts] == ["a", "b"] * 3
    assert [p.camera for p in parts[:5]] == [
        "a-camera-1",
        "b-camera-1",
        "a-camera-2",
        "b-camera-2",
        "a-camera-1",
    ]
    assert [p.lot for p in parts] == ["lot-00001"] * 3 + ["lot-00002"] * 3
    assert parts[0].serial == "C00000100"


def test_the_mix_is_respected() -> None:
    line = SimulatedLine(seed=3, mix={"good": 3, "bent_wire": 1}, size=64)
    made = Counter(p.defect_class for p in line.parts(100))
    assert set(made) == {"good", "bent_wire"}
    assert 0.6 < made["good"] / 100 < 0.9


def test_the_mix_is_normalised() -> None:
    mix = normalised_mix({"good": 3, "bent_wire": 1})
    assert mix["good"] == 0.75
    assert mix["missing_wire"] == 0
    assert tuple(mix) == CLASSES
    assert sum(SimulatedLine(seed=1).mix.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("mix", "words"),
    [
        ({"rust": 1.0}, "rust.*use these classes: good, bent_wire"),
        ({"good": -0.1}, "good a share of -0.1"),
        ({"good": float("nan")}, "good a share of nan"),
        ({"good": 0.0}, "all zero"),
        ({}, "all zero"),
    ],
)
def test_a_wrong_mix_is_refused(mix: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SimulatedLine(seed=1, mix=mix)


def test_drift_darkens_from_its_start_on() -> None:
    drift = Drift(start=3, fade_per_part=0.1, wear_per_part=0.05)
    steady = SimulatedLine(seed=2, mix={"good": 1}, size=64)
    fading = SimulatedLine(seed=2, mix={"good": 1}, drift=drift, size=64)
    light = [
        (a.pixels.mean(), b.pixels.mean())
        for a, b in zip(steady.parts(9), fading.parts(9), strict=True)
    ]
    assert all(a == b for a, b in light[:4])
    assert all(b < a for a, b in light[4:])
    assert light[8][1] < 0.7 * light[8][0]


def test_drift_ends_somewhere_and_is_off_by_default() -> None:
    end = Drift(fade_per_part=0.1, wear_per_part=0.1).conditions(10_000)
    assert (end.lighting, end.wear) == (0.25, 1.0)
    assert Drift().conditions(10_000) == Conditions()


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(lighting=0.5),
        Conditions(colour_temperature_k=3200),
        Conditions(direction_deg=0),
        Conditions(defocus_px=4),
        Conditions(noise=10),
        Conditions(pose_jitter=0),
        Conditions(wear=1),
    ],
)
def test_every_condition_shows(conditions: Conditions) -> None:
    changed = render("good", np.random.default_rng(1), conditions=conditions, size=SMALL)
    difference = np.abs(changed.astype(int) - picture("good").astype(int))
    assert difference.mean() > 0.5


@pytest.mark.parametrize("seed", range(12))
def test_other_products_render(seed: int) -> None:
    rng = np.random.default_rng(seed)
    design = CableDesign.random(rng)
    assert design != STANDARD
    assert render(CLASSES[seed % 9], rng, design=design, size=128).shape == (128, 128, 3)


@pytest.mark.parametrize("count", [2, 6])
def test_two_defects_fit_on_any_number_of_conductors(count: int) -> None:
    colours = tuple((40 * i, 120, 200 - 30 * i) for i in range(count))
    design = CableDesign(insulations=colours, conductor_radius=0.12, strands=7)
    for seed in range(20):
        render("combined", np.random.default_rng(seed), design=design, size=64)


def test_an_unknown_class_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'rust'; the classes are good, bent_wire"):
        picture("rust")


@pytest.mark.parametrize("size", [0, 60, 130])
def test_an_odd_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        picture("good", size=size)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        CableDesign(conductor_radius=0.3)
    with pytest.raises(ValueError, match="2 to 6"):
        CableDesign(insulations=((1, 2, 3),))
    with pytest.raises(ValueError, match="wear"):
        Conditions(wear=1.5)
    with pytest.raises(ValueError, match="must not be negative"):
        Drift(start=-1)
    with pytest.raises(ValueError, match="seed=-1"):
        SimulatedLine(seed=-1)
    with pytest.raises(ValueError, match="no part -1"):
        SimulatedLine(seed=1).part(-1)


@pytest.mark.parametrize("name", ["part.jpg", "part.JPEG", "part.png"])
def test_save_leaves_one_whole_picture(tmp_path: Path, name: str) -> None:
    pixels = picture("bent_wire")
    save(pixels, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    read = cv2.imread(str(tmp_path / name))
    assert read is not None
    assert np.abs(read[..., ::-1].astype(int) - pixels.astype(int)).mean() < 3


def test_save_shows_a_watcher_only_the_finished_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def fail(self: Path, target: Path) -> Path:
        seen.append([p.name for p in tmp_path.iterdir()])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save(picture("good"), tmp_path / "part.jpg")
    assert len(seen[0]) == 1
    assert Path(seen[0][0]).suffix == ".part"
    assert list(tmp_path.iterdir()) == []


def test_save_refuses_what_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.jpg, \.jpeg or \.png"):
        save(picture("good"), tmp_path / "part.gif")
    with pytest.raises(ValueError, match="uint8"):
        save(np.zeros((8, 8), np.uint8), tmp_path / "part.png")
