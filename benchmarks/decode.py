"""Which decoder is worth having: milliseconds of one core from file to encoder input.

    python -m benchmarks.decode --pictures FOLDER [--json benchmarks/results/decode.json]

The folder's pictures are brought to 1024x1024 and written as JPEG (quality 92) and PNG. Decoders
take turns on each file, so that a busy machine slows all of them alike; what is counted is the
thread's own processor time, decoding and resizing apart.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from linewatch.settings import Settings
from vision.extractor import FeatureExtractor
from vision.preprocess import preprocess

Pixels = NDArray[np.uint8]
Decoder = Callable[[bytes], Pixels]
SIDE = 1024


def pillow(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))


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
        "Pillow, scaled": pillow_scaled,
        "torchvision.io": torchvision,
        "OpenCV": opencv,
        "simplejpeg": simplejpeg,
    },
    "PNG": {"Pillow": pillow, "torchvision.io": torchvision, "OpenCV": opencv},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    extractor = FeatureExtractor.from_settings(Settings(device="cpu", backend="torch"))
    rows, ratios = [], {}
    for kind, decoders in DECODERS.items():
        files = pictures(args.pictures, args.count, kind)
        found = measure(files, usable(decoders, files[0]), args.rounds, extractor)
        rows += [{"format": kind, **row} for row in found]
        best = found[0]["total_ms"]
        ratios |= {f"{kind.lower()} Pillow / {r['decoder']}": best / r["total_ms"] for r in found}
    result = report(args, rows, ratios)
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def pictures(folder: Path, count: int, kind: str) -> list[bytes]:
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    files = []
    for path in paths[:: max(1, len(paths) // count)][:count]:
        image = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        image.save(buffer, kind, **({"quality": 92} if kind == "JPEG" else {}))
        files.append(buffer.getvalue())
    return files


def usable(decoders: dict[str, Decoder], data: bytes) -> dict[str, Decoder]:
    found = {}
    for name, decode in decoders.items():
        try:
            decode(data)
            found[name] = decode
        except ImportError:
            print(f"{name} is not installed: left out")
    return found


def measure(
    files: list[bytes], decoders: dict[str, Decoder], rounds: int, extractor: FeatureExtractor
) -> list[dict[str, Any]]:
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in decoders}
    inputs: dict[str, list[torch.Tensor]] = {name: [] for name in decoders}
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
    features = {name: extractor.features(torch.stack(rows)) for name, rows in inputs.items()}
    wanted = features["Pillow"]
    return [
        {
            "decoder": name,
            "decode_ms": statistics.median(decode),
            "resize_ms": statistics.median(resize),
            "total_ms": statistics.median(a + b for a, b in zip(decode, resize, strict=True)),
            "least_cosine": float(torch.cosine_similarity(features[name], wanted).min()),
        }
        for name, (decode, resize) in times.items()
    ]


def report(args: argparse.Namespace, rows: list[Any], ratios: dict[str, float]) -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    return {
        "name": "decode",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "machine": {
            "cores": os.cpu_count(),
            "platform": platform.platform(),
            "load_1_min": os.getloadavg()[0],
        },
        "settings": {"side": SIDE, "files": args.count, "rounds": args.rounds, "jpeg_quality": 92},
        "rows": rows,
        "ratios": ratios,
    }


if __name__ == "__main__":
    main()
