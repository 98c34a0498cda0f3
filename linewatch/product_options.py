"""What a product file may say since 0.2, all of it optional. Stored apart, see `db.products`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

_MOST_SECONDS = 1e9  # 30 years; databases reckon with no interval of 1e18 s
Seconds = Annotated[float, Field(gt=0, le=_MOST_SECONDS)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Fraction, Fraction]
Fit = Literal["pad", "squash", "tiles", "crop"]


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("names one twice")
    return values


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("holds control characters")
    return value


View = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, strip_whitespace=True),
    AfterValidator(_printable),
]


class Rectangle(BaseModel):
    """A part of a picture, in fractions of its width and height, from its upper left corner."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    x: Fraction
    y: Fraction
    width: float = Field(gt=0, le=1)
    height: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _inside(self) -> Rectangle:
        if self.x + self.width > 1 + 1e-9 or self.y + self.height > 1 + 1e-9:
            raise ValueError("reaches out of the picture: x + width and y + height are at most 1")
        return self


def _encloses(corners: tuple[Point, ...]) -> tuple[Point, ...]:
    x0, y0 = corners[0]
    x1, y1 = next((corner for corner in corners if corner != corners[0]), corners[0])
    if all(abs((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) < 1e-9 for x, y in corners):
        raise ValueError("encloses nothing: its corners lie on one line")
    return corners


Polygon = Annotated[
    tuple[Point, ...], Field(min_length=3, max_length=64), AfterValidator(_encloses)
]


def _shape(value: Any) -> str:
    return "rectangle" if isinstance(value, Mapping | Rectangle) else "polygon"


Roi = Annotated[
    Annotated[Rectangle, Tag("rectangle")] | Annotated[Polygon, Tag("polygon")],
    Discriminator(_shape),
]


def _with_a_place(value: str) -> str:
    if value.count("{}") != 1:
        raise ValueError('says not once where the prompt goes: "a close-up photo of {}"')
    return value


Template = Annotated[
    str,
    StringConstraints(min_length=2, max_length=200),
    AfterValidator(_printable),
    AfterValidator(_with_a_place),
]


class ProductOptions(BaseModel):
    """The keys; None: as the settings or the rules say."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    fit: Fit | None = Field(default=None, description="How a picture is brought to its size.")
    roi: Roi | None = Field(
        default=None,
        description="The part of the picture that is looked at: {x, y, width, height} or a list of "
        "[x, y], in fractions.",
    )
    prompt_templates: (
        Annotated[
            tuple[Template, ...], Field(min_length=1, max_length=64), AfterValidator(_distinct)
        ]
        | None
    ) = Field(default=None, description="Sentences about pictures; {} stands for each prompt.")
    symmetry: (
        Annotated[tuple[Literal["flip", "rotate90", "brightness"], ...], AfterValidator(_distinct)]
        | None
    ) = Field(default=None, description="Changes that leave a part what it is, for training.")
    escape_target: float | None = Field(
        default=None, gt=0, lt=1, description="Share of the defects that may pass."
    )
    confidence: float | None = Field(
        default=None, gt=0, lt=1, description="With which escape_target is promised."
    )
    unproven: Literal["review", "provisional"] | None = Field(
        default=None, description="What happens while the labels cannot promise it."
    )
    audit_share: Fraction | None = Field(
        default=None,
        strict=True,
        description="Share of the parts decided by a model that people see too.",
    )
    serial_unique_within: Literal["product", "lot", "day"] | None = Field(
        default=None, description="Within what a serial number means one part."
    )
    pass_gap_s: Seconds | None = Field(
        default=None,
        description="Pictures of a part further apart are of another pass through the line.",
    )
    views: (
        Annotated[tuple[View, ...], Field(min_length=1, max_length=64), AfterValidator(_distinct)]
        | None
    ) = Field(default=None, description="The cameras that see each part.")
    views_timeout_s: Seconds | None = Field(
        default=None,
        description="How long outputs wait for a part's missing views; only stored so far.",
    )
