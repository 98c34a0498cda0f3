"""What the camera saw of a picture's file when it was handed over: pure, bytes in, answer out.

A worker reads the file later, perhaps from another mount. So the content decides where its hash is
given: size and SHA-256 are the same on every mount, while an inode has another number through SMB,
and a modification time is rounded (2 s on FAT, 100 ns on NTFS, 1 s on old NFS) and set anew by who
copies. Where only size and time are given, times that differ by less than the coarsest of these
roundings are the same time: a picture that is refused for nothing is a judgement lost.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

BLOCK_BYTES = 4096
MTIME_TOLERANCE_NS = 2_000_000_000  # FAT's and exFAT's rounding

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Int64 = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]


class Seen(BaseModel):
    """A file as it was at `submit`. A file that differs from it is not the picture meant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = Field(description="In bytes.")
    mtime_ns: _Int64 | None = Field(
        default=None, description="Modification time since 1970; compared where no hash is given."
    )
    inode: Annotated[int, Field(strict=True, ge=0, lt=2**64)] | None = Field(
        default=None, description="For people who look into it; mounts number differently."
    )
    sha256: Sha256 | None = Field(default=None, description="Of the file, or of blocks of it.")
    every: Annotated[int, Field(strict=True, ge=1, lt=2**31)] = Field(
        default=1,
        description="1: the hash is of the whole file. n: of every n-th block of 4,096 bytes, the "
        "first and the last always among them.",
    )

    def difference(self, data: bytes, mtime_ns: int, whole_sha256: str | None = None) -> str | None:
        """What of a file that was read differs from what was seen; None: it is the same file.

        Args:
            data: the whole file.
            mtime_ns: of the file that was read, from the descriptor it was read through.
            whole_sha256: of `data`, where it is known already.
        """
        if len(data) != self.size:
            return f"it has {len(data)} bytes, not the {self.size} it was handed over with"
        if self.sha256 is not None:
            found = whole_sha256 if self.every == 1 else None
            same = self.sha256 == (found or sampled_sha256(data, self.every))
            return None if same else "its content is not what it was handed over with"
        if self.mtime_ns is not None and abs(mtime_ns - self.mtime_ns) > MTIME_TOLERANCE_NS:
            return "it was written to after it was handed over"
        return None


def sampled_sha256(data: bytes, every: int) -> str:
    """SHA-256 in hex of every n-th block of `data` and its last one, in order."""
    digest = hashlib.sha256()
    if every == 1:
        digest.update(data)
        return digest.hexdigest()
    view = memoryview(data)
    for start in sampled_blocks(len(data), every):
        digest.update(view[start : start + BLOCK_BYTES])
    return digest.hexdigest()


def sampled_blocks(size: int, every: int) -> list[int]:
    """Where the blocks that are hashed begin, in a file of `size` bytes."""
    starts = list(range(0, size, BLOCK_BYTES * every))
    last = max(0, (size - 1) // BLOCK_BYTES * BLOCK_BYTES)
    return starts if not starts or starts[-1] == last else [*starts, last]
