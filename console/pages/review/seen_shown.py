"""What a model said of a decided part, as the page shows it."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from console.page import Context


class Score(Context):
    """A class's probability."""

    code: str = Field(description="The class.")
    probability: float = Field(description="0 to 1.")


class Neighbour(Context):
    """A labelled picture that is like it."""

    id: UUID = Field(description="Of the picture.")
    label: str = Field(description="What people said of it.")
    likeness: float = Field(description="Cosine of both features, 1 for equal ones.")


class SeenMap(Context):
    """How unlike good a model found a picture, and where."""

    version: str = Field(description="That says so.")
    score: float = Field(description="Of the picture.")
    border: float = Field(description="Of the score; above it the picture does not pass.")
    places: list[list[float]] = Field(description="Rows from the top: distance from good parts.")
    box: tuple[float, float, float, float] = Field(
        description="What they cover: x0, y0, x1, y1 in fractions of the picture's sides."
    )


class SeenPicture(Context):
    """What the model said of a view."""

    id: UUID = Field(description="Of the picture.")
    camera: str = Field(description="That took it.")
    verdict: str = Field(description="pass, defect, review, rejected or dead_letter.")
    reason: str = Field(description="Why it was left to people; '' where it was not.")
    defect_class: str | None = Field(description="The model's first choice.")
    confidence: float | None = Field(description="Of that choice, 0 to 1.")
    model_version: str | None = Field(description="That judged it.")
    scores: list[Score] = Field(description="Of every class, most probable first.")
    scores_by: str | None = Field(description="The version these are of; None: there are none.")
    map: SeenMap | None = Field(description="How unlike good it is, and where; None: not stored.")


class SeenPart(Context):
    """What the model said of a decided part, and the labelled pictures that are most like it."""

    key: str = Field(description="Names the part.")
    disposition: str = Field(description="The model's: conforming, nonconforming or open.")
    classes: list[str] = Field(description="The defect classes that the model found.")
    pictures: list[SeenPicture] = Field(description="Its views.")
    neighbours: list[Neighbour] = Field(description="Nearest to the view it was least sure of.")
