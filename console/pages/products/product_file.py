"""A product as YAML: the file is the truth, and forms are a way to write it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from linewatch.errors import ProductError
from linewatch.products import ProductSpec, parse_product

# libyaml's, which is ten times as fast, where PyYAML was built with it.
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def as_yaml(spec: ProductSpec) -> str:
    """The product's file, without what is not said."""
    fields = spec.model_dump(mode="json", exclude_none=True)
    fields = {name: value for name, value in fields.items() if value not in ({}, [], "")}
    return yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def from_yaml(text: str) -> ProductSpec:
    """What a file says.

    Raises:
        ProductError: it is no YAML, or says something a product cannot be.
    """
    try:
        return parse_product(yaml.safe_load(text), source="the file")
    except yaml.YAMLError as error:
        raise ProductError(f"the file is no YAML: {error}") from None


def revision(spec: ProductSpec | None) -> str:
    """What tells one state of a product from another; "" where there is none yet."""
    return "" if spec is None else hashlib.sha256(as_yaml(spec).encode()).hexdigest()[:16]


def changed(spec: ProductSpec | None, fields: Mapping[str, Any]) -> ProductSpec:
    """A product with some keys said anew, None to say them no more; the others stay.

    Raises:
        ProductError: it then says something a product cannot be.
    """
    old = {} if spec is None else spec.model_dump(mode="json", exclude_none=True)
    new = {name: value for name, value in {**old, **fields}.items() if value is not None}
    return parse_product(new, source="the form")


def write(folder: Path, spec: ProductSpec) -> Path:
    """Write `PRODUCT.yaml`, whole or not at all.

    Raises:
        ProductError: the folder cannot be written.
    """
    path = folder / f"{spec.product}.yaml"
    try:
        handle, draft = tempfile.mkstemp(dir=folder, prefix=f".{spec.product}.", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(as_yaml(spec))
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except OSError as error:
        raise ProductError(
            f"{path} cannot be written: {error.strerror}; nothing was changed"
        ) from None
    return path
