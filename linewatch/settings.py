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
from linewatch.products import Costs

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
    auto_promote: Literal["off", "gate"] = Field(
        default="off", description="gate: a retrained model that passes the gate serves at once."
    )
    golden_set: str = Field(default="golden", description="The set that the gate compares on.")
    gate_least_pictures: int = Field(
        default=20, ge=1, description="With fewer to compare on, the gate does not decide."
    )
    gate_review_growth: float = Field(
        default=0.05, ge=0, le=1, description="How much the share for review may grow."
    )
    gate_macro_f1_loss: float = Field(
        default=0.02, ge=0, le=1, description="How much macro F1 may fall, even by chance."
    )
    few_shot_below: int = Field(
        default=5,
        ge=0,
        description="While most classes have fewer labels, prompts are blended in; 0: never.",
    )
    embed_idle_s: float = Field(
        default=5.0,
        ge=0,
        description="An inspect worker idle for this long embeds labelled pictures; 0: never.",
    )

    review_max_escape_rate: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Chooses review_below for each model: at most this share of defects passes.",
    )
    review_max_share: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Chooses review_below for each model: at most this share of parts is reviewed.",
    )
    conformal_alpha: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Review what is not of one class with confidence 1 - alpha; empty: off.",
    )
    novelty_rate: float = Field(
        default=0.005,
        ge=0,
        lt=1,
        description="Share of ordinary parts that may be called novel; 0: nothing is.",
    )
    cost_escape: float | None = Field(
        default=None, gt=0, description="Cost of a defect that passes; see docs/verdicts.md."
    )
    cost_overkill: float | None = Field(
        default=None, gt=0, description="Cost of a good part called a defect."
    )
    cost_review: float | None = Field(
        default=None, gt=0, description="Cost of a person's look at a part."
    )
    line_defect_rate: float | None = Field(
        default=None, gt=0, lt=1, description="Share of defects among the parts the lines make."
    )

    # Drift
    drift_baseline_parts: int = Field(
        default=500,
        ge=0,
        description="A camera's first parts under a model, compared with all later; 0: no alarms.",
    )
    drift_false_alarm: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="Chance that a camera alarms of drift within 10,000 parts without any.",
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
        "review_max_escape_rate",
        "review_max_share",
        "conformal_alpha",
        "cost_escape",
        "cost_overkill",
        "cost_review",
        "line_defect_rate",
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
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
        if self.backend == "torch" and self.precision == "int8":
            raise ValueError("precision int8 needs backend openvino (or auto)")
        if self.backend == "openvino" and self.precision == "float16":
            raise ValueError("precision float16 needs backend torch and a GPU")
        if self.device.startswith("cuda") and self.backend == "openvino":
            raise ValueError("backend openvino runs on device cpu only")
        certificates = (self.redis_ca_cert, self.redis_client_cert, self.redis_client_key)
        if any(certificates) and not self.redis_url.startswith("rediss://"):
            raise ValueError(
                "redis_ca_cert, redis_client_cert and redis_client_key need a rediss:// redis_url; "
                "a redis:// connection is not encrypted"
            )
        if bool(self.redis_client_cert) != bool(self.redis_client_key):
            raise ValueError("redis_client_cert and redis_client_key need each other")
        return self

    @model_validator(mode="after")
    def _agree_on_verdicts(self) -> Settings:
        if self.review_max_escape_rate is not None and self.review_max_share is not None:
            raise ValueError(
                "review_max_escape_rate and review_max_share both choose review_below; set one"
            )
        if 0 < sum(value is not None for value in self._costs) < len(self._costs):
            raise ValueError(
                "cost_escape, cost_overkill, cost_review and line_defect_rate need each other"
            )
        return self

    @property
    def _costs(self) -> tuple[float | None, ...]:
        return (self.cost_escape, self.cost_overkill, self.cost_review, self.line_defect_rate)

    @property
    def costs(self) -> Costs | None:
        """What verdicts cost, for products whose file says nothing; None: not set."""
        escape, overkill, review, defect_rate = self._costs
        if escape is None or overkill is None or review is None or defect_rate is None:
            return None
        return Costs(escape=escape, overkill=overkill, review=review, defect_rate=defect_rate)

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
