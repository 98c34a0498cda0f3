"""Settings of where pictures may come from, beside the image roots."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from linewatch.settings.path_map import PathMap
from linewatch.settings.reading import OptionalPath

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/\x00-\x1f]+)*/?")


class PicturePlaces(BaseModel):
    """Paths of Windows PCs, buckets of an S3 server, and the folder of uploaded pictures."""

    path_map: str = Field(
        default="",
        description="Folders of Windows PCs and where they lie here: "
        "`C:/pics=/data/pics;//server/share=/mnt/share`.",
    )
    s3_buckets: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Buckets that s3:// pictures may be read from, ','-separated; `bucket/folder` "
        "allows that folder alone.",
    )
    s3_endpoint_url: str = Field(default="", description="The S3 server; empty: Amazon's.")
    s3_region: str = Field(default="", description="Its region, where it has some.")
    s3_access_key: SecretStr = Field(
        default=SecretStr(""), description="Empty: as boto3 finds it, such as a machine's role."
    )
    s3_secret_key: SecretStr = Field(default=SecretStr(""))
    s3_timeout_s: float = Field(
        default=10.0, gt=0, le=300, description="For one picture, tries again included."
    )
    upload_dir: OptionalPath = Field(
        default=None, description="Uploaded pictures, beneath image_roots; empty: none are taken."
    )

    @field_validator("path_map")
    @classmethod
    def _readable_map(cls, value: str) -> str:
        PathMap.parse(value)
        return value

    @field_validator("s3_buckets", mode="before")
    @classmethod
    def _split_buckets(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("s3_buckets")
    @classmethod
    def _named_buckets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for bucket in value:
            if not _BUCKET.fullmatch(bucket) or {"..", "."} & set(bucket.split("/")):
                raise ValueError(f"{bucket!r} is no bucket's name; write bucket or bucket/folder")
        return value

    @field_validator("s3_endpoint_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^/@\s]+/?", value):
            raise ValueError(
                "write https://host:port; keys go into s3_access_key and s3_secret_key"
            )
        return value

    @model_validator(mode="after")
    def _agree_on_keys(self) -> Self:
        if bool(self.s3_access_key.get_secret_value()) != bool(
            self.s3_secret_key.get_secret_value()
        ):
            raise ValueError("s3_access_key and s3_secret_key need each other")
        return self
