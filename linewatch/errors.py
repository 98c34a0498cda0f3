"""Every error Linewatch raises on purpose. The docstring is the default message."""

from __future__ import annotations


class LinewatchError(Exception):
    """Something went wrong in Linewatch."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class ConfigurationError(LinewatchError):
    """A setting is missing or contradicts another."""


class ProductError(LinewatchError):
    """A product file cannot be used."""


class WeightsError(LinewatchError):
    """The encoders' weights cannot be loaded."""


class ModelError(LinewatchError):
    """A model version cannot be used."""


class TrainingError(LinewatchError):
    """A model cannot be trained from these labels."""


class EvaluationError(LinewatchError):
    """An evaluation cannot be made of these pictures or embeddings."""


class LabelError(LinewatchError):
    """A label cannot be recorded."""


class ReportError(LinewatchError):
    """A report cannot be made from this request."""


class LineError(LinewatchError):
    """A production line cannot be set like this."""


class QueueUnavailableError(LinewatchError):
    """The queue cannot be reached."""


class ServiceError(LinewatchError):
    """A program that Linewatch starts did not come up."""


class DatabaseError(LinewatchError):
    """The database cannot be used."""


class DeadLetterError(LinewatchError):
    """A dead letter cannot be sent again."""


class SubmissionError(LinewatchError):
    """A picture cannot be submitted as it is described."""


class SpoolError(LinewatchError):
    """The spool cannot be used."""


class SpoolFullError(SpoolError):
    """The spool is full."""
