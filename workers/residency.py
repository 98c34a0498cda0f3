"""Which model serves which product, kept resident and swapped between two batches.

A background thread looks for promotions; the device thread reads one immutable table per batch.
A version that cannot be loaded, or whose features are not these encoders', never replaces one that
works: the old one keeps serving, and an alert says so.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Event, Lock, Thread

import numpy as np
import numpy.typing as npt
import torch
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db import alerts, deployments, model_versions, products
from db.deployments import CHAMPION, SHADOW
from linewatch.errors import ModelError
from linewatch.products import ProductSpec
from model_store.apply import AffineHead, NoveltyMeter
from model_store.rejudge import judgements
from model_store.store import ModelStore, StoredModel
from model_store.verdict import Judgement
from workers.coverage import uncovered

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]

_ALERTS = {CHAMPION: "model_refused", SHADOW: "shadow_refused"}


@dataclass(frozen=True, slots=True, eq=False)
class ResidentModel:
    """A model version on the device, ready to judge."""

    stored: StoredModel
    head: AffineHead
    novelty: NoveltyMeter | None = None

    @property
    def version(self) -> str:
        """The name that every row it judges will carry."""
        return self.stored.manifest.version

    def judge(self, features: torch.Tensor, vectors: Floats) -> tuple[Floats, list[Judgement]]:
        """Judge a batch of this product's parts.

        Args:
            features: float32 [n, d] on the device.
            vectors: the same on the host.

        Returns:
            float32 [n, k] probabilities in the order of the head's classes, and n judgements.
        """
        scores = self.head(features).cpu().numpy()
        distances = None if self.novelty is None else self.novelty(features).cpu().numpy()
        return scores, judgements(self.stored, vectors, scores, distances)


@dataclass(slots=True)
class _Table:
    products: Mapping[str, ProductSpec] = field(default_factory=dict)
    models: Mapping[str, ResidentModel] = field(default_factory=dict)
    shadows: Mapping[str, ResidentModel] = field(default_factory=dict)


class Residency:
    """The products and champions that this worker knows.

    Args:
        engine: the database that says which version is champion.
        store: where versions are loaded from.
        fingerprint: that of this worker's features; a model must have been fitted on the same, or
            have been shown to agree on both, see `workers.coverage`.
        device: where heads are put.
        poll_s: how often a promotion is looked for, in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        store: ModelStore,
        *,
        fingerprint: str,
        device: torch.device,
        poll_s: float,
    ) -> None:
        self._engine = engine
        self._store = store
        self._fingerprint = fingerprint
        self._device = device
        self._poll_s = poll_s
        self._table = _Table()
        self._refused: dict[tuple[str, str], str] = {}  # product and role to version
        self._refreshing = Lock()
        self._stop = Event()
        self._thread = Thread(target=self._poll, name="residency", daemon=True)

    def start(self) -> None:
        """Load the champions, then watch for promotions.

        Raises:
            ModelError: a champion was fitted on other features than this worker makes.
        """
        self.refresh(refuse_foreign=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def product(self, code: str) -> ProductSpec | None:
        """The product called `code`; one registered a moment ago is found too."""
        if code not in self._table.products:
            self._refresh_products()
        return self._table.products.get(code)

    @property
    def products(self) -> list[str]:
        """Every product's code."""
        return list(self._table.products)

    def model(self, product: str) -> ResidentModel | None:
        """The champion of `product`, or None while it has none."""
        return self._table.models.get(product)

    def shadow(self, product: str) -> ResidentModel | None:
        """What judges `product` beside the champion without a say, or None."""
        return self._table.shadows.get(product)

    @property
    def versions(self) -> dict[str, str]:
        """Product to resident version."""
        return {product: model.version for product, model in self._table.models.items()}

    def refresh(self, *, refuse_foreign: bool = False) -> None:
        """Look once for promotions and new products, and swap in what changed."""
        with self._refreshing:
            current = self._table
            champions = deployments.champions(self._engine)
            models = self._resident(champions, current.models, CHAMPION, refuse_foreign)
            shadows = deployments.shadows(self._engine)
            shadowing = self._resident(shadows, current.shadows, SHADOW)
            # A shadow that cannot be loaded is none; an old one would judge in the wrong name.
            shadowing = {p: m for p, m in shadowing.items() if m.version == shadows[p]}
            self._table = _Table(products.all_products(self._engine), models, shadowing)
            wanted = {CHAMPION: champions, SHADOW: shadows}
            for product, role in list(self._refused):
                if product not in wanted[role]:  # retired, or switched off
                    self._accept(product, role)

    def _resident(
        self,
        wanted: Mapping[str, str],
        current: Mapping[str, ResidentModel],
        role: str,
        refuse_foreign: bool = False,
    ) -> dict[str, ResidentModel]:
        models = {}
        for product, version in wanted.items():
            serving = current.get(product)
            if serving is not None and serving.version == version:
                models[product] = serving
                self._accept(product, role)
                continue
            fresh = self._load(product, version, role, refuse_foreign=refuse_foreign)
            if fresh is not None:
                models[product] = fresh
            elif serving is not None:
                models[product] = serving
        return models

    def _refresh_products(self) -> None:
        with self._refreshing:
            self._table = replace(self._table, products=products.all_products(self._engine))

    def _load(
        self, product: str, version: str, role: str, *, refuse_foreign: bool
    ) -> ResidentModel | None:
        try:
            known = model_versions.get(self._engine, version)
            digest = None if known is None else known.manifest_sha256
            stored = self._store.load(product, version, manifest_sha256=digest)
        except ModelError as error:
            self._refuse(product, version, role, str(error))
            return None
        problem = uncovered(self._engine, stored.manifest, self._fingerprint)
        if problem is not None:
            if refuse_foreign:
                raise ModelError(problem)
            self._refuse(product, version, role, problem)
            return None
        head = AffineHead(stored.head).to(self._device).eval()
        novelty = None if stored.novelty is None else NoveltyMeter(stored.novelty)
        self._accept(product, role)
        log.info("model %s is %s of %s now", version, role, product)
        return ResidentModel(stored, head, novelty and novelty.to(self._device).eval())

    def _refuse(self, product: str, version: str, role: str, problem: str) -> None:
        if self._refused.get((product, role)) == version:
            return
        self._accept(product, role)
        log.error("%s %s refused: %s", role, version, problem)
        alerts.raise_alert(
            self._engine,
            kind=_ALERTS[role],
            severity="critical" if role == CHAMPION else "warning",
            product=product,
            message=problem,
        )
        # Last: an alert that could not be stored is tried again.
        self._refused[product, role] = version

    def _accept(self, product: str, role: str) -> None:
        """The version serves, or another one is refused: what this worker alerted of is over."""
        if (product, role) in self._refused:
            alerts.resolve(self._engine, kind=_ALERTS[role], product=product)
            del self._refused[product, role]

    def _poll(self) -> None:
        while not self._stop.wait(self._poll_s):
            try:
                self.refresh()
            except SQLAlchemyError as error:
                log.warning("cannot look for promotions: %s", error)
            except Exception:  # the only one who looks must not die
                log.exception("cannot take a promotion over")
