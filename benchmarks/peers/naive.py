"""What one would write in an afternoon: a Celery task a picture, and everything in it.

Preprocessing as the two libraries document it, torch in float32, a scikit-learn pipeline from a
pickle, one commit a picture. Run as `celery -A benchmarks.peers.naive worker -c 2`.
"""

from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from celery import Celery
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from transformers import AutoModel, BitImageProcessor

from benchmarks.peers.naive_table import NaiveVerdict

WEIGHTS = Path(os.environ.get("NAIVE_WEIGHTS", "."))
MODEL = Path(os.environ.get("NAIVE_MODEL", "model.pkl"))

app = Celery("naive", broker=os.environ.get("NAIVE_BROKER", "redis://"))
app.conf.task_ignore_result = True


@lru_cache(maxsize=1)
def networks() -> tuple[Any, Any, Any, Any]:
    clip, preprocess = open_clip.create_model_from_pretrained(
        f"local-dir:{WEIGHTS / 'clip'}", force_quick_gelu=True
    )
    dino = AutoModel.from_pretrained(WEIGHTS / "dinov2")
    processor = BitImageProcessor(  # facebook/dinov2-small's preprocessor_config.json
        size={"shortest_edge": 256},
        crop_size={"height": 224, "width": 224},
        resample=Image.Resampling.BICUBIC,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )
    return clip.eval(), preprocess, dino.eval(), processor


@lru_cache(maxsize=1)
def classifier() -> Any:
    return pickle.loads(MODEL.read_bytes())


@lru_cache(maxsize=1)
def database() -> Any:
    return create_engine(os.environ["NAIVE_DATABASE"])


def features(path: str) -> Any:
    clip, preprocess, dino, processor = networks()
    image = Image.open(path).convert("RGB")
    with torch.no_grad():
        first = clip.encode_image(preprocess(image).unsqueeze(0))[0]
        second = dino(**processor(images=image, return_tensors="pt")).pooler_output[0]
    first, second = first / first.norm(), second / second.norm()
    return torch.cat([first, second]).numpy()


@app.task(name="naive.inspect")
def inspect(path: str) -> None:
    shares = classifier().predict_proba([features(path)])[0]
    best = int(shares.argmax())
    with Session(database()) as session:
        session.add(
            NaiveVerdict(
                path=path,
                label=str(classifier().classes_[best]),
                confidence=float(shares[best]),
                decided_at=datetime.now(UTC),
            )
        )
        session.commit()


def fit(paths: list[str], labels: list[str]) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    model.fit(np.stack([features(path) for path in paths]), labels)
    MODEL.write_bytes(pickle.dumps(model))
