"""Settings of a running line: where things are, cameras, queue and workers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_settings import NoDecode

from linewatch.settings import redis_url as redis_urls
from linewatch.settings.reading import OptionalPath, absolute, empty_is_none


def _var() -> Path:
    return Path.cwd() / "var"


class Places(BaseModel):
    """Where things are."""

    data_dir: Path = Field(
        default_factory=_var,
        description="Everything that is Linewatch's own: SQLite, models, weights, logs, spools.",
    )
    database_url: str = Field(default="", repr=False, description="SQLAlchemy URL; empty: SQLite.")
    prepared_statements: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="On PostgreSQL; auto: not behind a pooler such as PgBouncer.",
    )
    redis_url: str = Field(default="", repr=False, description="redis:// URL; empty: private.")
    redis_key_prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_.:-]{0,64}$",
        description="Before every key, where others use the same Redis database; the same for all.",
    )
    model_store_url: str = Field(
        default="", repr=False, description="fsspec URL; empty: data_dir/models."
    )
    products_dir: OptionalPath = Field(default=None, description="Folder of product YAML files.")
    image_roots: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(), description="Folders that pictures may be read from, ':'-separated."
    )
    plant_timezone: str = Field(default="UTC", description="Where shifts and days begin.")

    @field_validator("image_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(Path(part) for part in value.split(os.pathsep) if part)
        return value

    @field_validator("data_dir", mode="before")
    @classmethod
    def _usual_folder(cls, value: object) -> object:
        return _var() if empty_is_none(value) is None else value

    _absolute_data = field_validator("data_dir")(absolute)

    @field_validator("redis_url")
    @classmethod
    def _usable_redis_url(cls, value: str) -> str:
        return redis_urls.checked(value)

    @field_validator("plant_timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {value!r}; try 'Europe/Berlin'") from error
        return value

    @property
    def timezone(self) -> ZoneInfo:
        """The plant's time zone."""
        return ZoneInfo(self.plant_timezone)

    @property
    def sql_url(self) -> str:
        """The database to use: the one set, else a SQLite file under `data_dir`."""
        return self.database_url or f"sqlite:///{self.data_dir / 'linewatch.db'}"

    @property
    def models_url(self) -> str:
        """The model store to use: the one set, else a folder under `data_dir`."""
        return self.model_store_url or str(self.data_dir / "models")


class Vision(BaseModel):
    """From picture to features."""

    encoders: Literal["compact", "full"] = "compact"
    recipe: Literal["seed", "patches", "pools", "surface"] = Field(
        default="patches", description="How pictures become features; see docs/learning.md."
    )
    weights_dir: OptionalPath = Field(default=None, description="Local weights; empty: data_dir.")
    device: str = Field(
        default="auto",
        description="auto, cpu, cuda or cuda:N; `linewatch worker` takes several, with commas.",
    )
    backend: Literal["auto", "torch", "openvino"] = Field(
        default="auto", description="What runs the encoders; see docs/engine.md."
    )
    precision: Literal["auto", "float32", "bfloat16", "float16", "int8"] = Field(
        default="auto", description="Of the encoders' arithmetic; auto: float32."
    )
    max_image_bytes: int = Field(
        default=64 * 1024 * 1024, gt=0, description="Of a picture's file; more is rejected."
    )
    max_image_pixels: int = Field(
        default=50_000_000, gt=0, description="Width times height; more is rejected."
    )
    decode_memory_mb: int = Field(
        default=1024,
        ge=1,
        description="What all pictures being decoded may hold together; see docs/pictures.md.",
    )

    @model_validator(mode="after")
    def _agree_on_the_device(self) -> Self:
        if self.backend == "torch" and self.precision == "int8":
            raise ValueError("precision int8 needs backend openvino (or auto)")
        if self.backend == "openvino" and self.precision == "float16":
            raise ValueError("precision float16 needs backend torch and a GPU")
        if self.device.startswith("cuda") and self.backend == "openvino":
            raise ValueError("backend openvino runs on device cpu only")
        return self


