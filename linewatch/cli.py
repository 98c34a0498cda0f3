"""The `linewatch` command. Each sub-command lives in its own module and is imported when used."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from linewatch import __version__
from linewatch.commands._rights import RightsGroup
from linewatch.errors import EXIT_MISTAKE, LinewatchError
from linewatch.extras import advice
from linewatch.import_path import run_as_program
from linewatch.plain_text import keep_logs_plain, readable, visible_lines

COMMANDS: dict[str, str] = {
    # name: one line of help, shown without importing the command
    "alerts": "List, acknowledge and close alerts; tell people of them.",
    "audit": "Check and list the audit log: who promoted, labelled, requeued, purged.",
    "audit-sample": "Look at the random share of parts that people see besides the model.",
    "backends": "Show what runs the encoders; check that models judge alike on it.",
    "backup": "Copy database, models, spools and settings into a new folder.",
    "beat": "Run the scheduler that starts retraining.",
    "bench": "Measure this machine; needs a checkout of the repository.",
    "challenge": "Send known bad parts through a line's camera, to see that it finds them.",
    "chart": "Draw control charts, freeze their baselines, answer their signals.",
    "console": "Serve the console: lines, review, reports, models, parts, queue.",
    "db": "Create, upgrade and inspect the database.",
    "dead-letters": "List, show, requeue and purge what could not be judged.",
    "decide": "Say what a part is, above what the model found.",
    "demo": "Inspect a simulated shift (or a folder of pictures) from camera to report.",
    "doctor": "Check the configuration and what it points at.",
    "evaluate": "Judge recipes by cross-validation: the seed's protocol, or any folder of classes.",
    "export": "Write the encoders, and a product's model, as ONNX for other servers.",
    "flower": "Run Flower, the page that watches the workers.",
    "golden": "Keep the pictures that models are compared on, and freeze them.",
    "init": "Make all that a plant needs before its first start.",
    "labels": "Import, export and review people's labels.",
    "lines": "List production lines, and set their takt budget and policy.",
    "models": "List, show, compare, promote and roll back model versions.",
    "optimize": "Convert the encoders for OpenVINO and quantise them to int8.",
    "outputs": "Tell the lines their verdicts: run, list, test, pause, replay.",
    "products": "Register and list products.",
    "redis-acl": "Write the Redis users that producers, workers and operators need.",
    "purge": "Delete what is older than the retention settings allow, now.",
    "replay": "Judge past pictures again with any version, from their stored features.",
    "report": "Defect rate, yield, Pareto, trend, lots; models, labels, rejects, flow, backlog.",
    "restore": "Bring a backup back into an empty database and store, or check it.",
    "schema": "Print the message contract as JSON Schema.",
    "settings": "Show every setting, its value here, and where that comes from.",
    "shifts": "Import, show and check shift calendars.",
    "spool": "Look after the camera side's spool.",
    "submit": "Hand pictures over for inspection.",
    "top": "Watch queue, workers and verdicts, live.",
    "train": "Train a new model version from the labels, now.",
    "up": "Run everything on this machine until Ctrl-C.",
    "users": "Let people into the console, and out of it.",
    "watch": "Hand over every picture that appears in FOLDER.",
    "weights": "Fetch, export, import and verify the encoders' weights.",
    "worker": "Run a worker.",
}

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LazyGroup(RightsGroup):
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
    run_as_program()
    keep_logs_plain()
    try:
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_MISTAKE)
    except click.exceptions.Abort:
        sys.exit(130)
    except LinewatchError as error:
        click.echo(f"linewatch: {visible_lines(readable(str(error)))}", err=True)
        sys.exit(EXIT_MISTAKE)
    except UnicodeEncodeError as error:  # a file's name may be any bytes, all else is text
        if not any(argument in error.object for argument in _no_text(sys.argv[1:])):
            raise
        click.echo(f"linewatch: {error.object!a} is no text in UTF-8; write it in UTF-8", err=True)
        sys.exit(EXIT_MISTAKE)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left of it
        sentence = f"the output cannot be written: {error.strerror}; make room where it goes"
        click.echo(f"linewatch: {sentence}", err=True)
        sys.exit(EXIT_MISTAKE)
    except ImportError as error:  # a package of an extra; no command can go on without
        click.echo(f"linewatch: {advice(error)}", err=True)
        sys.exit(EXIT_MISTAKE)
    sys.exit(code if isinstance(code, int) else 0)


def _no_text(arguments: Sequence[str]) -> list[str]:
    """Those that hold bytes which are no UTF-8; Python has them as lone surrogates."""
    return [one for one in arguments if any("\ud800" <= c <= "\udfff" for c in one)]
