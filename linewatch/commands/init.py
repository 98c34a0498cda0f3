"""`linewatch init`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


_RESTART_REDIS = {
    "systemd": "`sudo systemctl restart linewatch-redis` for Redis",
    "compose": "`docker compose restart redis` for Redis",
}


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--compose", is_flag=True, help="Files for Docker Compose [the default].")
@click.option("--systemd", is_flag=True, help="Files for systemd units on this machine.")
@click.option("--product", "products", multiple=True, type=_FILE, help="A product file; repeat.")
@click.option("--pictures", type=click.Path(path_type=Path), help="Where cameras put pictures.")
@click.option("--producer", "producers", multiple=True, metavar="HOST", help="A camera PC; repeat.")
@click.option("--address", default="", help="Of this machine, if camera PCs are others.")
@click.option("--database", default="", help="systemd: PostgreSQL owner's URL [SQLite].")
@click.option(
    "--redis-port",
    type=click.IntRange(1, 65535),
    default=6379,
    show_default=True,
    help="systemd: of the plant's Redis.",
)
@click.option("--timezone", default="", help="Where shifts begin, such as Europe/Berlin [UTC].")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("/var/lib/linewatch"),
    show_default=True,
    help="systemd: LINEWATCH_DATA_DIR.",
)
def command(
    folder: Path,
    compose: bool,
    systemd: bool,
    products: tuple[Path, ...],
    pictures: Path | None,
    producers: tuple[str, ...],
    address: str,
    database: str,
    redis_port: int,
    timezone: str,
    data_dir: Path,
) -> None:
    """Make all that a plant needs before its first start, in FOLDER.

    Secrets, Redis users, database users, settings, products, an environment file for each camera
    PC, and the files for Compose or systemd. Harmless to repeat: no secret and nothing that
    somebody edited is written again. With both kinds, each gets a folder of its own in FOLDER.
    """
    from linewatch.first_start.database import prepare_now
    from linewatch.first_start.plant import Wishes, make_compose, make_systemd
    from linewatch.settings import Settings

    Settings(plant_timezone=timezone or "UTC")  # says what is wrong with it
    wishes = Wishes(
        products,
        pictures and _plain(pictures),
        producers,
        address,
        database,
        timezone,
        _plain(data_dir),
        redis_port,
    )
    kinds = {"compose": compose or not systemd, "systemd": systemd}
    both = all(kinds.values())
    done: list[str] = []
    restart: list[str] = []
    for kind, make in (("compose", make_compose), ("systemd", make_systemd)):
        if not kinds[kind]:
            continue
        place = folder / kind if both else folder
        files = make(place, wishes)
        done += [f"made {files.folder / name}" for name in files.made]
        for name in files.changed_by_hand:
            click.echo(f"kept {files.folder / name}: it was edited; this version has another")
        users = "secrets/redis/users.acl"
        if users in files.made and not {".env", "environment"} & set(files.made):
            restart.append(_RESTART_REDIS[kind])
        if kind == "systemd" and (files.folder / "secrets/database_url_owner").exists():
            done += prepare_now(files.folder)
    click.echo("\n".join(done) or "nothing to do")
    if done:
        for kind in kinds:
            if kinds[kind]:
                click.echo(_next(kind, folder / kind if both else folder))
    for words in restart:
        click.echo(f"then: {words}, which reads its users when it starts")


def _plain(path: Path) -> Path:
    """From the root, without `..`; links stay, since cameras name pictures by them."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() follows links


def _next(kind: str, folder: Path) -> str:
    if kind == "systemd":
        steps = f"sudo sh {folder}/systemd/install.sh && sudo {folder}/linewatch doctor"
    else:
        steps = (
            f"cd {shlex.quote(str(folder))} && docker compose --profile cpu up -d && "
            "docker compose run --rm admin doctor"
        )
    return f"{_first(kind, folder)}next: {steps}"


def _first(kind: str, folder: Path) -> str:
    """What would keep the plant from starting, if something does."""
    from linewatch.first_start.plant import checkout, closed_to_services, own_command

    command = own_command()
    closed = closed_to_services(command)
    if kind == "systemd" and closed:
        return (
            f"first: the services run as the user linewatch, who may not pass {closed} to "
            f"{command}: install Linewatch where everybody may read it, such as /opt/linewatch, "
            "and run the `linewatch init` of that place again\n"
        )
    if kind == "compose" and not checkout():
        return (
            "first: the image is built from a checkout, and there is none here: name one as "
            f"LINEWATCH_SOURCE in {folder / '.env'}, or bring the image linewatch:latest here with "
            "`docker save` and `docker load`\n"
        )
    return ""
