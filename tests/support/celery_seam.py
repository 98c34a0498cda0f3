"""Finds where code reaches into Celery and kombu: their internals, private names, classes, patches.

What these packages document for others to build on is open to everybody: applications, tasks, boot
steps, signals, connections, queues, exceptions. All else is for `workers/broker` alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FAMILIES = frozenset({"amqp", "billiard", "celery", "kombu", "redbeat", "vine"})
OPEN = {
    "celery": {"Celery", "Task", "shared_task", "bootsteps", "exceptions", "schedules", "signals"},
    "celery.bootsteps": {"Step", "StartStopStep", "ConsumerStep"},
    "celery.exceptions": None,  # None: all names
    "celery.schedules": None,
    "celery.signals": None,
    "kombu": {"Connection", "Consumer", "Exchange", "Producer", "Queue", "exceptions"},
    "kombu.exceptions": None,
}
TO_BUILD_ON = ("celery.bootsteps.", "celery.exceptions.", "kombu.exceptions.")
_OBJECTS = frozenset({"app", "channel", "connection", "consumer", "lock", "pool", "worker"})
# Of named tuples, and `os._exit`: public all the same.
_NOT_PRIVATE = frozenset({"_asdict", "_exit", "_fields", "_make", "_replace"})


@dataclass(frozen=True, slots=True, order=True)
class Reach:
    """One place, as `path:line: what`."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


# Who may, and who speaks to a GPU and to no queue.
BUT = ("workers/broker", "benchmarks/gpu")


def reaches(root: Path, packages: tuple[str, ...]) -> list[Reach]:
    """Every reach in these packages under `root`, apart from the folders that may."""
    found: set[Reach] = set()
    for package in packages:
        for path in (root / package).rglob("*.py"):
            place = path.relative_to(root)
            if not any(map(place.is_relative_to, BUT)):
                tree = ast.parse(path.read_text())
                found |= {Reach(place, line, what) for line, what in reaches_of(tree)}
    return sorted(found)


def reaches_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and words for each reach in a module."""
    names = dict(_imported(tree))
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        for what in _of_node(node, names, own):
            yield getattr(node, "lineno", 0), what


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What each name of the module stands for, of those that come from Celery and kombu."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in FAMILIES:
                    first = alias.name.partition(".")[0]
                    yield (alias.asname, alias.name) if alias.asname else (first, first)
        elif isinstance(node, ast.ImportFrom) and _is_theirs(node.module):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _of_node(node: ast.AST, names: dict[str, str], own: set[str]) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (f"imports {a.name}" for a in node.names if not _is_open(a.name))
        case ast.ImportFrom() if _is_theirs(node.module):
            whole = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (f"imports {name}" for name in whole if not _is_open(name))
        case ast.Call(func=ast.Name("import_module") | ast.Attribute(attr="import_module")):
            texts = (a.value for a in node.args if isinstance(a, ast.Constant))
            yield from (f"imports {text}" for text in texts if not _is_open(str(text)))
        case ast.Call(func=ast.Name("setattr" | "delattr")) if node.args:
            if whole := _dotted(node.args[0], names):
                yield f"changes {whole}"
        case ast.ClassDef():
            bases = filter(None, (_dotted(base, names) for base in node.bases))
            yield from (f"subclasses {b}" for b in bases if not b.startswith(TO_BUILD_ON))
        case ast.Attribute():
            yield from _of_attribute(node, names, own)


def _of_attribute(node: ast.Attribute, names: dict[str, str], own: set[str]) -> Iterator[str]:
    whole = _dotted(node, names)
    if whole and isinstance(node.ctx, ast.Store | ast.Del):
        yield f"changes {whole}"
    elif whole and not _is_open(whole):
        yield f"uses {whole}"
    elif _is_private(node.attr) and not _is_own(node.value, own):
        yield f"uses {ast.unparse(node)}"


def _is_theirs(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in FAMILIES


def _is_open(whole: str) -> bool:
    """Whether a dotted name is none of theirs, or one that they document for everybody."""
    if not _is_theirs(whole) or whole in OPEN:
        return True
    module = whole.rpartition(".")[0]
    while module and module not in OPEN:
        module = module.rpartition(".")[0]
    if not module:
        return False
    name, _, rest = whole.removeprefix(f"{module}.").partition(".")
    allowed = OPEN[module]
    return not any(map(_is_private, (name, *rest.split(".")))) and (
        allowed is None or name in allowed
    )


def _dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    """What an expression such as `transport.redis.Channel` stands for, if it is of theirs."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return None
    return ".".join([names[node.id], *reversed(parts)])


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("_") and name not in _NOT_PRIVATE


def _is_own(node: ast.expr, own: set[str]) -> bool:
    """Whether it is the object itself, its class, or a class of the same module."""
    match node:
        case ast.Name(name):
            return name in {"self", "cls"} | own
        case ast.Call(func=ast.Name("super" | "type")):
            return True
    return False


def changes_of(tree: ast.Module) -> set[str]:
    """What a module assigns, takes off or adds in Celery's modules and objects, as dotted names.

    Objects are known by the names that they have in this code.
    """
    names = dict(_imported(tree))
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                whole, text = _dotted(node, names), ast.unparse(node)
                if whole or text.partition(".")[0] in _OBJECTS:
                    found.add(whole or text)
            case ast.Subscript(value=ast.Attribute() as changed, ctx=ast.Store() | ast.Del()):
                found |= {_dotted(changed, names) or ""}
            case ast.Call(func=ast.Attribute(attr="update" | "disconnect") as called):
                found |= {_dotted(called.value, names) or ""}
            case ast.Call(func=ast.Name("setattr"), args=[target, *_]):
                found.add(f"{ast.unparse(target)}.on_…")
    return found - {""}
