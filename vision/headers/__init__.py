"""What a picture's file promises, read from its header before any pixel is decoded.

One module a format, each with two functions of bytes: `read` gives the `Header`, `check` looks for
what is missing or damaged in the file and for work that no camera would ask for.
"""

from vision.headers.header import Header
from vision.headers.reading import check, read

__all__ = ["Header", "check", "read"]