class Worker(BaseModel):
    """What a worker does at once, and whom it tells."""

    max_batch: int = Field(default=32, ge=1, le=1024, description="Images a micro-batch.")
    max_delay_ms: float = Field(default=10.0, ge=0, description="Longest wait for a fuller batch.")
    decode_threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    worker_threads: int = Field(default=32, ge=1, description="Messages in flight a worker.")
    feature_sample_rate: float = Field(
        default=1.0, ge=0, le=1, description="Share of judged pictures whose features are kept."
    )
    stall_timeout_s: float = Field(
        default=60.0, gt=1, description="A worker that does nothing for this long ends itself."
    )
    silent_timeout_s: float = Field(
        default=60.0,
        ge=5,
        description="Its supervisor ends a worker without a heartbeat for this long.",
    )
    start_timeout_s: float = Field(
        default=1800.0,
        ge=10,
        description="Until the first heartbeat: weights are fetched, loaded and compiled.",
    )
    task_begin_timeout_s: float = Field(
        default=30.0,
        gt=5,
        description="A message held this long without a task goes back; thrice: dead letter.",
    )
    model_poll_s: float = Field(default=1.0, gt=0, description="How often promotion is looked for.")
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Prometheus endpoint of an inspect worker; 0: none."
    )
    metrics_address: str = Field(
        default="127.0.0.1", description="What the endpoint listens on; it has no authentication."
    )


class Queue(BaseModel):
    """How messages come back from a worker that died."""

    visibility_timeout_s: int = Field(
        default=20,
        ge=2,
        description="A message whose worker stays silent this long is redelivered.",
    )
    lease_renewal_s: float = Field(
        default=4.0, gt=0, description="How often a worker says that it still holds its messages."
    )
    redelivery_sweep_s: float = Field(default=3.0, gt=0)

    @model_validator(mode="after")
    def _agree_on_leases(self) -> Self:
        if self.lease_renewal_s * 3 > self.visibility_timeout_s:
            raise ValueError(
                f"lease_renewal_s ({self.lease_renewal_s}) must fit three times into "
                f"visibility_timeout_s ({self.visibility_timeout_s}), or one late renewal "
                "hands a message to a second worker"
            )
        return self


class Producer(BaseModel):
    """The camera side: spool and sender."""

    spool_dir: OptionalPath = Field(default=None, description="Spools; empty: data_dir/spool.")
    spool_max_pictures: int = Field(default=100_000, ge=1)
    spool_max_bytes: int = Field(default=10 * 1024**3, ge=1, description="With copied pictures.")
    spool_max_age_s: float = Field(default=7 * 24 * 3600, gt=0, description="Oldest unreceipted.")
    spool_when_full: Literal["block", "reject", "drop-oldest"] = "block"
    spool_block_s: float = Field(default=5.0, ge=0, description="How long 'block' waits for room.")
    spool_sync: Literal["full", "normal"] = Field(
        default="full", description="full: a power cut loses no accepted picture; normal: faster."
    )
    spool_copy: bool = Field(default=False, description="Keep a copy until the receipt is there.")
    seen_max_bytes: int = Field(
        default=64 * 1024**2,
        ge=0,
        description="So much of a picture is hashed at submit, so that another one under its name "
        "is told apart; of a larger file blocks. 0: none, as workers of 0.1 want it.",
    )
    site: str = Field(default="", max_length=64, description="The plant, said in each message.")
    receipt_timeout_s: float = Field(default=20.0, gt=0, description="Then a picture goes again.")
    max_queue_depth: int = Field(
        default=5_000, ge=1, description="Messages; a longer queue stays in the spools."
    )
    max_queue_age_s: float = Field(
        default=300.0,
        gt=0,
        description="Once the oldest message waited this long, pictures stay in the spools.",
    )
    spool_order: Literal["fifo", "newest-first"] = Field(
        default="fifo", description="Which pictures of a backlog the sender sends first."
    )
    images_per_message: int = Field(default=16, ge=1, le=64)
    linger_ms: float = Field(
        default=5.0,
        ge=0,
        le=1000,
        description="From one message to the next, unless it is full: pictures gather meanwhile.",
    )

    @field_validator("site")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("must hold no control characters")
        return value.strip()
