"""The one place that reads configuration: environment, `.env`, and secret files.

Every setting has a default under which Linewatch works: SQLite, a private Redis, CPU.
Set one as `LINEWATCH_<NAME>`, in `.env`, or as a file of that name under `LINEWATCH_SECRETS_DIR`.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from linewatch.errors import ConfigurationError

_UNIX_SOCKET_PATH_LIMIT = 100  # bytes; the kernel's is 108 with the terminating NUL


class Settings(BaseSettings):
    """Typed settings, checked against each other when they are read."""

    model_config = SettingsConfigDict(env_prefix="LINEWATCH_", env_file=".env", extra="ignore")

    # Where things are
    data_dir: Path = Field(
        default_factory=lambda: Path.cwd() / "var",
        description="Everything that is Linewatch's own: SQLite, models, weights, logs, spools.",
    )
    database_url: str = Field(default="", repr=False, description="SQLAlchemy URL; empty: SQLite.")
    redis_url: str = Field(default="", repr=False, description="redis:// URL; empty: private.")
    model_store_url: str = Field(default="", description="fsspec URL; empty: data_dir/models.")
    products_dir: Path | None = Field(default=None, description="Folder of product YAML files.")
    image_roots: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(), description="Folders that pictures may be read from, ':'-separated."
    )
    plant_timezone: str = Field(default="UTC", description="Where shifts and days begin.")

    # Vision
    encoders: Literal["compact", "full"] = "compact"
    recipe: Literal["seed", "patches", "pools"] = Field(
        default="patches", description="How pictures become features; see docs/learning.md."
    )
    weights_dir: Path | None = Field(default=None, description="Local weights; empty: data_dir.")
    device: str = Field(default="auto", description="auto, cpu, cuda or cuda:N.")
    max_image_bytes: int = Field(default=64 * 1024 * 1024, gt=0)
    max_image_pixels: int = Field(default=100_000_000, gt=0)

    # Worker
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
    model_poll_s: float = Field(default=1.0, gt=0, description="How often promotion is looked for.")
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Prometheus endpoint of an inspect worker; 0: none."
    )
    metrics_address: str = Field(
        default="127.0.0.1", description="What the endpoint listens on; it asks nobody's name."
    )

    # Queue
    visibility_timeout_s: int = Field(
        default=20,
        ge=2,
        description="A message whose worker stays silent this long is redelivered.",
    )
    lease_renewal_s: float = Field(
        default=4.0, gt=0, description="How often a worker says that it still holds its messages."
    )
    redelivery_sweep_s: float = Field(default=3.0, gt=0)

    # Producer
    spool_dir: Path | None = Field(default=None, description="Spools; empty: data_dir/spool.")
    spool_max_pictures: int = Field(default=100_000, ge=1)
    spool_max_bytes: int = Field(default=10 * 1024**3, ge=1, description="With copied pictures.")
    spool_max_age_s: float = Field(default=7 * 24 * 3600, gt=0, description="Oldest unreceipted.")
    spool_when_full: Literal["block", "reject", "drop-oldest"] = "block"
    spool_block_s: float = Field(default=5.0, ge=0, description="How long 'block' waits for room.")
    spool_sync: Literal["full", "normal"] = Field(
        default="full", description="full: a power cut loses no accepted picture; normal: faster."
    )
    spool_copy: bool = Field(default=False, description="Keep a copy until the receipt is there.")
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
    linger_ms: float = Field(default=5.0, ge=0, le=1000, description="Longest wait to fill one.")

    # Security
    signing_keys: SecretStr = Field(
        default=SecretStr(""), description="id:secret pairs, newest first; signs and verifies."
    )
    require_signatures: bool = Field(
        default=False, description="Workers dead-letter messages without a good signature."
    )
    max_message_bytes: int = Field(
        default=1024 * 1024, ge=128 * 1024, description="A larger message is never opened."
    )
    redis_ca_cert: Path | None = Field(default=None, description="PEM; for rediss:// URLs.")
    redis_client_cert: Path | None = Field(default=None, description="PEM; if Redis asks for it.")
    redis_client_key: Path | None = Field(default=None, description="PEM; the certificate's key.")
    flower_basic_auth: SecretStr = Field(default=SecretStr(""), description="user:password")

    # Training
    folds: int = Field(default=3, ge=2)
    random_state: int = 42
    training_lease_s: float = Field(
        default=60.0, gt=0, description="A training run silent for this long gives up its place."
    )
    retrain_after_labels: int = Field(default=100, ge=1)
    retrain_hour: int = Field(default=2, ge=0, le=23, description="Nightly, plant time.")
    review_below: float = Field(
        default=0.5, ge=0, le=1, description="A verdict less probable than this goes to a person."
    )

    # Retention; empty: kept for ever. A product file's `retention` overrides them.
    retention_pictures_days: float | None = Field(
        default=None, gt=0, description="Picture files; needs retention_delete_files."
    )
    retention_features_days: float | None = Field(
        default=None, gt=0, description="Feature vectors of pictures that nobody labelled."
    )
    retention_inspections_days: float | None = Field(
        default=None, gt=0, description="Verdicts with their scores, unless labelled or golden."
    )
    retention_rollups_days: float | None = Field(
        default=None, gt=0, description="Hourly counts: what every report is made from."
    )
    retention_delete_files: bool = Field(
        default=False, description="Whether a purge may delete files beneath image_roots."
    )
    retention_batch: int = Field(
        default=500, ge=1, le=10_000, description="Rows a purge handles in one transaction."
    )
    maintenance_hour: int = Field(default=3, ge=0, le=23, description="Nightly, plant time.")
    partition_months_ahead: int = Field(
        default=3, ge=1, le=24, description="Partitions made ahead of time, where there are any."
    )

    @field_validator("image_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(Path(part) for part in value.split(os.pathsep) if part)
        return value

    @field_validator(
        "data_dir",
        "weights_dir",
        "products_dir",
        "spool_dir",
        "redis_ca_cert",
        "redis_client_cert",
        "redis_client_key",
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value if value is None else value.expanduser().absolute()

    @field_validator(
        "retention_pictures_days",
        "retention_features_days",
        "retention_inspections_days",
        "retention_rollups_days",
        mode="before",
    )
    @classmethod
    def _empty_is_for_ever(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("plant_timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {value!r}; try 'Europe/Berlin'") from error
        return value

    @model_validator(mode="after")
    def _agree(self) -> Settings:
        if self.lease_renewal_s * 3 > self.visibility_timeout_s:
            raise ValueError(
                f"lease_renewal_s ({self.lease_renewal_s}) must fit three times into "
                f"visibility_timeout_s ({self.visibility_timeout_s}), or one late renewal "
                "hands a message to a second worker"
            )
        if self.require_signatures and not self.signing_keys.get_secret_value().strip():
            raise ValueError(
                "require_signatures needs signing_keys, or every message would be refused"
            )
        certificates = (self.redis_ca_cert, self.redis_client_cert, self.redis_client_key)
        if any(certificates) and not self.redis_url.startswith("rediss://"):
            raise ValueError(
                "redis_ca_cert, redis_client_cert and redis_client_key need a rediss:// redis_url; "
                "a redis:// connection is not encrypted"
            )
        if bool(self.redis_client_cert) != bool(self.redis_client_key):
            raise ValueError("redis_client_cert and redis_client_key need each other")
        return self

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

    @property
    def local_weights_dir(self) -> Path:
        """Where weights are looked for before any hub is asked."""
        return self.weights_dir or self.data_dir / "weights"

    @property
    def spool_folder(self) -> Path:
        """Where the camera side keeps its spools."""
        return self.spool_dir or self.data_dir / "spool"

    @property
    def private_redis_socket(self) -> Path:
        """The socket of the Redis that Linewatch starts where no `redis_url` is set."""
        path = self.data_dir / "run" / "redis.sock"
        if len(os.fsencode(path)) <= _UNIX_SOCKET_PATH_LIMIT:
            return path
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"linewatch-{os.getuid()}-{digest}" / "redis.sock"

    @property
    def redis_client_url(self) -> str:
        """The URL in redis-py's form."""
        return self._redis_url_with_tls or f"unix://{self.private_redis_socket}?db=0"

    @property
    def broker_url(self) -> str:
        """The URL in Celery's form."""
        socket = f"redis+socket://{self.private_redis_socket}?virtual_host=0"
        return self._redis_url_with_tls or socket

    @property
    def _redis_url_with_tls(self) -> str:
        """`redis_url`; over TLS it names the certificates, in words redis-py and kombu share."""
        parts = urlsplit(self.redis_url)
        if parts.scheme != "rediss":
            return self.redis_url
        files = {
            "ssl_ca_certs": self.redis_ca_cert,
            "ssl_certfile": self.redis_client_cert,
            "ssl_keyfile": self.redis_client_key,
        }
        query = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}
        query |= {name: str(path) for name, path in files.items() if path}
        query |= dict(parse_qsl(parts.query))
        return parts._replace(query=urlencode(query, safe="/")).geturl()


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once.

    Raises:
        ConfigurationError: a setting is malformed or contradicts another; names it.
    """
    secrets_dir = os.environ.get("LINEWATCH_SECRETS_DIR")
    try:
        return Settings(_secrets_dir=secrets_dir)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = "_".join(str(part) for part in problem["loc"])
        where = f"LINEWATCH_{name.upper()}: " if name else ""
        lines.append(where + problem["msg"].removeprefix("Value error, "))
    return "; ".join(lines)
