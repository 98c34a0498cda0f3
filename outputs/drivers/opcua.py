"""Verdicts for a PLC, or a control system, that reads by OPC UA.

Linewatch is the server. Below Objects stand the handshake and the vision system of OPC 40100-1; the
only variable that a client may write is Acknowledge.
"""

from __future__ import annotations

from typing import Any, cast

from asyncua import Node, Server, ua

from outputs.drivers.opcua_access import guarded_server
from outputs.drivers.opcua_objects import (
    FIELDS,
    SUBSET,
    URI,
    VARIABLES,
    add_handshake,
    add_vision_system,
    check_nodeset,
    ready_event,
    result_data,
)
from outputs.drivers.opcua_options import OpcuaOptions
from outputs.drivers.plc import PlcDriver
from outputs.drivers.plc_server import Acknowledge
from outputs.options import Place, ReceiverOptions
from outputs.result import Result
from outputs.signals import Signals

PATH = "/outputs"
KINDS = {"ResultState": ua.VariantType.Int32, "ResultContent": ua.VariantType.Variant}


class OpcuaServer:
    """The address space, and who reads it."""

    def __init__(self, options: OpcuaOptions, place: Place) -> None:
        self._options, self._place = options, place
        self._shown: Result | None = None
        self._last: Signals | None = Signals()  # None: a write failed, so all are written
        self._server: Server | None = None

    async def start(self, acknowledge: Acknowledge) -> None:
        """Listen, with all signals low.

        Raises:
            ConfigurationError: a file cannot be used.
        """
        options = self._options
        server = guarded_server(options)
        nodeset = options.nodeset or SUBSET
        check_nodeset(nodeset)
        await server.init()
        await server.set_application_uri(URI)
        server.set_server_name("Linewatch")
        host = f"[{options.address}]" if options.address.version == 6 else str(options.address)
        server.set_endpoint(f"opc.tcp://{host}:{options.port}{PATH}")
        if options.certificate is not None:
            await server.load_certificate(options.certificate)
            await server.load_private_key(cast(Any, options.private_key), format="PEM")
        self._handshake, acknowledged = await add_handshake(server)
        self._vision = await add_vision_system(server, self._place.line, nodeset)
        await acknowledged.set_writable()
        self._event = await ready_event(server, self._vision["System"])
        self._let_know(server, acknowledged, acknowledge)
        await server.start()
        self._server = server

    async def show(self, signals: Signals, result: Result | None) -> None:
        """Write what changed, in one go: no client reads half of it."""
        last, self._last = self._last, None
        writes = [
            (self._handshake[name], getattr(signals, field), kind)
            for name, (field, kind) in VARIABLES.items()
            if last is None or getattr(signals, field) != getattr(last, field)
        ]
        if not signals.results_ready:  # it falls before what belongs to it, and rises after
            writes.sort(key=lambda write: write[0] != self._handshake["ResultsReady"])
        if last is None or signals.healthy != last.healthy:
            await self._write(self._state(signals.healthy))
        if result is not None and result is not self._shown:
            data = result_data(result, signals.part)
            await self._write(self._fields(data))
            await self._write(writes)
            await self._tell(data)
        else:
            await self._write(writes)
        self._shown, self._last = result, signals

    def heard(self) -> str | None:
        """How many clients there are."""
        clients = len(self._server.bserver.clients) if self._server and self._server.bserver else 0
        return f"{clients} OPC UA clients are connected" if clients else None

    async def stop(self) -> None:
        """Close all connections."""
        if self._server is not None:
            await self._server.stop()

    def _let_know(self, server: Server, node: Node, acknowledge: Acknowledge) -> None:
        """Have Acknowledge called whenever it is written."""

        async def written(handle: int, value: ua.DataValue | None, *_: Any) -> None:
            if value is not None and value.Value is not None:
                acknowledge(bool(value.Value.Value))

        status, _ = server.iserver.aspace.add_datachange_callback(
            node.nodeid, ua.AttributeIds.Value, written
        )
        status.check()

    def _state(self, healthy: bool) -> list[tuple[Node, Any, ua.VariantType]]:
        name = "Operational" if healthy else "Halted"
        text = ua.LocalizedText(name, "en")
        return [
            (self._vision["State"], text, ua.VariantType.LocalizedText),
            (self._vision["StateId"], self._vision[name].nodeid, ua.VariantType.NodeId),
        ]

    def _fields(self, data: Any) -> list[tuple[Node, Any, ua.VariantType | None]]:
        whole: list[tuple[Node, Any, ua.VariantType | None]] = [
            (self._vision["Result"], data, ua.VariantType.ExtensionObject)
        ]
        parts = [(self._vision[f"Result.{name}"], getattr(data, name), name) for name in FIELDS]
        return whole + [(node, value, KINDS.get(name)) for node, value, name in parts]

    async def _tell(self, data: Any) -> None:
        """Send the standard's event."""
        for name in FIELDS:
            setattr(self._event.event, name, getattr(data, name))
        await self._event.trigger(message="a result is ready")

    async def _write(self, writes: list[Any]) -> None:
        if self._server is None or not writes:
            return
        params = ua.WriteParameters()
        for node, value, kind in writes:
            written = ua.WriteValue()
            written.NodeId = node.nodeid
            written.AttributeId = ua.AttributeIds.Value
            written.Value = ua.DataValue(ua.Variant(value, kind))
            params.NodesToWrite.append(written)
        for status in await self._server.iserver.isession.write(params):
            status.check()


class OpcuaDriver(PlcDriver):
    """A PLC that reads by OPC UA."""

    def __init__(self, options: ReceiverOptions, place: Place) -> None:
        """Listen.

        Raises:
            ConfigurationError: it cannot.
        """
        opcua = cast(OpcuaOptions, options)
        super().__init__(opcua, OpcuaServer(opcua, place))
