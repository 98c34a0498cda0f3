"""Milliseconds of one core from a file to the encoders' input, by decoder.

1024x1024 pictures as JPEG (quality 92) and PNG: photographs where LINEWATCH_TEST_DATA names them,
else those of the simulated line. Decoders take turns on each file, so that a busy machine slows all
of them alike; what counts is the thread's own processor time. The cosines are those of features to
the features of Pillow's pixels: of the full-size encoders, whose weights are seeded, and of the
compact ones, which were trained and tell more apart.
"""

from __future__ import annotations

import io
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.intervals import ratio_of_pairs
from benchmarks.report import Findings
from benchmarks.scale import rounds, scaled
from benchmarks.workplace import Workplace
from vision import decode as of_workers
from vision.extractor import FeatureExtractor
from vision.preprocess import preprocess

Pixels = NDArray[np.uint8]
Decoder = Callable[[bytes], Pixels]
SIDE = 1024


def pillow(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))


def worker(data: bytes) -> Pixels:
    """As a worker does: Pillow reads the header, simplejpeg the pixels of a flawless JPEG."""
    return of_workers.decode(data, max_pixels=SIDE * SIDE).pixels


def pillow_scaled(data: bytes) -> Pixels:
    """libjpeg's DCT scaling to no less than twice the encoders' side."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (448, 448))
        return np.array(image.convert("RGB"))


def torchvision(data: bytes) -> Pixels:
    from torchvision.io import ImageReadMode, decode_image

    raw = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    return decode_image(raw, mode=ImageReadMode.RGB).permute(1, 2, 0).numpy()


def opencv(data: bytes) -> Pixels:
    import cv2

    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    return np.asarray(image, np.uint8)


def simplejpeg(data: bytes) -> Pixels:
    import simplejpeg as library

    return np.asarray(library.decode_jpeg(data, colorspace="RGB"), np.uint8)


DECODERS: dict[str, dict[str, Decoder]] = {
    "JPEG": {
        "Pillow": pillow,
        "Pillow + simplejpeg": worker,
        "Pillow, scaled": pillow_scaled,
        "torchvision.io": torchvision,
        "OpenCV": opencv,
        "simplejpeg": simplejpeg,
    },
    "PNG": {"Pillow": pillow, "torchvision.io": torchvision, "OpenCV": opencv},
}


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Each decoder that is installed."""
    count, turns = scaled(36, least=2), rounds(quick)
    settings = workplace.settings("decode", "").model_copy(
        update={"device": "cpu", "backend": "torch", "precision": "float32"}
    )
    photographs = os.environ.get("LINEWATCH_TEST_DATA")
    folder = Path(photographs) if photographs else workplace.pictures[0].path.parent
    encoders = {
        "full": FeatureExtractor.from_settings(settings),
        "compact": FeatureExtractor.from_settings(
            settings.model_copy(update={"encoders": "compact", "weights_dir": None})
        ),
    }
    findings = Findings({"side": SIDE, "files": count, "rounds": turns, "jpeg_quality": 92})
    findings.settings["pictures"] = "photographs" if photographs else "simulated line"
    threads = torch.get_num_threads()
    for kind, decoders in DECODERS.items():
        files = pictures(folder, count, kind)
        torch.set_num_threads(1)
        times, inputs = measure(files, usable(decoders, files[0], findings), turns)
        torch.set_num_threads(threads)
        rows = compared(times, inputs, encoders)
        findings.rows += [{"format": kind, **row} for row in rows]
        by_round = {name: per_round(*spent, len(files)) for name, spent in times.items()}
        findings.ratios |= {
            f"{kind.lower()}_pillow_to_{name}": ratio_of_pairs(by_round["Pillow"], spent).as_row()
            for name, spent in by_round.items()
            if name != "Pillow"
        }
    return findings


def pictures(folder: Path, count: int, kind: str) -> list[bytes]:
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    files = []
    for path in paths[:: max(1, len(paths) // count)][:count]:
        image = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        image.save(buffer, kind, **({"quality": 92} if kind == "JPEG" else {}))
        files.append(buffer.getvalue())
    return files


def usable(decoders: dict[str, Decoder], data: bytes, findings: Findings) -> dict[str, Decoder]:
    found = {}
    for name, decode in decoders.items():
        try:
            decode(data)
            found[name] = decode
        except ImportError as error:
            findings.skip(name, str(error))
    return found


Times = dict[str, tuple[list[float], list[float]]]
Inputs = dict[str, list[torch.Tensor]]


def measure(files: list[bytes], decoders: dict[str, Decoder], rounds: int) -> tuple[Times, Inputs]:
    """Milliseconds of decoding and of resizing, and what comes out, by decoder."""
    times: Times = {name: ([], []) for name in decoders}
    inputs: Inputs = {name: [] for name in decoders}
    for turn in range(rounds):
        for data in files:
            for name, decode in decoders.items():
                began = time.thread_time()
                pixels = decode(data)
                decoded = time.thread_time()
                ready = preprocess(pixels)
                times[name][0].append(1000 * (decoded - began))
                times[name][1].append(1000 * (time.thread_time() - decoded))
                if turn == 0:
                    inputs[name].append(ready)
    return times, inputs


def per_round(decode_ms: list[float], resize_ms: list[float], files: int) -> list[float]:
    """The median file's milliseconds in each round; the rounds lie one after the other."""
    totals = [a + b for a, b in zip(decode_ms, resize_ms, strict=True)]
    return [statistics.median(totals[at : at + files]) for at in range(0, len(totals), files)]


def compared(
    times: Times, inputs: Inputs, encoders: dict[str, FeatureExtractor]
) -> list[dict[str, Any]]:
    """A row for each decoder, Pillow's first."""
    batches = {name: torch.stack(pictures) for name, pictures in inputs.items()}
    least: dict[str, dict[str, float]] = {name: {} for name in inputs}
    for encoder, extractor in encoders.items():
        wanted = extractor.features(batches["Pillow"])
        for name, batch in batches.items():
            cosines = torch.cosine_similarity(extractor.features(batch), wanted)
            least[name][f"least_cosine_{encoder}"] = float(cosines.min())
    return [
        {
            "decoder": name,
            "decode_ms": statistics.median(decode),
            "resize_ms": statistics.median(resize),
            "total_ms": statistics.median(a + b for a, b in zip(decode, resize, strict=True)),
            **least[name],
        }
        for name, (decode, resize) in times.items()
    ]
