"""Makes a plant's folder: secrets, users, settings, products, and files for Compose or systemd."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from dotenv import dotenv_values

from linewatch.errors import ConfigurationError
from linewatch.first_start import keys, units
from linewatch.first_start.alerts_sample import ALERTS
from linewatch.first_start.programs import PERSON
from linewatch.first_start.written import MadeFiles
from linewatch.products import load_product

CONTAINER_UID = 10001
_SETTINGS = """\
# Settings of all of Linewatch's programs here, one a line, such as
#   LINEWATCH_PATH_MAP=C:/pics=/srv/pictures
# docs/operations.md lists them. What docker-compose.yml names itself is set in .env.
"""
_PLAIN = re.compile(r"[\w./+-]+")  # in units and scripts, a space or % would need care everywhere
_ROOT = Path(__file__).parents[2]  # of a checkout; an installed wheel carries the files it needs


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asked for; what is empty keeps what the folder says already, or a default."""

    products: Sequence[Path] = ()
    pictures: Path | None = None
    producers: Sequence[str] = ()
    address: str = ""  # of this machine, for camera PCs
    database: str = ""  # owner's URL; systemd only
    timezone: str = ""
    data_dir: Path = Path("/var/lib/linewatch")  # systemd only
    redis_port: int = 6379  # systemd only


def make_compose(folder: Path, wishes: Wishes) -> MadeFiles:
    """Everything for `docker compose up` in this folder.

    Containers run as whoever made the folder, so that its secrets can stay 0600; made by root,
    they run as a user of their own.

    Raises:
        ConfigurationError: something in it cannot be read or written.
        ProductError: a product file is wrong; nothing was made.
    """
    _check(wishes)
    files = MadeFiles(folder, CONTAINER_UID if os.getuid() == 0 else None)
    by_hand = _made_by_hand(files.folder)
    keys_there = files.folder / "secrets/signing_keys"
    signed = not (by_hand and keys_there.exists() and not keys_there.read_text().strip())
    seen_at = wishes.pictures or (Path("/pictures") if by_hand else files.folder / "pictures")
    files.once(
        ".env",
        "# Settings of docker-compose.yml in this folder; edit them here.\n"
        f"{'' if by_hand else _places()}"
        f"LINEWATCH_PICTURES={wishes.pictures or './pictures'}\n"
        f"LINEWATCH_PICTURES_AT={seen_at}\n"
        f"LINEWATCH_PLANT_TIMEZONE={wishes.timezone or 'UTC'}\n"
        f"LINEWATCH_REDIS_BIND={'0.0.0.0' if wishes.address else '127.0.0.1'}\n"  # noqa: S104
        f"LINEWATCH_REQUIRE_SIGNATURES={str(signed).lower()}\nLINEWATCH_ENCODERS=compact\n"
        f"LINEWATCH_SOURCE={checkout() or '.'}\n",
    )
    files.once("settings.env", _SETTINGS)
    places = () if by_hand else ("data", "redis")
    for name in ("alerts", "backups", "outputs", "products", *places):
        files.subfolder(name)
    if wishes.pictures is None and not (files.folder / "pictures").exists():
        files.subfolder("pictures")
    files.once("alerts/alerts.yaml", ALERTS)
    files.generated("docker-compose.yml", packaged("docker-compose.yml"))
    keys.make_shared(files)
    hosts = keys.make_redis_users(files, wishes.producers, url="redis://redis:6379/0", setinfo=True)
    owner = files.folder / "secrets/database_url_owner"  # PostgreSQL has its password already
    known = unquote(urlsplit(owner.read_text().strip()).password or "") if owner.exists() else ""
    files.once("secrets/postgres_password", f"{known or secrets.token_urlsafe(32)}\n")
    word = quote((files.folder / "secrets/postgres_password").read_text().strip(), safe="")
    keys.make_database_urls(files, f"postgresql://linewatch:{word}@postgres:5432/linewatch")
    _finish(files, wishes, hosts)
    return files


def _made_by_hand(folder: Path) -> bool:
    """Whether it has been a plant since before `init`, as with 0.1.0, with data in volumes."""
    known = (folder / name for name in (".env", "data", "docker-compose.yml"))
    env, data, compose = (path.exists() for path in known)
    return compose and not env and not data


def _places() -> str:
    """Whose the containers are, and where their data lie: beneath the plant's folder."""
    uid = os.getuid() or CONTAINER_UID
    gid = uid if os.getuid() == 0 else os.getgid()
    ids = f"LINEWATCH_UID={uid}\nLINEWATCH_GID={gid}\n"
    return f"{ids}LINEWATCH_DATA=./data\nLINEWATCH_REDIS_DATA=./redis\n"


