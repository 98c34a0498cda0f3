"""The API's document, the role of each operation, and the examples in the docs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from console.access.roles import is_scoped, role_of
from db import products
from db.labels import labels
from db.people import keys
from db.session import engine_for, transaction
from linewatch.products import parse_product
from linewatch.settings import Settings
from tests.support.console import client_of, console_app, every_route, served
from tests.support.outbox import committed, now_record
from tests.support.pictures import encoded, texture

OPERATIONS = Path(__file__).with_name("operations.txt")
API_PAGE = Path("docs/api.md")


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    return engine_for(sqlite_url)


def operations(app: FastAPI) -> list[str]:
    """`METHOD path role` of every route; `scoped` where keys of single cameras may come."""
    return sorted(
        f"{method} {route.path_format} {role_of(route).word}{' scoped' if is_scoped(route) else ''}"
        for route in every_route(app)
        for method in route.methods
    )


def test_the_role_of_each_operation_is_the_one_written_down(engine: Engine) -> None:
    """`UPDATE_OPERATIONS=1` writes the list; read what changed before it is committed."""
    app = console_app(engine)
    found = operations(app)
    if os.environ.get("UPDATE_OPERATIONS"):
        OPERATIONS.write_text("\n".join(found) + "\n")
    assert found == OPERATIONS.read_text().splitlines()
    document = client_of(app).get("/api/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            scoped = " scoped" if said.get("x-scoped") else ""
            written = f"{method.upper()} {path} {said['x-role']}{scoped}"
            assert written in [re.sub(r":path\}", "}", one) for one in found]


def test_the_document_says_what_needs_no_sign_in(engine: Engine) -> None:
    client = client_of(console_app(engine))
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["security"] == [{"key": []}, {"session": []}]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            public = operation.get("security") == []
            assert public == (operation["x-role"] == "public"), path
            if method == "get" and "{" not in path:
                status = client.get(path).status_code
                assert (status == 200) == public, f"{path}: {status}"


def test_every_field_of_a_context_is_described(engine: Engine) -> None:
    document = client_of(console_app(engine)).get("/api/v1/openapi.json").json()
    bare = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, said in schema.get("properties", {}).items()
        if name != "Problem" and "description" not in said
    ]
    assert bare == []


def test_the_examples_of_the_docs_run(
    engine: Engine, tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    """Every ```sh block of the page, one after the other, with a real curl."""
    if shutil.which("curl") is None:
        pytest.skip("no curl on PATH")
    from PIL import Image

    make_settings(
        image_roots=[tmp_path], upload_dir=tmp_path / "up", redis_url="redis://127.0.0.1:1/0"
    )
    (tmp_path / "part.jpg").write_bytes(encoded(Image.fromarray(texture(120, 90)), "JPEG"))
    classes = [{"code": "good", "good": True}, {"code": "bent_wire"}]
    spec = parse_product({"product": "cable", "classes": classes}, source="test")
    with transaction(engine) as connection:
        products.register(connection, spec)
        key = keys.make(connection, "MES", "inspector", lasts=timedelta(days=1), by="test")
    blocks = re.findall(r"```sh\n(.*?)```", API_PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 5
    label = next(place for place, block in enumerate(blocks) if "/label" in block)
    app = console_app(engine)
    with served(app) as address:
        environment = {**os.environ, "CONSOLE": address, "KEY": key}
        said = run(blocks[:label], tmp_path, environment)
        assert re.findall(r'"state":"(\w+)"', said) == ["waiting"] * 3, said
        picture = UUID(json.loads((tmp_path / "answer.json").read_text())["id"])
        committed(engine, now_record(id=picture, product="cable"))  # as a worker would
        said = run(blocks[label:], tmp_path, environment)
    app.state.intake.close()
    assert labels.latest(engine, "cable") == {picture: "bent_wire"}
    refused = [line for line in said.splitlines() if '"status":' in line]
    assert json.loads(refused[-1])["status"] == 401


def run(blocks: Sequence[str], folder: Path, environment: dict[str, str]) -> str:
    """What these blocks print, one after the other in one shell."""
    script = "set -euo pipefail\n" + "\necho\n".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
