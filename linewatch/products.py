"""A product file: what a product's classes are called, and how its pictures look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    model_serializer,
    model_validator,
)

from linewatch.errors import ProductError
from linewatch.product_options import ProductOptions
from linewatch.unknown_keys import problems, without_unknown

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


Bits = Annotated[int, Field(ge=8, le=16)]


class CameraSpec(BaseModel):
    """How one camera's pictures differ from the product's others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bits: Bits | None = Field(
        default=None, description="Of 16-bit samples, how many low bits carry the value."
    )


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


class ProductSpec(ProductOptions):
    """What `products/<code>.yaml` says."""

    product: Code
    name: str = ""
    image_size: ImageSize | None = None
    bits: Bits | None = None
    cameras: dict[str, CameraSpec] = Field(default_factory=dict)
    retention: Retention = Retention()
    costs: Costs | None = None
    classes: tuple[ClassSpec, ...] = Field(min_length=2)

    @model_serializer(mode="wrap")
    def _without_unset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not said: a worker older than a key would refuse the product for it."""
        unset = {name for name in ("bits", "cameras") if not getattr(self, name)}
        return {name: value for name, value in handler(self).items() if name not in unset}

    @model_validator(mode="after")
    def _check_classes(self) -> ProductSpec:
        said = Counter(spec.code for spec in self.classes)
        twice = sorted(code for code, times in said.items() if times > 1)
        if twice:
            raise ValueError(f"these classes are listed twice: {', '.join(twice)}")
        if sum(spec.good for spec in self.classes) > 1:
            raise ValueError("more than one class says 'good: true'; a part passes as one class")
        return self

    def bits_of(self, camera: str | None) -> int | None:
        """How many of 16 bits carry the value in a camera's pictures; None: the file says, or all.

        Args:
            camera: None where nobody knows which one it was.
        """
        own = self.cameras.get(camera) if camera is not None else None
        return self.bits if own is None or own.bits is None else own.bits

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

    A key that this version does not know is an error here, where a person can mend it.

    Raises:
        ProductError: with the file and each field that is wrong; of an unknown key, with the known
            one that is nearest.
    """
    known, unknown = without_unknown(ProductSpec, data)
    wrong = [f"there is no key {words}" for words in unknown]
    try:
        spec = ProductSpec.model_validate(known)
    except ValidationError as error:
        wrong.append(problems(error))
    if wrong:
        raise ProductError(f"{source}: {'; '.join(wrong)}")
    return spec


def parse_stored_product(data: object, source: str) -> tuple[ProductSpec, list[str]]:
    """Read a product that some version of Linewatch has checked and stored, perhaps a later one.

    What this version does not know of it must not stop a line that ran before: unknown keys are
    left out, and so are optional keys of 0.2 whose values it does not know.

    Returns:
        The product, and words for what was left out.

    Raises:
        ProductError: as `parse_product`, for what every version must understand.
    """
    known, left_out = without_unknown(ProductSpec, data)
    try:
        return ProductSpec.model_validate(known), left_out
    except ValidationError as error:
        fields = {str(problem["loc"][0]) if problem["loc"] else "" for problem in error.errors()}
        if not fields <= ProductOptions.model_fields.keys():
            raise ProductError(f"{source}: {problems(error)}") from None
        left_out.append(problems(error))
    rest = {name: value for name, value in known.items() if name not in fields}
    return ProductSpec.model_validate(rest), left_out


def load_product(path: Path) -> ProductSpec:
    """Read one product file.

    Raises:
        ProductError: it is missing, not YAML, or says something a product cannot be.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProductError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProductError(f"{path}: {error}") from None
    return parse_product(data, source=str(path))


def product_files(folder: Path | None = None) -> Iterator[Path]:
    """The product files in `folder`, or those that ship with Linewatch."""
    root = folder if folder is not None else Path(str(files("products")))
    yield from sorted(root.glob("*.yaml"))


def shipped_product(name: str) -> ProductSpec:
    """A product that comes with Linewatch, such as `cable`."""
    return load_product(next(path for path in product_files() if path.stem == name))
