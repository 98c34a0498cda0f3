"""Which model serves which product, kept resident and swapped between two batches.

A background thread looks for promotions; the device thread reads one immutable table per batch.
A version that cannot be loaded, or whose features these encoders do not make, never replaces one
that works: the old one keeps serving, and an alert says so. Where there is no old one, this worker
judges no pictures of that product: another worker may have what it lacks.

Each model names its feature space. Pictures of a product are seen as its champion's were.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from threading import Event, Lock

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db import alerts, products
from db.models import deployments
from db.models import versions as model_versions
from db.models.standing import CHAMPION, SHADOW
from db.session import transaction
from linewatch.errors import ModelError
from linewatch.products import ProductSpec
from model_store.store import ModelStore
from vision.extractor import FeatureExtractor
from workers.health.periodic_thread import PeriodicThread
from workers.serving.load_failures import LoadFailures
from workers.serving.resident_model import ResidentModel
from workers.serving.serving import Serving, Table
from workers.serving.spaces import Spaces

log = logging.getLogger(__name__)

_PRODUCT = "product_refused"
FIRST_LOOK_S = 20.0  # what a worker's start waits for its models; a share may hang for longer


class Residency:
    """The products and champions that this worker knows.

    Args:
        engine: the database that says which version is champion.
        store: where versions are loaded from.
        spaces: the features that this worker makes; a model must have been fitted on some of them,
            or have been shown to agree on both, see `training.precision.coverage`.
        poll_s: how often a promotion is looked for, in seconds.
        worker: this worker's name, for alerts.
    """

    def __init__(
        self,
        engine: Engine,
        store: ModelStore,
        *,
        spaces: Spaces,
        poll_s: float,
        worker: str = "this worker",
    ) -> None:
        self._engine = engine
        self._store = store
        self._spaces = spaces
        self._table = Table()
        self._failures = LoadFailures(engine, worker, poll_s)
        self._broken: dict[str, str] | None = None  # products whose rows cannot be read, and why
        self._refreshing = Lock()
        self._looked = Event()
        self._thread = PeriodicThread(
            "residency",
            self.refresh,
            poll_s,
            failed="cannot look for promotions",
            expected=(SQLAlchemyError,),
            at_once=True,
        )

    def start(self) -> None:
        """Load the champions, then watch for promotions.

        A store that does not answer holds a worker's start up for a moment only; `idle_reason` says
        that its models are not there yet.
        """
        self._thread.start()
        self._looked.wait(FIRST_LOOK_S)

    def stop(self) -> None:
        """Stop watching."""
        self._thread.stop()

    def product(self, code: str) -> ProductSpec | None:
        """The product called `code`; one registered a moment ago is found too."""
        if code not in self._table.products:
            self._refresh_products()
        return self._table.products.get(code)

    def product_problem(self, code: str) -> str | None:
        """Why a product that is registered cannot be read, if so."""
        return (self._broken or {}).get(code)

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

    def serving(self, product: str) -> Serving | None:
        """What serves `product` now, all of one moment; None for a product that is not known."""
        return self._table.serving(product)

    def spaces_of(self, product: str) -> list[FeatureExtractor]:
        """The spaces in which its labelled pictures are wanted: of its models and of the next."""
        return self._table.spaces_of(product)

    @property
    def versions(self) -> dict[str, str]:
        """Product to resident version."""
        return {product: model.version for product, model in self._table.models.items()}

    @property
    def unserved(self) -> Mapping[str, str]:
        """Products with a champion that this worker cannot serve, and why."""
        return self._table.unserved

    @property
    def idle_reason(self) -> str | None:
        """Why there is no product whose pictures this worker could judge; None if there is one."""
        if not self._looked.is_set():
            return "its models are not loaded yet"
        table = self._table
        if not table.unserved or table.products.keys() - table.unserved.keys():
            return None
        return "; ".join(f"{product}: {why}" for product, why in sorted(table.unserved.items()))

    def refresh(self) -> None:
        """Look once for promotions and new products, and swap in what changed."""
        with self._refreshing:
            current = self._table
            champions = deployments.champions(self._engine)
            models = self._resident(champions, current.models, CHAMPION)
            shadows = deployments.shadows(self._engine)
            shadowing = self._resident(shadows, current.shadows, SHADOW)
            # A shadow that cannot be loaded is none; an old one would judge in the wrong name.
            shadowing = {p: m for p, m in shadowing.items() if m.version == shadows[p]}
            unserved = {
                product: self._failures.problem((product, CHAMPION)) or "it is not loaded"
                for product in champions
                if product not in models
            }
            known = self._known_products()
            unserved |= {c: why for c, why in (self._broken or {}).items() if c not in known}
            spaces = self._next_spaces(known, models)
            self._table = Table(known, models, shadowing, unserved, spaces)
            self._looked.set()
            wanted = {(product, CHAMPION) for product in champions}
            self._failures.keep(wanted | {(product, SHADOW) for product in shadows})

    def _resident(
        self, wanted: Mapping[str, str], current: Mapping[str, ResidentModel], role: str
    ) -> dict[str, ResidentModel]:
        models = {}
        for product, version in wanted.items():
            key, serving = (product, role), current.get(product)
            if serving is not None and serving.version == version:
                self._failures.over(key)
            elif self._failures.due(key, version):
                serving = self._load(product, version, role, serving) or serving
            if serving is not None:
                models[product] = serving
        return models

    def _refresh_products(self) -> None:
        with self._refreshing:
            known = self._known_products()
            spaces = self._next_spaces(known, self._table.models)
            self._table = replace(self._table, products=known, spaces=spaces)

    def _next_spaces(
        self, known: Mapping[str, ProductSpec], models: Mapping[str, ResidentModel]
    ) -> dict[str, FeatureExtractor]:
        champions = {product: model.stored.manifest for product, model in models.items()}
        return {c: self._spaces.of_product(spec, champions.get(c)) for c, spec in known.items()}

    def _known_products(self) -> dict[str, ProductSpec]:
        """The products as they are now; of one that cannot be read any more, as it was."""
        found = products.catalogue(self._engine)
        if self._broken is None:  # what a worker before this one alerted of
            standing = alerts.open_alerts(self._engine)
            self._broken = {a.product: "" for a in standing if a.product and a.kind == _PRODUCT}
        for code, problem in found.broken.items():
            if self._broken.get(code) != problem:
                with transaction(self._engine) as connection:
                    alerts.raise_alert(
                        connection,
                        kind=_PRODUCT,
                        severity="critical",
                        product=code,
                        message=products.REGISTER_AGAIN.format(problem=problem),
                    )
        for code in self._broken.keys() - found.broken.keys():
            with transaction(self._engine) as connection:
                alerts.resolve(connection, kind=_PRODUCT, product=code)
        self._broken = found.broken
        before = self._table.products
        return {c: before[c] for c in found.broken if c in before} | found.products

    def _load(
        self, product: str, version: str, role: str, serving: ResidentModel | None
    ) -> ResidentModel | None:
        key = (product, role)
        try:
            fresh = self._loaded(product, version)
        except SQLAlchemyError:
            raise
        except Exception as error:  # a store's driver, or the device, raises what it likes
            problem = str(error) if isinstance(error, ModelError) else repr(error)
            instead = None if serving is None else serving.version
            self._failures.add(key, version, problem, instead)
            return None
        self._failures.over(key)
        log.info("model %s is %s of %s now", version, role, product)
        return fresh

    def _loaded(self, product: str, version: str) -> ResidentModel:
        known = model_versions.get(self._engine, version)
        digest = None if known is None else known.manifest_sha256
        stored = self._store.load(product, version, manifest_sha256=digest)
        space = self._spaces.of_model(stored.manifest)
        return ResidentModel.of(stored, self._spaces.device, space)
