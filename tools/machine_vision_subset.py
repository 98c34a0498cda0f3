"""Reduce the NodeSet of OPC 40100-1 to what Linewatch shows of it.

    python -m tools.machine_vision_subset Opc.Ua.MachineVision.NodeSet2.xml \
        outputs/drivers/machine_vision.xml

Kept under their node ids: the vision system with its state machine, result management, the result's
variable, event and data types. Left out: methods, recipes, configurations, safety, transitions.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

UA = "http://opcfoundation.org/UA/2011/03/UANodeSet.xsd"
UA_TYPES = "http://opcfoundation.org/UA/2008/02/Types.xsd"
ROOTS = (
    *("VisionSystemType", "VisionStateMachineType", "ResultManagementType"),
    *("ResultFolderType", "ResultType", "ResultReadyEventType"),
)
LEFT_OUT = re.compile(
    r"(Configuration|Recipe|SafetyState)Management|\w+Transfer|\w+StepModel|TypeDictionary"
    r"|AutomaticModeStateMachine|DiagnosticLevel|SystemState|Default XML|<\w+>|\w+To[A-Z]\w+"
)
FOLLOWED = ("HasComponent", "HasProperty", "HasEncoding", "HasTypeDefinition", "HasSubtype")
NOTICE = """
  A subset of the NodeSet of OPC 40100-1 Machine Vision 1.0.0, made by
  tools/machine_vision_subset.py.
"""


def main(source: Path, target: Path) -> None:
    """Read the whole NodeSet and write the subset."""
    text = source.read_text(encoding="utf-8")
    for prefix, uri in (("", UA), ("uax", UA_TYPES)):
        ElementTree.register_namespace(prefix, uri)
    root = ElementTree.fromstring(text)  # noqa: S314 - the OPC Foundation's own file
    nodes = {node.get("NodeId", ""): node for node in root if node.get("NodeId")}
    names = {_name(node): key for key, node in nodes.items()}
    aliases = {a.get("Alias"): a.text for a in root.iter(f"{{{UA}}}Alias")}
    kept: set[str] = set()
    todo = [names[name] for name in ROOTS]
    while todo:
        key = todo.pop()
        node = nodes.get(key)
        if key in kept or node is None or _is_left_out(node):
            continue
        kept.add(key)
        todo += [ref.text or "" for ref in _references(node) if _follows(ref)]
        types = [node.get("DataType"), *(f.get("DataType") for f in node.iter(f"{{{UA}}}Field"))]
        todo += [aliases.get(name, name) or "" for name in types if name]
    for key, node in nodes.items():
        if key not in kept:
            root.remove(node)
            continue
        for references in node.findall(f"{{{UA}}}References"):
            for ref in list(references):
                if ref.text in nodes and ref.text not in kept:
                    references.remove(ref)
    licence = text[text.index("<!--") + 4 : text.index("-->")]
    root.insert(0, ElementTree.Comment(licence + NOTICE))
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(target, encoding="utf-8", xml_declaration=True)


def _name(node: ElementTree.Element) -> str:
    return node.get("BrowseName", "").rpartition(":")[2]


def _is_left_out(node: ElementTree.Element) -> bool:
    return node.tag == f"{{{UA}}}UAMethod" or bool(LEFT_OUT.fullmatch(_name(node)))


def _references(node: ElementTree.Element) -> list[ElementTree.Element]:
    return node.findall(f"{{{UA}}}References/{{{UA}}}Reference")


def _follows(ref: ElementTree.Element) -> bool:
    """Forward to what belongs to it, and up to its supertype, but not to every subtype."""
    kind, forward = ref.get("ReferenceType"), ref.get("IsForward") != "false"
    return kind in FOLLOWED and (forward != (kind == "HasSubtype"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
