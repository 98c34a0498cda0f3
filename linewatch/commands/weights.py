"""`linewatch weights`: fetch, export, import and verify the encoders' weights."""

from __future__ import annotations

from pathlib import Path

import click

_REPLACE = click.option("--replace", is_flag=True, help="Put them in the place of others.")
_PATH = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Fetch, export, import and verify the encoders' weights.

    The full weights lie in LINEWATCH_WEIGHTS_DIR/full; the compact ones ship with Linewatch. For a
    plant without internet: `fetch` and `export` where there is one, carry the file over, `import`
    there, and set LINEWATCH_ENCODERS=full.
    """


@command.command()
@click.option("--from", "source", type=_PATH, default=None, help="A folder; without it, the hub.")
@_REPLACE
def fetch(source: Path | None, replace: bool) -> None:
    """Fetch the full weights from the hub or a folder."""
    from linewatch.settings import get_settings
    from vision.fetch import fetch as fetch_weights
    from vision.weights import full_folder

    folder = full_folder(get_settings())
    _tell(folder, fetch_weights(folder, source=source, replace=replace))


@command.command()
@click.argument("archive", type=_PATH)
@click.option("--from", "source", type=_PATH, default=None, help="Another folder than the full.")
def export(archive: Path, source: Path | None) -> None:
    """Write the full weights and their checksums to ARCHIVE, a tar file."""
    from linewatch.settings import get_settings
    from vision.archive import pack
    from vision.weights import full_folder

    pack(source or full_folder(get_settings()), archive)
    click.echo(f"wrote {archive}, {archive.stat().st_size / 1e6:.1f} MB")


@command.command("import")
@click.argument("archive", type=_PATH)
@_REPLACE
def import_(archive: Path, replace: bool) -> None:
    """Take the full weights from ARCHIVE, if every checksum fits."""
    from linewatch.settings import get_settings
    from vision.archive import unpack
    from vision.weights import full_folder

    folder = full_folder(get_settings())
    _tell(folder, unpack(archive, folder, replace=replace))


@command.command()
@click.argument("folder", type=_PATH, required=False)
def verify(folder: Path | None) -> None:
    """Check FOLDER, or else the weights in use, against their checksums."""
    from linewatch.settings import get_settings
    from vision.checksums import about_of
    from vision.checksums import verify as verify_weights
    from vision.weights import folder_for

    folder = folder or folder_for(get_settings())
    found = verify_weights(folder)
    _tell(folder, found)
    if not about_of(folder).get("sha256"):
        click.echo("about.json names no checksums to compare with", err=True)


def _tell(folder: Path, checksums: dict[str, str]) -> None:
    for name, digest in checksums.items():
        click.echo(f"{digest}  {folder / name}")
