"""The schema, one file a group of tables.

Facts name products, lines, cameras and lots as text, exactly as the message did: a fact never
depends on a dimension row, so a picture of an unknown product still has its row.
"""

from db.tables.audit_sample import AuditAnswer, AuditDraw, AuditSeed, AuditShare
from db.tables.catalogue import Camera, DefectClass, Line, Product, ShiftRow
from db.tables.challenge import Challenge, ChallengePart
from db.tables.chart import ChartBaseline, ChartReaction, ChartSignal
from db.tables.decision import PartDecision
from db.tables.drift import DriftBaseline
from db.tables.golden import GoldenItem, GoldenSet
from db.tables.inspection import (
    Feature,
    FeatureCopy,
    Inspection,
    InspectionHourly,
    InspectionScore,
    PatchTokens,
    PictureHour,
    UnlikeMap,
)
from db.tables.label import Label, LabelledPicture
from db.tables.model import (
    ClassMetric,
    ConfusionCell,
    Deployment,
    FeatureSpace,
    GateDecision,
    ModelVersion,
    PrecisionAgreement,
    TrainingRun,
)
from db.tables.notice import AlertNotice, Lease, WorkerSighting
from db.tables.operations import (
    Alert,
    AuditEntry,
    DeadLetter,
    Lock,
    Requeue,
    RetentionMark,
    Suspect,
)
from db.tables.outbox import Outbox, OutboxCursor, OutboxLine, OutboxPart
from db.tables.part import (
    Part,
    PartBackfill,
    PartCount,
    PartShiftCount,
    PurgedSingle,
    PurgedView,
    ShiftCalendar,
    ShiftSpan,
)
from db.tables.people import ConsoleKey, ConsoleLink, ConsoleSession, ConsoleUser

__all__ = [
    "Alert",
    "AlertNotice",
    "AuditAnswer",
    "AuditDraw",
    "AuditEntry",
    "AuditSeed",
    "AuditShare",
    "Camera",
    "Challenge",
    "ChallengePart",
    "ChartBaseline",
    "ChartReaction",
    "ChartSignal",
    "ClassMetric",
    "ConfusionCell",
    "ConsoleKey",
    "ConsoleLink",
    "ConsoleSession",
    "ConsoleUser",
    "DeadLetter",
    "DefectClass",
    "Deployment",
    "DriftBaseline",
    "Feature",
    "FeatureCopy",
    "FeatureSpace",
    "GateDecision",
    "GoldenItem",
    "GoldenSet",
    "Inspection",
    "InspectionHourly",
    "InspectionScore",
    "Label",
    "LabelledPicture",
    "Lease",
    "Line",
    "Lock",
    "ModelVersion",
    "Outbox",
    "OutboxCursor",
    "OutboxLine",
    "OutboxPart",
    "Part",
    "PartBackfill",
    "PartCount",
    "PartDecision",
    "PartShiftCount",
    "PatchTokens",
    "PictureHour",
    "PrecisionAgreement",
    "Product",
    "PurgedSingle",
    "PurgedView",
    "Requeue",
    "RetentionMark",
    "ShiftCalendar",
    "ShiftRow",
    "ShiftSpan",
    "Suspect",
    "TrainingRun",
    "UnlikeMap",
    "WorkerSighting",
]