def make_systemd(folder: Path, wishes: Wishes) -> MadeFiles:
    """Everything for systemd units on this machine; see `make_compose`."""
    _check(wishes)
    for path in (folder.absolute(), wishes.data_dir):
        if not _PLAIN.fullmatch(str(path)):
            raise ConfigurationError(
                f"{path}: systemd units and the shell take no such name as it stands; choose a "
                "folder with letters, digits and ./-_+ in its path"
            )
    files = MadeFiles(folder, mode=0o755)  # services read settings and products; not secrets/
    database = "PostgreSQL, see secrets/" if wishes.database else "SQLite in the data folder"
    environment = files.once(
        "environment",
        f"# Settings of all of Linewatch's programs on this machine. Database: {database}.\n"
        f"LINEWATCH_DATA_DIR={wishes.data_dir}\n"
        f"LINEWATCH_IMAGE_ROOTS={wishes.pictures or '/srv/pictures'}:{wishes.data_dir}/uploads\n"
        f"LINEWATCH_UPLOAD_DIR={wishes.data_dir}/uploads\n"
        f"LINEWATCH_PLANT_TIMEZONE={wishes.timezone or 'UTC'}\n"
        "LINEWATCH_ENCODERS=compact\n"
        f"LINEWATCH_ALERTS_FILE={files.folder}/alerts/alerts.yaml\n",
        0o644,
    )
    files.subfolder("alerts", 0o755)
    files.once("alerts/alerts.yaml", ALERTS, 0o644)
    data_dir = Path(dotenv_values(environment).get("LINEWATCH_DATA_DIR") or wishes.data_dir)
    files.subfolder("products", 0o755)
    files.subfolder("outputs", 0o750)
    keys.make_shared(files)
    port = _port(files.folder / "secrets/redis/worker.url", wishes.redis_port)
    hosts = keys.make_redis_users(
        files, wishes.producers, url=f"redis://127.0.0.1:{port}/0", setinfo=False
    )
    if wishes.database:
        keys.make_database_urls(files, wishes.database)
    sqlite = not (files.folder / "secrets/database_url_owner").exists()
    site = units.Site(
        files.folder,
        data_dir,
        own_command(),
        Path(shutil.which("redis-server") or "/usr/bin/redis-server"),
        sqlite,
        port,
    )
    files.generated("redis.conf", units.redis_conf(site), 0o644)
    for name, text in units.units(site).items():
        files.generated(f"systemd/{name}", text, 0o644)
    files.generated("linewatch", _person(site), 0o700)
    _finish(files, wishes, hosts, site.redis_port)
    return files


def packaged(name: str) -> str:
    """A file that the wheel carries, or the checkout has."""
    inside = package_files("linewatch") / "deploy" / name
    found = inside if inside.is_file() else _ROOT / name
    try:
        return found.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"this installation is broken: {error}") from None


def _check(wishes: Wishes) -> None:
    for path in wishes.products:
        load_product(path)


def _port(file: Path, wanted: int) -> int:
    """The port in a URL that was made before; where there is none, the one wanted."""
    if not file.exists():
        return wanted
    return urlsplit(file.read_text(encoding="utf-8").strip()).port or wanted


def _finish(files: MadeFiles, wishes: Wishes, hosts: Sequence[str], port: int = 6379) -> None:
    for path in wishes.products:
        files.once(f"products/{path.name}", path.read_text(encoding="utf-8"), 0o644)
    place = wishes.address or "127.0.0.1"
    keys.make_camera_files(files, hosts, url=f"redis://{place}:{port}/0")


def own_command() -> Path:
    """The `linewatch` of this environment, which the units start."""
    return Path(shutil.which("linewatch", path=str(Path(sys.executable).parent)) or "linewatch")


def closed_to_services(command: Path) -> Path | None:
    """The folder on the way to it that only its owner may pass, if there is one."""
    outside_in = reversed(command.resolve().parents)
    return next((one for one in outside_in if not one.stat().st_mode & 0o001), None)


def checkout() -> Path | None:
    """The folder that the image can be built from, if this program runs from one."""
    return _ROOT if (_ROOT / "Dockerfile").is_file() else None


def _person(site: units.Site) -> str:
    # Of each secret the one file: a copy would be of before, once somebody has changed it.
    secrets = "".join(
        f"if [ -f {site.folder}/secrets/{file} ]; then\n"
        f'    export {name}="$(cat {site.folder}/secrets/{file})"\n'
        "fi\n"
        for name, file in PERSON.files().items()
    )
    return (
        "#!/bin/sh\n"
        "# A person's commands on this plant, such as `linewatch doctor`; run it as root.\n"
        f"{secrets}"
        f"export LINEWATCH_ENV_FILE={site.folder}/environment\n"
        f"if [ -f {site.folder}/outputs/outputs.yaml ]; then\n"
        f"    export LINEWATCH_OUTPUTS_FILE={site.folder}/outputs/outputs.yaml\n"
        "fi\n"
        "# What it writes into the data folder must be the services' own.\n"
        'if [ "$(id -u)" = 0 ] && id linewatch >/dev/null 2>&1; then\n'
        f'    exec runuser -u linewatch -- {site.command} "$@"\n'
        "fi\n"
        f'exec {site.command} "$@"\n'
    )
