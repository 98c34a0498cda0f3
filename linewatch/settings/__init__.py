"""The one place that reads configuration: environment, an environment file, and secret files.

Every setting has a default under which Linewatch works: SQLite, a private Redis, CPU.
Set one as `LINEWATCH_<NAME>`, as a line of the file that `LINEWATCH_ENV_FILE` names (else of `.env`
in the data folder; that of the current folder may be anybody's), or as a file of that name under
`LINEWATCH_SECRETS_DIR`.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from linewatch.errors import ConfigurationError
from linewatch.settings.alerts import Alerts
from linewatch.settings.console import Console
from linewatch.settings.learning import Learning
from linewatch.settings.line import Places, Producer, Queue, Vision, Worker
from linewatch.settings.outputs import Outputs
from linewatch.settings.picture_places import PicturePlaces
from linewatch.settings.places import (
    ENVIRONMENT_ONLY,
    PREFIX,
    Place,
    environment_file,
    places,
    require_readable,
    secrets_folder,
)
from linewatch.settings.retention import Retention
from linewatch.settings.security import Security
from linewatch.settings.unknown import tell_once, unknown_names

__all__ = ["Settings", "environment_file", "get_settings", "setting_names"]

_UNIX_SOCKET_PATH_LIMIT = 100  # bytes; the kernel's is 108 with the terminating NUL


# Fields are in the order of the bases from the last to the first; so is their table in the docs.
class Settings(
    Alerts,
    Console,
    Outputs,
    Retention,
    Learning,
    Security,
    Producer,
    Queue,
    Worker,
    Vision,
    PicturePlaces,
    Places,
    BaseSettings,
):
    """Typed settings, checked against each other when they are read."""

    model_config = SettingsConfigDict(
        env_prefix="LINEWATCH_",
        extra="ignore",
        hide_input_in_errors=True,  # some are secrets
        allow_inf_nan=False,
    )

    @model_validator(mode="after")
    def _agree_on_tls(self) -> Self:
        certificates = (self.redis_ca_cert, self.redis_client_cert, self.redis_client_key)
        if any(certificates) and not self.redis_url.startswith("rediss://"):
            raise ValueError(
                "redis_ca_cert, redis_client_cert and redis_client_key need a rediss:// redis_url; "
                "a redis:// connection is not encrypted"
            )
        return self

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
        user = "windows" if sys.platform == "win32" else os.getuid()  # which has no such sockets
        return Path(tempfile.gettempdir()) / f"linewatch-{user}-{digest}" / "redis.sock"

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
    found = places()
    tell_once(unknown_names(setting_names(), found))
    _refuse_in_vain(found)
    folder = secrets_folder()
    if folder is not None:
        require_readable(folder, setting_names())
    file = environment_file()
    try:
        return Settings(_secrets_dir=folder, _env_file=file)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None
    except (OSError, UnicodeDecodeError, SettingsError) as error:
        raise ConfigurationError(f"the settings in {file} cannot be read: {error}") from None


def setting_names() -> frozenset[str]:
    """Every setting, as its variable is called."""
    return frozenset(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)


def _refuse_in_vain(found: list[Place]) -> None:
    """An environment file cannot name the secrets folder: the settings there would be missed."""
    environment, *others = found
    for place in others:
        for name in ENVIRONMENT_ONLY:
            if place.sets(name) and not environment.sets(name):
                raise ConfigurationError(
                    f"{name} in {place.label} is not obeyed: set it in the environment"
                )


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = "_".join(str(part) for part in problem["loc"])
        where = f"LINEWATCH_{name.upper()}: " if name else ""
        lines.append(where + problem["msg"].removeprefix("Value error, "))
    return "; ".join(lines)
