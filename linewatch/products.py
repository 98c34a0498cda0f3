"""A product file: what a product's classes are called, and how its pictures look."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from linewatch.errors import ProductError

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class ClassSpec(BaseModel):
    """One class of a product: its code and the sentences that describe it to CLIP."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Code
    good: bool = False
    prompts: tuple[str, ...] = ()


class ImageSize(BaseModel):
    """The size its cameras deliver, in pixels; any other size is rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(gt=0)
    height: int = Field(gt=0)


Days = Annotated[float, Field(gt=0)] | Literal["forever"]


class Retention(BaseModel):
    """How long what is known of its parts is kept, in days; left out: as the settings say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pictures: Days | None = None
    features: Days | None = None
    inspections: Days | None = None
    rollups: Days | None = None


class Costs(BaseModel):
    """What a wrong verdict and a person's look cost, a part, all in the same unit of money."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    escape: float = Field(gt=0, description="A defect that was passed as good.")
    overkill: float = Field(gt=0, description="A good part that was called a defect.")
    review: float = Field(gt=0, description="A person looks at a part.")
    defect_rate: float = Field(gt=0, lt=1, description="Share of defects among the line's parts.")


class ProductSpec(BaseModel):
    """What `products/<code>.yaml` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: Code
    name: str = ""
    image_size: ImageSize | None = None
    retention: Retention = Retention()
    costs: Costs | None = None
    classes: tuple[ClassSpec, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _check_classes(self) -> ProductSpec:
        codes = [spec.code for spec in self.classes]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"these classes are listed twice: {', '.join(twice)}")
        if sum(spec.good for spec in self.classes) > 1:
            raise ValueError("more than one class says 'good: true'; a part passes as one class")
        return self

    @property
    def class_codes(self) -> tuple[str, ...]:
        """The classes, in the file's order."""
        return tuple(spec.code for spec in self.classes)

    @property
    def good_class(self) -> str | None:
        """The class that passes, or None where every class is a defect."""
        return next((spec.code for spec in self.classes if spec.good), None)

    @classmethod
    def from_folder(cls, folder: Path, product: str, good: str = "good") -> ProductSpec:
        """The product that a folder of class sub-folders describes.

        Raises:
            ProductError: there are fewer than two class sub-folders.
        """
        codes = sorted(
            p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")
        )
        if len(codes) < 2:
            raise ProductError(f"{folder} needs at least two class sub-folders; found {len(codes)}")
        return parse_product(
            {"product": product, "classes": [{"code": c, "good": c == good} for c in codes]},
            source=str(folder),
        )


def parse_product(data: object, source: str) -> ProductSpec:
    """Check what a product file holds.

    Raises:
        ProductError: with the file and each field that is wrong.
    """
    try:
        return ProductSpec.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, p['loc'])) or 'file'}: {p['msg'].removeprefix('Value error, ')}"
            for p in error.errors()
        )
        raise ProductError(f"{source}: {problems}") from None


def load_product(path: Path) -> ProductSpec:
    """Read one product file.

    Raises:
        ProductError: it is missing, not YAML, or says something a product cannot be.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProductError(f"{path}: {error}") from None
    return parse_product(data, source=str(path))


def product_files(folder: Path | None = None) -> Iterator[Path]:
    """The product files in `folder`, or those that ship with Linewatch."""
    root = folder if folder is not None else Path(str(files("products")))
    yield from sorted(root.glob("*.yaml"))
