"""Draws parts for demonstrations, tests and benchmarks: a cable's cut face, good or defective.

It needs numpy and OpenCV: `pip install linewatch[simulator]`.
"""

from producer.simulator.conditions import NOMINAL, Conditions, Drift
from producer.simulator.defects import CLASSES
from producer.simulator.design import STANDARD, CableDesign
from producer.simulator.line import DEFAULT_MIX, SimulatedLine, SimulatedPart
from producer.simulator.render import render
from producer.simulator.save import save

__all__ = [
    "CLASSES",
    "DEFAULT_MIX",
    "NOMINAL",
    "STANDARD",
    "CableDesign",
    "Conditions",
    "Drift",
    "SimulatedLine",
    "SimulatedPart",
    "render",
    "save",
]
