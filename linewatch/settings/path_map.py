"""Which folder of this machine is meant by a path of a Windows PC. Pure: asks no file system."""

from __future__ import annotations

import ntpath
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

FORM = (
    "write WINDOWS=HERE, several with ; between them: C:/pics=/data/pics;//server/share=/mnt/share"
)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SHARE = re.compile(r"[\\/]{2}[^\\/]+[\\/]+[^\\/]")
_FILE = "file://"


@dataclass(frozen=True, slots=True)
class PathMap:
    """Folders of Windows PCs, and where they lie here.

    Args:
        folders: (Windows folder, as `_known` writes it; folder of this machine), the longest first.
    """

    folders: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> PathMap:
        """Read `C:/pics=/data/pics;//server/share=/mnt/share`; either kind of slash is taken.

        Raises:
            ValueError: a folder is not absolute, or is named twice; says which, and what to write.
        """
        found: dict[str, str] = {}
        for entry in filter(None, map(str.strip, text.split(";"))):
            there, equals, here = (part.strip() for part in entry.partition("="))
            known = _known(there) if _is_windows(there) else None
            if not equals or known is None:
                raise ValueError(f"{entry!r} begins with no folder of a Windows PC; {FORM}")
            if not here.startswith("/"):
                raise ValueError(f"{entry!r} names no absolute folder of this machine; {FORM}")
            if known in found:
                raise ValueError(f"{there!r} is named twice; keep one of the two")
            found[known] = str(PurePosixPath(here))
        return cls(tuple(sorted(found.items(), key=lambda pair: -len(pair[0]))))

    def local(self, uri: str) -> str:
        """The path here of a Windows path or file:// URI that is mapped; else `uri` as it is.

        `..` is resolved first, so nothing leads out of a mapped folder. Upper and lower case are
        the same in the folders mapped, and are kept in what lies beneath.
        """
        there = windows_path(uri)
        if there is None or not self.folders:
            return uri
        plain, known = ntpath.normpath(there), _known(there)
        for folder, here in self.folders:
            if known == folder or known.startswith(folder.rstrip("\\") + "\\"):
                rest = plain[len(folder.rstrip("\\")) :].replace("\\", "/").strip("/")
                return str(PurePosixPath(here) / rest)
        return uri


def windows_path(uri: str) -> str | None:
    """The Windows path that `uri` names: `C:\\…`, `\\\\server\\…`, or a file:// URI of either.

    `//server/…` may be a path of this machine too; it is the map that decides.
    """
    if uri[: len(_FILE)].lower() == _FILE:
        rest = unquote(uri[len(_FILE) :])
        host, slash, path = rest.partition("/")
        if _DRIVE.match(path) and host.lower() in ("", "localhost"):
            return path
        return f"//{rest}" if slash and host.lower() not in ("", "localhost") else None
    return uri if _is_windows(uri) else None


def _is_windows(path: str) -> bool:
    return bool(_DRIVE.match(path) or _SHARE.match(path))


def _known(path: str) -> str:
    """One spelling for all that Windows takes for the same path; as long as `ntpath.normpath`'s."""
    plain = ntpath.normpath(path)
    lower = plain.lower()
    return lower if len(lower) == len(plain) else plain  # a letter that grows, as İ does
