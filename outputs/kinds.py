"""The kinds of receivers: which module speaks to which.

A driver is made as `Driver(options, place)`: its options of the file, and where its line is. Its
module is imported when a receiver of its kind is configured, so that the packages of the others
need not be installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from linewatch.errors import ConfigurationError
from linewatch.extras import advice
from outputs.drivers.driver import Driver
from outputs.options import Place, ReceiverOptions

_DRIVERS = {
    "mqtt": ("outputs.drivers.mqtt", "MqttDriver"),
    "webhook": ("outputs.drivers.webhook", "WebhookDriver"),
    "drop": ("outputs.drivers.drop", "DropDriver"),
    "opcua": ("outputs.drivers.opcua", "OpcuaDriver"),
    "modbus": ("outputs.drivers.modbus", "ModbusDriver"),
}


def open_driver(options: ReceiverOptions, place: Place) -> Driver:
    """Make the driver of a receiver.

    Raises:
        ConfigurationError: a package that it needs is not installed, or what its options name (a
            file, an address) cannot be used.
    """
    module, name = _DRIVERS[options.kind]
    try:
        made = getattr(import_module(module), name)(options, place)
    except ImportError as error:
        raise ConfigurationError(f"receiver {options.name!r}: {advice(error)}") from None
    return cast(Driver, made)
