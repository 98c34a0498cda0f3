"""Execution backends: the same features, computed by different libraries and precisions."""

from vision.backends.protocol import Backend, Precision

__all__ = ["Backend", "Precision"]
