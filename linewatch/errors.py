"""Every error Linewatch raises on purpose. The docstring is the default message."""

from __future__ import annotations

EXIT_MISTAKE = 2  # a program's exit code when a person must mend something; also click's


class LinewatchError(Exception):
    """Something went wrong in Linewatch."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class ConfigurationError(LinewatchError):
    """A setting is missing or contradicts another."""


class HiddenPackageError(ConfigurationError, ImportError):
    """A file of somebody's has the name of a package."""


class ProductError(LinewatchError):
    """A product file cannot be used."""


class UnknownProductError(LinewatchError):
    """No product of this name is registered."""


class WeightsError(LinewatchError):
    """The encoders' weights cannot be loaded."""


class ModelError(LinewatchError):
    """A model version cannot be used."""


class ModelChangedError(ModelError):
    """Somebody changed which model serves since it was looked at."""


class TrainingError(LinewatchError):
    """A model cannot be trained from these labels."""


class EvaluationError(LinewatchError):
    """An evaluation cannot be made of these pictures or embeddings."""


class LabelError(LinewatchError):
    """A label cannot be recorded."""


class ReportError(LinewatchError):
    """A report cannot be made from this request."""


class ChartError(LinewatchError):
    """A control chart cannot be drawn, frozen or answered like this."""


class ChallengeError(LinewatchError):
    """A challenge cannot be held like this."""


class LineError(LinewatchError):
    """A production line cannot be set like this."""


class AlertError(LinewatchError):
    """Alerts cannot be handled like this."""


class CalendarError(LinewatchError):
    """A shift calendar cannot be used."""


class UserError(LinewatchError):
    """A person cannot be let in like this."""


class QueueUnavailableError(LinewatchError):
    """The queue cannot be reached."""


class ServiceError(LinewatchError):
    """A program that Linewatch starts did not come up."""


class DatabaseError(LinewatchError):
    """The database cannot be used."""


class BackupError(LinewatchError):
    """A backup cannot be made or used."""


class DeadLetterError(LinewatchError):
    """A dead letter cannot be sent again."""


class SubmissionError(LinewatchError):
    """A picture cannot be submitted as it is described."""


class SpoolError(LinewatchError):
    """The spool cannot be used."""


class SpoolFullError(SpoolError):
    """The spool is full."""
