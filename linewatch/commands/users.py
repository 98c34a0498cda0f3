"""`linewatch users`."""

from __future__ import annotations

from pathlib import Path

import click

from linewatch.commands._database import opened
from linewatch.commands._output import FORMATS, say, write_rows
from linewatch.errors import UserError
from linewatch.os_user import os_user

_ROLE = click.Choice(["viewer", "inspector", "engineer", "admin"])
_FILE = click.Path(dir_okay=False, path_type=Path)
_by = click.option("--by", default=os_user, help="Who does this; default: you.")
_password_file = click.option(
    "--password-file", type=_FILE, help="Take the password from its first line, not the terminal."
)
_NOT_FOUND = (
    "no console of these settings runs on this machine; the link is for one at {}. Behind a proxy "
    "or on another machine, set LINEWATCH_CONSOLE_URL or give --url"
)
_COLUMNS = ("name", "role", "password", "provider", "disabled_at")


@click.group()
def command() -> None:
    """Let people into the console, and out of it.

    A person is never deleted, since decisions and signatures name them: disable them instead.
    """
    from linewatch.extras import need

    need("pwdlib", "sqlalchemy")


@command.command()
@click.argument("name")
@click.option("--role", type=_ROLE, required=True, help="Each may do what those before it may.")
@click.option("--no-password", is_flag=True, help="They sign in at the provider, or by a link.")
@_password_file
@_by
def add(name: str, role: str, no_password: bool, password_file: Path | None, by: str) -> None:
    """Let NAME in. The password is asked for on the terminal; there is none by default."""
    from db.people import users
    from db.session import transaction

    engine = opened()
    hashed = None if no_password else _hashed(password_file)
    with transaction(engine) as connection:
        users.add(connection, name, role, password_hash=hashed, by=by)
    say(f"{name} may sign in as {role}")


@command.command("list")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def list_(format_: str) -> None:
    """Who may sign in, how, and who may no more."""
    from db.people import users

    rows = [
        {
            "name": user.name,
            "role": user.role,
            "password": user.password_hash is not None,
            "provider": user.subject is not None,
            "disabled_at": None if user.disabled_at is None else user.disabled_at.isoformat(),
        }
        for user in users.listed(opened())
    ]
    empty = "nobody yet; begin with `linewatch users add NAME --role admin`"
    write_rows(rows, format_, columns=_COLUMNS, title="Users", empty=empty)


@command.command()
@click.argument("name")
@click.argument("role", type=_ROLE)
@_by
def role(name: str, role: str, by: str) -> None:
    """Give NAME another role, at once."""
    from db.people import users
    from db.session import transaction

    with transaction(opened()) as connection:
        users.change(connection, name, by=by, role=role)
    say(f"{name} is {role} now")


@command.command()
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let them in again.")
@_by
def disable(name: str, undo: bool, by: str) -> None:
    """Let NAME in no more, and end their sessions."""
    from db.people import users
    from db.session import transaction

    with transaction(opened()) as connection:
        (users.enable if undo else users.disable)(connection, name, by=by)
    say(f"{name} may sign in again" if undo else f"{name} may sign in no more")


@command.command()
@click.argument("name")
@_password_file
@_by
def password(name: str, password_file: Path | None, by: str) -> None:
    """Give NAME another password, and end their sessions."""
    from db.people import users
    from db.session import transaction

    engine = opened()
    hashed = _hashed(password_file)
    with transaction(engine) as connection:
        users.set_password(connection, name, hashed, by=by)
    say(f"{name} has another password; their sessions have ended")


@command.command()
@click.argument("name")
@click.option("--url", help="Where browsers find the console.")
@_by
def link(name: str, url: str | None, by: str) -> None:
    """Print a link that signs NAME in, once, within a quarter of an hour.

    It leads to --url, else to LINEWATCH_CONSOLE_URL, else to the console that runs on this machine.
    """
    from db.people import links
    from db.session import transaction
    from linewatch.console_address import known_address, usual_address
    from linewatch.settings import get_settings

    with transaction(opened()) as connection:
        token = links.make(connection, name, by=by)
    base = url or known_address(get_settings())
    if base is None:
        base = usual_address()
        click.echo(_NOT_FOUND.format(base), err=True)
    click.echo(f"{base.rstrip('/')}{links.path(token)}")


def _hashed(file: Path | None) -> str:
    """The hash of the password from the file, or from the terminal, asked for twice."""
    from console.access.passwords import accepted

    if file is None:
        given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return accepted(given)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the password in {file} cannot be read: {error}") from None
    if not lines:
        raise UserError(f"{file} is empty; write the password into its first line")
    return accepted(lines[0])
