"""Reads the alerts file, and the addresses that it names."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from linewatch.alerting.rules import AlertsFile
from linewatch.errors import AlertError
from linewatch.nearest import did_you_mean
from linewatch.settings import Settings
from linewatch.unknown_keys import problems, without_unknown
from linewatch.yaml_texts import TextLoader

_MOST_BYTES = 1_000_000


def alerts_of(settings: Settings) -> AlertsFile:
    """What LINEWATCH_ALERTS_FILE says; without it the rules' defaults, and nobody is told.

    Where it does not say where the console is, LINEWATCH_CONSOLE_URL does.

    Raises:
        AlertError: see `load`; or a channel names an address that LINEWATCH_ALERT_URLS lacks.
    """
    if settings.alerts_file is None:
        return AlertsFile(console=settings.console_url)
    found = load(settings.alerts_file)
    found = found.model_copy(update={"console": found.console or settings.console_url})
    known = addresses(settings)
    for name, channel in found.channels.items():
        for one in channel.to:
            if "://" not in one and one not in known:
                raise AlertError(
                    f"{settings.alerts_file}: channels.{name}.to: LINEWATCH_ALERT_URLS has no "
                    f"address called {one!r}{did_you_mean(one, known)}"
                )
    return found


def load(path: Path) -> AlertsFile:
    """Read an alerts file.

    Raises:
        AlertError: it is missing, no YAML, or says something that cannot be: names the field, and
            the nearest known name.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise AlertError(f"{path} has more than a megabyte; is it an alerts file?")
        data = TextLoader(text).get_single_data()
    except OSError as error:
        raise AlertError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise AlertError(f"{path}: {' '.join(str(error).split())}") from None
    return parse(data, str(path))


def parse(data: object, source: str) -> AlertsFile:
    """The same of what a file holds: of text values, as `TextLoader` reads them.

    Raises:
        AlertError: see `load`.
    """
    known, unknown = without_unknown(AlertsFile, {} if data in (None, "") else data)
    wrong = [f"there is no key {words}" for words in unknown]
    try:
        found = AlertsFile.model_validate(known)
    except ValidationError as error:
        wrong.append(problems(error))
    if wrong:
        raise AlertError(f"{source}: {'; '.join(wrong)}")
    return found


def addresses(settings: Settings) -> dict[str, str]:
    """The addresses of LINEWATCH_ALERT_URLS by name: NAME=URL, one a line.

    Raises:
        AlertError: a line is no NAME=URL; the line itself is not shown.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(settings.alert_urls.get_secret_value().splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, sign, url = line.partition("=")
        if not sign or "://" not in url or "://" in name:
            raise AlertError(f"LINEWATCH_ALERT_URLS: line {number} is not NAME=URL")
        found[name.strip()] = url.strip()
    return found
