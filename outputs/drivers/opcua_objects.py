"""The objects of an OPC UA server: OPC 40100-1's vision system, and the handshake.

Without the plant's NodeSet, `machine_vision.xml` has a subset of it under the same node ids: a
client finds a result at the same place, in the same types, either way.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from asyncua import Node, Server, ua
from asyncua.common.instantiate_util import instantiate
from asyncua.server.event_generator import EventGenerator

from linewatch.errors import ConfigurationError
from outputs.result import Result
from outputs.signals import Signals

URI = "urn:linewatch:outputs"
MACHINE_VISION = "http://opcfoundation.org/UA/MachineVision"
_NODESET = "http://opcfoundation.org/UA/2011/03/UANodeSet.xsd"
SUBSET = Path(__file__).with_name("machine_vision.xml")
_VISION_SYSTEM, _RESULT_MANAGEMENT, _RESULT_FOLDER = 1003, 1007, 1016  # ids of the NodeSet
_RESULT, _RESULT_READY = 2002, 1024
COMPLETED, ABORTED, FAILED = 1, 3, 4  # OPC 40100-1, table 153

STATES = ("Operational", "Halted")  # of the vision system: healthy or not
FIELDS = (  # of a result, each a variable of its own below the result
    *("ResultId", "PartId", "ProductId", "JobId", "InternalRecipeId", "IsPartial", "IsSimulated"),
    *("ResultState", "CreationTime", "ProcessingTimes", "ResultContent"),
)

# The handshake's variables, in the order of writing: what belongs to a result before Results Ready.
VARIABLES = {
    "Sequence": ("sequence", ua.VariantType.UInt32),
    "Part": ("part", ua.VariantType.String),
    "ClassCode": ("class_code", ua.VariantType.UInt16),
    "Error": ("error", ua.VariantType.UInt16),
    "Ok": ("ok", ua.VariantType.Boolean),
    "Ng": ("ng", ua.VariantType.Boolean),
    "Overrun": ("overrun", ua.VariantType.Boolean),
    "ResultsReady": ("results_ready", ua.VariantType.Boolean),
    "TriggerReady": ("trigger_ready", ua.VariantType.Boolean),
    "Healthy": ("healthy", ua.VariantType.Boolean),
    "Heartbeat": ("heartbeat", ua.VariantType.UInt16),
}


async def add_handshake(server: Server) -> tuple[dict[str, Node], Node]:
    """Add the handshake below Objects.

    Returns:
        Its variables by name, and Acknowledge.
    """
    index = await server.get_namespace_index(URI)
    where = ua.NodeId("Handshake", index), ua.QualifiedName("Handshake", index)
    parent = await server.nodes.objects.add_object(*where)

    async def variable(name: str, kind: ua.VariantType, value: Any) -> Node:
        where = ua.NodeId(f"Handshake.{name}", index), ua.QualifiedName(name, index)
        return await parent.add_variable(*where, value, kind)

    low = Signals()
    nodes = {
        name: await variable(name, kind, getattr(low, field))
        for name, (field, kind) in VARIABLES.items()
    }
    return nodes, await variable("Acknowledge", ua.VariantType.Boolean, False)


async def add_vision_system(server: Server, line: str, nodeset: Path) -> dict[str, Node]:
    """Load the types of OPC 40100-1 and add a vision system for the line.

    Returns:
        By name: the `System`, its `State` and the states, the `Result` and each field of it.
    """
    await server.import_xml(nodeset)
    await server.load_data_type_definitions()
    index = await server.get_namespace_index(MACHINE_VISION)

    async def add(parent: Node, name: str, kind: int) -> Node:
        path = name if parent == server.nodes.objects else f"{parent.nodeid.Identifier}.{name}"
        made = await instantiate(
            parent,
            server.get_node(ua.NodeId(kind, index)),
            nodeid=ua.NodeId(path, index),
            bname=ua.QualifiedName(name, index),
            dname=ua.LocalizedText(name),
            instantiate_optional=kind == _RESULT,
        )
        return made[0]

    system = await add(server.nodes.objects, line, _VISION_SYSTEM)
    management = await add(system, "ResultManagement", _RESULT_MANAGEMENT)
    folder = await add(management, "Results", _RESULT_FOLDER)
    result = await add(folder, "Result", _RESULT)
    machine = f"{index}:VisionStateMachine"
    nodes = {
        "System": system,
        "State": await system.get_child([machine, "0:CurrentState"]),
        "StateId": await system.get_child([machine, "0:CurrentState", "0:Id"]),
        "Result": result,
    }
    for state in STATES:
        nodes[state] = await system.get_child([machine, f"{index}:{state}"])
    for field in FIELDS:
        nodes[f"Result.{field}"] = await result.get_child(f"{index}:{field}")
    any_type = ua.Variant(ua.NodeId(ua.ObjectIds.BaseDataType), ua.VariantType.NodeId)
    content = nodes["Result.ResultContent"]  # asyncua takes the NodeSet's default for no type
    await content.write_attribute(ua.AttributeIds.DataType, ua.DataValue(any_type))
    return nodes


def check_nodeset(path: Path) -> None:
    """Check that a file is the NodeSet of OPC 40100-1, before a server is built with it.

    Raises:
        ConfigurationError: it is not.
    """
    try:
        tree = ElementTree.parse(path)  # noqa: S314 - the plant's own file
        found = [model.get("ModelUri") for model in tree.iter(f"{{{_NODESET}}}Model")]
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; `nodeset` names a file") from None
    except ElementTree.ParseError as error:
        raise ConfigurationError(f"{path} is no NodeSet: {error}") from None
    if MACHINE_VISION not in found:
        raise ConfigurationError(
            f"{path} is not the NodeSet of OPC 40100-1: its models are {found}; leave out `nodeset`"
            " to have the subset that comes with Linewatch"
        )


async def ready_event(server: Server, system: Node) -> EventGenerator:
    """What tells subscribers of the vision system that a result is ready."""
    index = await server.get_namespace_index(MACHINE_VISION)
    return await server.get_event_generator(ua.NodeId(_RESULT_READY, index), system.nodeid)


def result_data(result: Result, part: str) -> Any:
    """A result as OPC 40100-1 has it: a `ResultDataType`.

    Its content is one string, the JSON that every receiver of JSON is given.
    """
    state = ABORTED if result.no_verdict else COMPLETED
    data = ua.ResultDataType()
    data.ResultId = ua.ResultIdDataType(Id=str(result.id))
    data.PartId = ua.PartIdDataType(Id=part)
    data.ProductId = ua.ProductIdDataType(Id=result.product)
    data.JobId = ua.JobIdDataType(Id=result.line)
    data.InternalRecipeId.Id = result.model_version
    data.IsPartial = result.why == "incomplete"
    data.IsSimulated = False
    data.ResultState = FAILED if result.why == "rejected" else state
    data.CreationTime = result.committed_at
    data.ProcessingTimes = ua.ProcessingTimesDataType(
        StartTime=result.captured_at or result.committed_at, EndTime=result.committed_at
    )
    content = json.dumps(result.as_json(), ensure_ascii=False)
    data.ResultContent = [ua.Variant(content, ua.VariantType.String)]
    return data
