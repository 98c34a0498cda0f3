"""The API's own document, OpenAPI 3.1: with the role of each operation, and how to sign in."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from console.access.visitor import COOKIE

_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of the API, `lw_…`."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A person's."},
}
_PROBLEM = {
    "type": "object",
    "description": "What was refused and why, as RFC 9457 has it.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}
_REFUSED = {
    "description": "Refused, with why.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document; each operation says its role as `x-role`, `security: []` where it is public."""
    if app.openapi_schema is None:
        made = app.openapi()
        components = made.setdefault("components", {})
        components["securitySchemes"] = _SCHEMES
        schemas = components.setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which nobody sees
            schemas.pop(name, None)
        schemas["Problem"] = _PROBLEM
        made["security"] = [{"key": []}, {"session": []}]
        for methods in made["paths"].values():
            for operation in methods.values():
                operation.setdefault("x-role", "admin")  # deny by default
                operation["responses"].pop("422", None)
                operation["responses"]["4XX"] = _REFUSED
        app.openapi_schema = made
    return app.openapi_schema
