"""Sentences that are true of a picture, from its facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_LEADS = ("a photo of {}", "{}", "a picture of {}", "a close-up of {}", "an inspection image of {}")
_NOUNS: Mapping[str, Sequence[str]] = {
    "cable": (
        "a cable cross-section",
        "the cut face of a cable",
        "a cable",
        "a cable conductor",
        "a {count}-conductor cable",
        "the cross-section of a power cable",
    ),
    "texture": ("a {material} surface", "a sheet of {material}", "a {material} strip", "a surface"),
    "mark": (
        "a printed mark",
        "a label with {colour} print",
        "{colour} print on {ground}",
        "a code",
    ),
    "ring": ("a machined {material} ring", "a {material} ring", "a round {material} part", "a rim"),
    "connector": ("a connector", "a {colour} connector with {material} pins", "a plug with pins"),
}
_GOOD = (
    "without any defect",
    "in good order",
    "that is flawless",
    "with no flaw",
    "that is intact",
)
_DEFECTS: Mapping[str, Sequence[str]] = {
    "cable/good": (
        "with {count} intact insulated conductors",
        "without any defect",
        "that is flawless, with every copper strand in place",
        "with no damage and all copper wires in place",
        "in perfect order, every copper strand in place",
        "that is good",
    ),
    "cable/bent_wire": (
        "with bent wires",
        "whose copper strands are bent over",
        "with copper strands bent out and sticking out of the bundle",
        "with a bent copper wire lying to the side",
        "whose copper wires are bent to one side",
        "with bent copper strands that stick out",
    ),
    "cable/cable_swap": (
        "whose conductors are swapped",
        "whose conductors have the wrong insulation colours",
        "with two conductors of the same colour",
        "with the insulation colours in the wrong order",
        "with swapped conductors",
        "with two conductors of the same colour or in wrong order",
    ),
    "cable/combined": (
        "with several defects at once",
        "with two different defects",
        "with several different defects",
        "with both damaged insulation and bent wires",
        "with both cut insulation and missing wires",
        "with damaged insulation and missing or bent wires together",
    ),
    "cable/cut_inner_insulation": (
        "with a cut in the insulation of one conductor",
        "whose coloured ring has a notch",
        "with a cut in the coloured insulation of a conductor",
        "with a cut in a coloured inner ring",
        "with the inner insulation of a conductor cut",
    ),
    "cable/cut_outer_insulation": (
        "with a cut in the sheath",
        "whose outer jacket is cut",
        "with a notch in the jacket",
        "with a notch in the outer sheath",
        "with the outer insulation cut",
    ),
    "cable/missing_cable": (
        "with one conductor missing",
        "with an empty hole where a conductor should be",
        "with only {fewer} conductors instead of {count}",
        "with a conductor missing, leaving an empty hole",
    ),
    "cable/missing_wire": (
        "with missing strands",
        "with copper wires missing from a conductor",
        "with copper strands missing, a dark gap where wires should be",
        "with a dark gap in a bundle where copper strands are missing",
        "whose conductor lacks copper wires, with a dark gap",
    ),
    "cable/poke_insulation": (
        "with poked insulation",
        "with a small hole in the insulation",
        "whose insulation was punctured with a needle",
        "whose insulation was poked, leaving a small hole",
        "with a puncture, a small hole poked in the insulation",
    ),
    "texture/scratch": ("with {severity} scratches", "with a scratch", "that is scratched"),
    "texture/pits": ("with {severity} pits", "with pitting", "with many small holes"),
    "texture/inclusion": ("with an inclusion", "with {severity} slag inclusions", "with slag"),
    "texture/rolled_in_scale": (
        "with rolled-in scale",
        "with {severity} oxide scale",
        "with scale",
    ),
    "texture/roll_marks": ("with roll marks", "with a repeated roll print", "with periodic marks"),
    "texture/rust": (
        "with red rust",
        "with {severity} rust",
        "with red iron oxide",
        "that is rusty",
    ),
    "texture/ash": ("with ash", "with {severity} dark specks", "covered with ash and dust"),
    "texture/crack": ("with a crack", "with a {severity} crack", "that is cracked"),
    "texture/stain": ("with a stain", "with a {severity} stain", "that is stained"),
    "mark/missing": ("with missing characters", "with a part missing", "that is incomplete"),
    "mark/misprinted": ("that is misprinted", "with a shifted print", "with a double print"),
    "mark/smeared": ("that is smeared", "with smeared ink", "with smudged print"),
    "mark/faded": ("that is faded", "with faint ink", "with worn print"),
    "ring/small_chip": ("with a small chip", "with a small broken edge", "with a small nick"),
    "ring/large_chip": ("with a large chip", "with a large broken edge", "that is badly broken"),
    "ring/burr": ("with a {severity} burr", "with a burr on the edge", "with burrs"),
    "ring/crack": ("with a {severity} crack", "that is cracked", "with a crack in the wall"),
    "ring/contamination": ("with contamination", "with {severity} dirt", "with foreign material"),
    "connector/bent_pin": ("with a bent pin", "whose pin leans to the side", "with one pin bent"),
    "connector/missing_pin": ("with a missing pin", "with an empty socket", "that lacks a pin"),
    "connector/dirty_pin": ("with a dirty pin", "with dirt on a pin", "with a contaminated pin"),
    "connector/cracked_housing": ("with a cracked housing", "with a crack in its body"),
}
_PLACES = ("at the {place}", "on the {place}", "near the {place} of the picture")
_FEWER = {"two": "one", "three": "two", "four": "three", "five": "four"}


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence, and the facts that it states: it is true of every picture that shares them."""

    text: str
    states: Mapping[str, str]

    def true_of(self, facts: Mapping[str, str]) -> bool:
        """Whether a picture with `facts` shows what the sentence says."""
        return all(facts.get(name) == value for name, value in self.states.items())


def describe(facts: Mapping[str, str], rng: np.random.Generator) -> Caption:
    """Make one of the many sentences that are true of a picture."""
    family, defect = facts["family"], facts["defect"]
    phrases = _DEFECTS.get(f"{family}/{defect}", _GOOD)
    parts = [str(rng.choice(_NOUNS[family])), str(rng.choice(phrases))]
    if "place" in facts and rng.random() < 0.4:
        parts.append(str(rng.choice(_PLACES)))
    text = str(rng.choice(_LEADS)).format(" ".join(parts))
    states = {name: facts[name] for name in facts if f"{{{name}}}" in text}
    filled = text.format(**facts, fewer=_FEWER.get(facts.get("count", ""), ""))
    return Caption(filled, {"family": family, "defect": defect, **states})
