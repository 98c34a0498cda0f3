"""The file of outputs: which receivers each line has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from linewatch.errors import ConfigurationError
from linewatch.unknown_keys import problems, without_unknown
from outputs.drivers.drop_options import DropOptions, named
from outputs.drivers.modbus_options import ModbusOptions
from outputs.drivers.mqtt_options import MqttOptions
from outputs.drivers.opcua_options import OpcuaOptions
from outputs.drivers.webhook_options import WebhookOptions
from outputs.options import Options, Place, ReceiverOptions, Seconds

# Kind: its options. The union below holds the same.
KINDS: dict[str, type[ReceiverOptions]] = {
    "mqtt": MqttOptions,
    "webhook": WebhookOptions,
    "drop": DropOptions,
    "opcua": OpcuaOptions,
    "modbus": ModbusOptions,
}
Receiver = Annotated[
    MqttOptions | WebhookOptions | DropOptions | OpcuaOptions | ModbusOptions,
    Field(discriminator="kind"),
]
LineName = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]


class LineOptions(Options):
    """A line and its receivers."""

    area: str = ""
    deadline_s: Seconds | None = Field(
        default=None, description="From capture; then a part without a verdict is `no_verdict`."
    )
    receivers: tuple[Receiver, ...] = Field(min_length=1, max_length=32)

    @field_validator("receivers")
    @classmethod
    def _distinct(cls, value: tuple[Receiver, ...]) -> tuple[Receiver, ...]:
        names = [receiver.name for receiver in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"these receivers are listed twice: {', '.join(twice)}")
        return value


class OutputsFile(Options):
    """The whole file."""

    version: Literal[1] = 1
    site: str = ""
    lines: dict[LineName, LineOptions] = Field(min_length=1)

    @model_validator(mode="after")
    def _files_of_their_own(self) -> Self:
        """Files are called by line and numbers: in one folder they would replace each other."""
        known: dict[tuple[str, str, str], str] = {}
        for line, options in self.lines.items():
            for one in options.receivers:
                if isinstance(one, DropOptions):
                    folder = os.path.normpath(one.folder)
                    name = f"{line}/{one.name}"
                    other = known.setdefault((folder, named(line), one.suffix), name)
                    if other != name:
                        raise ValueError(
                            f"the files of {name} would replace those of {other} in {folder}: "
                            "give each a folder of its own"
                        )
        return self

    def place(self, line: str) -> Place:
        """Where a line is."""
        return Place(site=self.site, area=self.lines[line].area, line=line)


def load_outputs(path: Path) -> OutputsFile:
    """Read the file.

    Raises:
        ConfigurationError: it is missing, is not YAML, or says something that outputs cannot be;
            with each key that is wrong, and of an unknown one the nearest.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"the file of outputs {path}: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise ConfigurationError(f"the file of outputs {path}: {said}") from None
    return parse_outputs(data, str(path))


def parse_outputs(data: object, source: str) -> OutputsFile:
    """Check what the file holds; see `load_outputs`."""
    wrong = [f"there is no key {words}" for words in _unknown(data)]
    if not wrong:
        try:
            return OutputsFile.model_validate(data)
        except ValidationError as error:
            wrong.append(problems(error))
    raise ConfigurationError(f"{source}: {'; '.join(wrong)}")


def _unknown(data: object) -> list[str]:
    """Words for each key that no table has; a receiver's keys are those of its kind."""
    if not isinstance(data, dict):
        return []
    found = without_unknown(OutputsFile, {**data, "lines": {}})[1]
    lines = data.get("lines")
    for name, line in lines.items() if isinstance(lines, dict) else ():
        if isinstance(line, dict):
            found += _unknown_of_line(name, line)
    return found


def _unknown_of_line(name: object, line: dict[Any, Any]) -> list[str]:
    found = without_unknown(LineOptions, {**line, "receivers": []}, f"lines.{name}.")[1]
    receivers = line.get("receivers")
    for place, receiver in enumerate(receivers if isinstance(receivers, list) else ()):
        kind: type[BaseModel] | None = None
        if isinstance(receiver, dict):
            kind = KINDS.get(str(receiver.get("kind")))
        if kind is not None:
            found += without_unknown(kind, receiver, f"lines.{name}.receivers.{place}.")[1]
    return found
