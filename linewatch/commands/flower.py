"""`linewatch flower`."""

from __future__ import annotations

import click

# The arguments say line, camera and number of pictures; the result counts the verdicts.
COLUMNS = "name,args,state,result,received,runtime,worker,uuid"


@click.command()
@click.option("--port", default=5555, show_default=True, type=click.IntRange(1, 65535))
@click.option("--address", default="127.0.0.1", show_default=True)
@click.option(
    "--control", is_flag=True, help="Let it stop workers, revoke tasks and so on; else it shows."
)
def command(port: int, address: str, control: bool) -> None:
    """Run Flower, the page that watches the workers.

    Beyond the loopback address it must have a password, LINEWATCH_FLOWER_BASIC_AUTH=user:password.
    Its /metrics and /healthcheck have no authentication.
    """
    from linewatch.extras import need
    from linewatch.settings import get_settings

    need("flower")
    basic_auth = get_settings().flower_basic_auth.get_secret_value().strip()
    if address not in ("127.0.0.1", "::1", "localhost") and not basic_auth:
        raise click.UsageError(
            f"--address {address} can be reached from outside: set LINEWATCH_FLOWER_BASIC_AUTH to "
            "user:password"
        )
    if basic_auth and not all(basic_auth.partition(":")):
        raise click.UsageError("LINEWATCH_FLOWER_BASIC_AUTH is not user:password")
    if not basic_auth.isascii():  # browsers do not agree on how to send it
        raise click.UsageError("LINEWATCH_FLOWER_BASIC_AUTH holds other characters than ASCII")
    from workers.flower.server import serve

    serve(port=port, address=address, basic_auth=basic_auth, columns=COLUMNS, control=control)
