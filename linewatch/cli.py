"""The `linewatch` command. Each sub-command lives in its own module and is imported when used."""

from __future__ import annotations

import importlib
import sys
from typing import NoReturn

import click

from linewatch import __version__
from linewatch.errors import LinewatchError

COMMANDS: dict[str, str] = {
    # name: one line of help, shown without importing the command
    "audit": "Check and list the audit log: who promoted, labelled, requeued, purged.",
    "backends": "Show what runs the encoders; check that models judge alike on it.",
    "beat": "Run the scheduler that starts retraining.",
    "bench": "Measure this machine; needs a checkout of the repository.",
    "db": "Create, upgrade and inspect the database.",
    "dead-letters": "List, show, requeue and purge what could not be judged.",
    "demo": "Inspect a simulated shift (or a folder of pictures) from camera to report.",
    "doctor": "Check the configuration and what it points at.",
    "evaluate": "Judge recipes by cross-validation: the seed's protocol, or any folder of classes.",
    "export": "Write the encoders, and a product's model, as ONNX for other servers.",
    "flower": "Run Flower, the page that watches the workers.",
    "golden": "Keep the pictures that models are compared on, and freeze them.",
    "labels": "Import, export and review people's labels.",
    "lines": "List production lines, and set their takt budget and policy.",
    "models": "List, show, compare, promote and roll back model versions.",
    "optimize": "Convert the encoders for OpenVINO and quantise them to int8.",
    "products": "Register and list products.",
    "redis-acl": "Write the Redis users that producers, workers and operators need.",
    "purge": "Delete what is older than the retention settings allow, now.",
    "replay": "Judge past pictures again with any version, from their stored features.",
    "report": "Defect rates, Pareto, class metrics and models.",
    "schema": "Print the message contract as JSON Schema.",
    "settings": "Print every setting, what it is, and where it may be set.",
    "spool": "Look after the camera side's spool.",
    "submit": "Hand pictures over for inspection.",
    "top": "Watch queue, workers and verdicts, live.",
    "train": "Train a new model version from the labels, now.",
    "up": "Run everything on this machine until Ctrl-C.",
    "watch": "Hand over every picture that appears in FOLDER.",
    "weights": "Fetch, export, import and verify the encoders' weights.",
    "worker": "Run a worker.",
}


class LazyGroup(click.Group):
    """Lists every command from `COMMANDS` and imports only the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import `linewatch.commands.<name>` and return its `command`."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"linewatch.commands.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from `COMMANDS`, so that `--help` imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="linewatch")
def cli() -> None:
    """Linewatch inspects parts on production lines."""


def main() -> NoReturn:
    """Run the command line: exit code 2 and one sentence for what a person can mend."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Abort:
        sys.exit(130)
    except LinewatchError as error:
        click.echo(f"linewatch: {error}", err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)
