"""Linewatch against LitServe and Ray Serve, which serve the same encoders and head.

Each server is first tried in every way that its own documentation advises, in the same run; the
fastest is compared. Each batches by its own means (32 pictures, 10 ms) where it batches, decodes in
as many threads as a worker and commits the rows that a worker would. An async client keeps 96
requests in flight. Neither has a queue that survives a crash, a spool or receipts; pictures are in
Linewatch's queue before the clock starts, and requests are made while theirs runs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.bare import Bare
from benchmarks.benches.pipeline import run_s, warm_plant
from benchmarks.contender import OPENVINO_INT8, TORCH, Contender, available
from benchmarks.intervals import worst
from benchmarks.paired import interleave, ratio, spread
from benchmarks.peers.options import OPTIONS, Option
from benchmarks.peers.server_plant import CONNECTIONS, ServerPlant
from benchmarks.plant import BenchPlant
from benchmarks.report import Findings
from benchmarks.scale import again, rounds, scaled
from benchmarks.workplace import Workplace, say
from linewatch.errors import ServiceError

_OURS = "linewatch"
_PEERS = {"litserve": "litserve", "rayserve": "ray"}  # name to the package it needs


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """With the fastest backend; with torch, too, unless quick."""
    kind = workplace.main_database
    findings = Findings({"database": kind, "requests in flight": CONNECTIONS})
    findings.settings["rounds"] = rounds(quick)
    peers = [name for name, package in _PEERS.items() if importlib.util.find_spec(package)]
    for name in _PEERS.keys() - set(peers):
        findings.skip(name, "not installed; pip install linewatch[bench]")
    for contender in available(OPENVINO_INT8, TORCH)[: 1 if quick else None]:
        _measure(workplace, contender, peers, findings, quick=quick)
    for name in peers:
        found = [v for k, v in findings.ratios.items() if k.startswith(f"pipeline_to_{name}_")]
        if found:
            findings.ratios[f"pipeline_to_{name}"] = worst(found)
    return findings


def _measure(
    workplace: Workplace,
    contender: Contender,
    peers: list[str],
    findings: Findings,
    *,
    quick: bool,
) -> None:
    """Each peer by itself: those that wait for their turn take a tenth of a core all the same."""
    with ExitStack() as stack:
        say(f"{contender.name}: loading")
        bare, plant, paths = warm_plant(workplace, contender, stack, run_s(quick))
        for name in peers:
            peer = Peer(workplace, contender, name, bare, plant)
            try:
                option = fastest(peer, findings, paths, tries=2 if quick else 3)
                _compare(peer, option, findings, paths, quick=quick)
            except ServiceError as error:  # the other one can still be measured
                findings.skip(f"{name}, {contender.name}", str(error).splitlines()[-1])
        plant.check_judged()


class Peer:
    """A server that may be started in several ways, beside a plant of ours.

    Args:
        name: `litserve` or `rayserve`.
        bare: has loaded the encoders that it is to serve.
        plant: has the model that it is to serve.
    """

    def __init__(
        self, workplace: Workplace, contender: Contender, name: str, bare: Bare, plant: BenchPlant
    ) -> None:
        self.name, self.contender, self.plant = name, contender, plant
        self._workplace, self._about = workplace, bare.about

    @contextmanager
    def started(self, option: Option) -> Iterator[ServerPlant]:
        """The server, warm, until the block ends."""
        say(f"{self.contender.name}: starting {self.name}, {option.name}")
        module = f"benchmarks.peers.{self.name}_server"
        kind, version = self._workplace.main_database, self.plant.version
        about = self._about
        warm = [picture.path for picture in self._workplace.pictures[: scaled(32)]]
        with ServerPlant(self._workplace, kind, module, self.contender, version, option) as server:
            server.start(about["fingerprint"], about["encoders"], about["dim"], warm)
            yield server


def fastest(peer: Peer, findings: Findings, paths: list[Path], tries: int) -> Option:
    """Try every way to start the server, and note each one's rate; returns the fastest.

    Raises:
        ServiceError: it starts in none of these ways.
    """
    rates: dict[Option, float] = {}
    for option in OPTIONS[peer.name]:
        try:
            with peer.started(option) as server:
                found = [server.images_per_s(paths) for _ in range(tries)]
        except ServiceError as error:
            told = f"{peer.name}, {peer.contender.name}, {option.name}"
            findings.skip(told, str(error).splitlines()[-1])
            continue
        rates[option] = median(found)
        row = {"backend": peer.contender.name, "tried": option.name, "server": peer.name}
        findings.rows.append({**row, "images": len(paths), "images_per_s": spread(found)})
    if not rates:
        raise ServiceError(f"{peer.name} started in none of {len(OPTIONS[peer.name])} ways")
    return max(rates, key=lambda option: rates[option])


def _compare(
    peer: Peer, option: Option, findings: Findings, paths: list[Path], *, quick: bool
) -> None:
    """Rounds of ours and theirs, started in this way."""
    with peer.started(option) as server:
        runs: dict[str, Callable[[], float]] = {
            _OURS: partial(_beside, peer.plant, server, paths),
            peer.name: partial(server.images_per_s, paths),
        }
        rates = interleave(runs, rounds(quick), again=again(quick))
    backend = peer.contender.name
    findings.keep(f"{backend}, {peer.name}", rates)
    findings.settings[f"fastest {peer.name}, {backend}"] = option.name
    for name, values in rates.results.items():
        row = {"backend": backend, "beside": peer.name, "server": name, "images": len(paths)}
        findings.rows.append({**row, "images_per_s": spread(values)})
    key = f"pipeline_to_{peer.name}_{peer.contender.key}"
    findings.ratios[key] = ratio(rates, _OURS, peer.name)


def _beside(plant: BenchPlant, server: ServerPlant, paths: list[Path]) -> float:
    with server.resting():
        return plant.images_per_s(paths)
