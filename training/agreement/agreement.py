"""`linewatch report agreement`: how well the model and people tell parts whose class is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from uuid import UUID

from sqlalchemy import Engine

from db.models import versions
from db.reports.appraisal.golden_ratings import (
    CONFORMING,
    ModelTrial,
    golden_parts,
    model_trials,
    ratings_of_people,
    reference_of,
)
from db.reports.report import Report, Row
from db.session import reading
from linewatch.errors import ReportError
from model_store.serving.rejudge import rejudge, vectors_of
from model_store.store import ModelStore
from producer.contract import Verdict
from quality.agreement.agreement import Agreement, Rating, agreement_study
from training.agreement.rows import blank_row, of_appraiser, of_kappa
from training.stored_model import load

Said = Mapping[str, Sequence[str]]  # by part, what an appraiser said of it, trial by trial
REVIEW = str(Verdict.REVIEW)
EMPTY = "nobody has rated a golden part; see `linewatch golden add` and `linewatch labels import`"
_OPEN = (
    "parts that the model left to people are not passed: right where the part is bad, a false "
    "alarm where it is good"
)


def agreement_of_golden(
    engine: Engine, store: ModelStore, product: str, version: str | None, set_name: str | None
) -> Report:
    """The study that stored verdicts, labels and decisions on golden parts make.

    Each appraiser is held against the parts that they rated, in as many trials as they rated most
    of them; pairs against the parts that both rated, by what they said first.

    Args:
        version: the model; None: people alone.
        set_name: one golden set; None: all.

    Raises:
        ReportError: no picture is golden.
        ModelError: there is no such version.
    """
    with reading(engine) as connection:
        parts = golden_parts(connection, product, set_name)
        if not parts:
            of = f"golden set {set_name!r}" if set_name else "golden set"
            raise ReportError(f"{product} has no {of}; add pictures with `linewatch golden add`")
        said: dict[str, Said] = {}
        notes: list[str] = []
        if version is not None:
            info = versions.require(engine, version)
            trials = model_trials(connection, product, parts, version, info.fingerprint)
            names = {one.id: one.name for one in parts}
            said[version] = of_model = _by_model(engine, store, version, trials, names)
            if missing := len(parts) - len(of_model):
                notes.append(
                    f"{version}: {missing} golden parts were judged by others, and no features are "
                    "stored: they are in no figure of it"
                )
            if any(REVIEW in words for words in of_model.values()):
                notes.append(_OPEN)
        said |= ratings_of_people(connection, product, parts)
        reference = reference_of(parts)
    return _report(list(_golden_rows(said, reference)), notes)


def agreement_of_trials(reference: Mapping[str, str], ratings: Sequence[Rating]) -> Report:
    """The study that a table of trials makes: every appraiser rated every part in every trial.

    Raises:
        ReportError: it is not complete.
    """
    try:
        study = agreement_study(reference, ratings, CONFORMING)
    except ValueError as error:
        raise ReportError(str(error)) from None
    rows = [of_appraiser(one, study) for one in study.appraisers]
    for names, kappa in study.pairs.items():
        rows.append(of_kappa("pair", " / ".join(names), study, kappa))
    if len(study.appraisers) > 1:
        rows.append(of_kappa("all", "all", study, study.between, study.all_right))
    notes = [_OPEN] if any(one.said == REVIEW for one in ratings) else []
    return _report(rows, notes)


def _report(rows: Sequence[Row], notes: Iterable[str]) -> Report:
    return Report(
        "agreement",
        "Attribute agreement",
        tuple(rows),
        notes=tuple(notes),
        empty=EMPTY,
        blank=blank_row(),
    )


def _by_model(
    engine: Engine,
    store: ModelStore,
    version: str,
    trials: Sequence[ModelTrial],
    names: Mapping[UUID, str],
) -> dict[str, list[str]]:
    """Its own verdicts as they were, and pictures that others judged, judged again."""
    found: dict[str, list[str]] = {}
    others: list[str] = []
    vectors: list[bytes] = []
    for one in trials:
        if one.model_version == version:
            word = _word(one.verdict, one.defect_class)
            found.setdefault(names[one.of], []).append(word)
        elif one.vector is not None:
            others.append(names[one.of])
            vectors.append(one.vector)
    if vectors:
        model = load(store, versions.require(engine, version))
        judgements = rejudge(model, vectors_of(vectors)).judgements
        for name, said in zip(others, judgements, strict=True):
            found.setdefault(name, []).append(_word(str(said.verdict), said.defect_class))
    return found


def _word(verdict: str, defect_class: str | None) -> str:
    if verdict == Verdict.PASS:
        return CONFORMING
    return (defect_class or "") if verdict == Verdict.DEFECT else REVIEW


def _golden_rows(said: Mapping[str, Said], reference: Mapping[str, str]) -> Iterator[Row]:
    for name, words in said.items():
        if words:
            study = _study({name: words}, reference, _trials(words))
            yield of_appraiser(study.appraisers[0], study)
    for one, other in combinations([name for name, words in said.items() if words], 2):
        both = {name: said[name] for name in (one, other)}
        if said[one].keys() & said[other].keys():
            study = _study(both, reference, 1)
            yield of_kappa("pair", f"{one} / {other}", study, study.pairs[one, other])
    rated = [words.keys() for words in said.values() if words]
    if len(rated) > 2 and set.intersection(*map(set, rated)):
        study = _study({name: words for name, words in said.items() if words}, reference, 1)
        yield of_kappa("all", "all", study, study.between, study.all_right)


def _trials(words: Said) -> int:
    """The most trials that at least half of the parts have."""
    counts = sorted(map(len, words.values()))
    return counts[len(counts) // 2] if counts else 1


def _study(said: Mapping[str, Said], reference: Mapping[str, str], trials: int) -> Agreement:
    """Of the parts that all of them rated so often."""
    common = [
        part
        for part in reference
        if all(len(words.get(part, ())) >= trials for words in said.values())
    ]
    ratings = [
        Rating(name, part, number + 1, words[part][number])
        for name, words in said.items()
        for part in common
        for number in range(trials)
    ]
    return agreement_study({part: reference[part] for part in common}, ratings, CONFORMING)
