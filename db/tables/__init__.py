"""The schema, one file a group of tables.

Facts name products, lines, cameras and lots as text, exactly as the message did: a fact never
depends on a dimension row, so a picture of an unknown product still has its row.
"""

from db.tables.catalogue import Camera, DefectClass, Line, Product, ShiftRow
from db.tables.drift import DriftBaseline
from db.tables.golden import GoldenItem, GoldenSet
from db.tables.inspection import Feature, Inspection, InspectionHourly, InspectionScore
from db.tables.label import Label
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
from db.tables.operations import (
    Alert,
    AuditEntry,
    DeadLetter,
    Requeue,
    RetentionMark,
    Suspect,
)

__all__ = [
    "Alert",
    "AuditEntry",
    "Camera",
    "ClassMetric",
    "ConfusionCell",
    "DeadLetter",
    "DefectClass",
    "Deployment",
    "DriftBaseline",
    "Feature",
    "FeatureSpace",
    "GateDecision",
    "GoldenItem",
    "GoldenSet",
    "Inspection",
    "InspectionHourly",
    "InspectionScore",
    "Label",
    "Line",
    "ModelVersion",
    "PrecisionAgreement",
    "Product",
    "Requeue",
    "RetentionMark",
    "ShiftRow",
    "Suspect",
    "TrainingRun",
]
