"""Features of labelled pictures that have none yet, made while an inspecting worker is idle.

Those of a picture's copies follow, where the product's `symmetry` allows any to learn from, and the
places of good pictures, which models remember.

After a change of encoders, of fit or of the region of interest, or where features were not kept,
labelled pictures must be read again before they can train. Inspecting workers have the encoders, so
they do it, but only when there is nothing to inspect: no message is involved, so nothing can be
lost, queue up, or be held by a worker that dies. Two workers may embed the same picture; the second
result changes nothing.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import torch
from redis import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.inspections.records import StoredFeatures, all_finite
from db.labels import labels
from db.labels.labels import UnseenExample
from db.models import feature_copies, feature_spaces, patch_tokens
from db.session import transaction
from vision.copies import copies_of
from vision.copy_names import copy_names
from vision.decode import digest
from vision.errors import Unjudgeable
from vision.extractor import FeatureExtractor, Prepared
from vision.patch_stages import LOOK
from vision.pictures import Pictures
from workers.health.periodic_thread import PeriodicThread
from workers.pipeline.in_flight import InFlight
from workers.pipeline.judge import Judge
from workers.serving.residency import Residency

log = logging.getLogger(__name__)

BATCH = 4  # pictures: what a picture to inspect may find itself behind, once
LOOK_AHEAD = 200
REST = 12  # idle periods without a look, after one that found nothing to do
_AWAY = (SQLAlchemyError, RedisError)  # the database, or who knows whether anything waits


class Embedder:
    """A thread that makes missing features while the worker has nothing to inspect.

    Args:
        engine: the database.
        judge: lends the device.
        residency: knows the products and the spaces in which their features are wanted.
        idle: whether there is nothing to inspect, now.
        pictures: where they are read from.
        idle_s: how long there must have been nothing to inspect, in seconds.
        places: whether models remember the places of good pictures.
    """

    def __init__(
        self,
        engine: Engine,
        judge: Judge,
        residency: Residency,
        *,
        idle: Callable[[], bool],
        pictures: Pictures,
        idle_s: float,
        places: bool = True,
    ) -> None:
        self._engine = engine
        self._judge = judge
        self._residency = residency
        self._idle = idle
        self._pictures = pictures
        self._places = places
        self._unusable: set[tuple[UUID, str]] = set()  # picture and fingerprint
        self._rest = 0  # idle periods
        self._thread = PeriodicThread(
            "embed",
            self._look,
            idle_s,
            failed="no features made",
            expected=_AWAY,
        )
        self.embedded = 0  # since the start

    def start(self) -> None:
        """Begin to look for idle moments."""
        self._thread.start()

    def stop(self) -> None:
        """Embed no more; the batch under way is finished."""
        self._thread.stop()

    def embed_some(self) -> int:
        """Embed pictures without features, or one picture's copies; returns how many it tried."""
        products = self._residency.products
        for product in products:
            for space in self._residency.spaces_of(product):
                print_ = space.fingerprint
                limit = self._limit(print_)
                missing = labels.without_features(self._engine, product, print_, limit=limit)
                todo = [e for e in missing if (e.id, print_) not in self._unusable]
                if todo:  # chosen at random, so that two workers seldom choose the same
                    self._embed(product, space, random.sample(todo, min(BATCH, len(todo))))
                    return len(todo[:BATCH])
        return int(
            any(self._copy_one(product) for product in products)
            or any(self._places_of_one(product) for product in products)
        )

    def _limit(self, print_: str) -> int:
        """How many to look at: the newest may be those that cannot be used, and older ones wait."""
        return LOOK_AHEAD + sum(1 for _, of in self._unusable if of == print_)

    def _places_of_one(self, product: str) -> bool:
        """Store the places of one good picture that lacks them; whether there was one."""
        spec = self._residency.product(product)
        if not self._places or spec is None or spec.good_class is None:
            return False
        for space in self._residency.spaces_of(product):
            if not space.gives_tokens:
                continue
            wanted = product, spec.good_class, space.fingerprint, LOOK
            limit = self._limit(space.fingerprint)
            missing = patch_tokens.without_tokens(self._engine, *wanted, limit=limit)
            todo = [e for e in missing if (e.id, space.fingerprint) not in self._unusable]
            for example in random.sample(todo, min(1, len(todo))):
                picture = self._prepare(product, space, example)
                if picture is not None:
                    self._store_places(example.id, space, picture.pixels)
                return True
        return False

    def _store_places(self, picture: UUID, space: FeatureExtractor, pixels: torch.Tensor) -> None:
        tokens = self._judge.tokens(space, pixels)
        width, data = tokens.shape[-1], tokens.astype("<f2").tobytes()
        if not self._usable(picture, space, all_finite(data)):
            return
        with transaction(self._engine) as connection:
            patch_tokens.store_tokens(connection, space.fingerprint, LOOK, width, {picture: data})

    def _copy_one(self, product: str) -> bool:
        """Embed the copies of one labelled picture that lacks some; whether there was one."""
        spec = self._residency.product(product)
        names = copy_names(spec.symmetry) if spec is not None and spec.symmetry else ()
        for space in self._residency.spaces_of(product) if names else ():
            wanted = product, space.fingerprint, names
            limit = self._limit(space.fingerprint)
            missing = feature_copies.without_copies(self._engine, *wanted, limit=limit)
            todo = [e for e in missing if (e.id, space.fingerprint) not in self._unusable]
            for example in random.sample(todo, min(1, len(todo))):
                picture = self._prepare(product, space, example)
                if picture is not None:
                    self._copy(example.id, space, copies_of(picture.pixels, names))
                return True
        return False

    def _copy(
        self, picture: UUID, space: FeatureExtractor, copies: Mapping[str, torch.Tensor]
    ) -> None:
        pixels, made = list(copies.values()), list[StoredFeatures]()
        for start in range(0, len(pixels), BATCH):
            made += self._judge.embed(space, pixels[start : start + BATCH])
        if not self._usable(picture, space, all(copy.finite for copy in made)):
            return
        with transaction(self._engine) as connection:
            feature_copies.store_copies(connection, picture, dict(zip(copies, made, strict=True)))

    def _embed(
        self, product: str, space: FeatureExtractor, examples: Sequence[UnseenExample]
    ) -> None:
        prepared = [(example.id, self._prepare(product, space, example)) for example in examples]
        ready = [(id_, picture) for id_, picture in prepared if picture is not None]
        if ready:
            made = self._judge.embed(space, [picture.pixels for _, picture in ready])
            rows = zip((id_ for id_, _ in ready), made, strict=True)
            kept = [(id_, row) for id_, row in rows if self._usable(id_, space, row.finite)]
            with transaction(self._engine) as connection:
                self.embedded += feature_spaces.store_features(connection, kept)

    def _usable(self, picture: UUID, space: FeatureExtractor, finite: bool) -> bool:
        """Whether what was made of a picture may be kept: no model can be fitted on NaN."""
        if not finite:
            self._leave(picture, space, "the encoders failed on it")
        return finite

    def _leave(self, picture: UUID, space: FeatureExtractor, why: object) -> None:
        self._unusable.add((picture, space.fingerprint))
        log.warning("labelled picture %s cannot be embedded: %s", picture, why)

    def _prepare(
        self, product: str, space: FeatureExtractor, example: UnseenExample
    ) -> Prepared | None:
        spec = self._residency.product(product)
        try:
            if example.image_uri is None or spec is None:
                raise LookupError("nobody knows where it lies")
            data = self._pictures.read(example.image_uri).data
            if example.image_sha256 not in (None, digest(data)):
                raise LookupError("another picture lies there now")
            return space.prepare(data, spec.image_size, bits=spec.bits_of(example.camera))
        except (Unjudgeable, LookupError) as error:
            self._leave(example.id, space, error)
            return None

    def _look(self) -> None:
        """Embed for as long as nothing comes; rest after there was nothing to do, or it broke."""
        if self._rest:
            self._rest -= 1
            return
        self._rest = REST - 1
        try:
            while self._idle() and not self._thread.stopping:
                if not self.embed_some():
                    return
        except _AWAY:
            self._rest = 0
            raise
        self._rest = 0


class Idleness:
    """Whether a worker has had nothing to inspect since it was last asked.

    Args:
        waiting: messages in the queue.
        in_flight: pictures under way, and finished so far.
    """

    def __init__(
        self,
        waiting: Callable[[], int],
        in_flight: InFlight,
    ) -> None:
        self._waiting = waiting
        self._in_flight = in_flight
        self._before = -1

    def __call__(self) -> bool:
        """Whether nothing came in between."""
        before, self._before = self._before, self._in_flight.finished
        return before == self._before and not self._in_flight.now and not self._waiting()
