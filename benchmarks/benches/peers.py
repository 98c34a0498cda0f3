"""Linewatch against LitServe and Ray Serve, which serve the same encoders and head.

Each server batches by its own means (32 pictures, 10 ms), decodes in as many threads as a worker
and commits the rows that a worker would. An async client keeps 96 requests in flight. Neither has
a queue that survives a crash, a spool or receipts: what Linewatch does more, it does in this time.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.bare import Bare
from benchmarks.benches.pipeline import files_for_a_run, fitted_plants
from benchmarks.contender import OPENVINO_INT8, TORCH, Contender, available
from benchmarks.paired import interleave, median_of_pairs, spread
from benchmarks.peers.server_plant import CONNECTIONS, ServerPlant
from benchmarks.plant import BenchPlant
from benchmarks.report import Findings
from benchmarks.scale import scaled
from benchmarks.workplace import Workplace, say
from linewatch.errors import ServiceError

_OURS = "linewatch"
_PEERS = {"litserve": "litserve", "rayserve": "ray"}  # name to the package it needs


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """With the fastest backend and with torch."""
    kind = workplace.main_database
    findings = Findings({"database": kind, "requests in flight": CONNECTIONS})
    peers = [name for name, package in _PEERS.items() if importlib.util.find_spec(package)]
    for name in _PEERS.keys() - set(peers):
        findings.skip(name, "not installed; pip install linewatch[bench]")
    for contender in available(OPENVINO_INT8, TORCH):
        _measure(workplace, contender, peers, findings, rounds=2 if quick else 5)
    for name in peers:
        ratios = [v for k, v in findings.ratios.items() if k.startswith(f"pipeline_to_{name}_")]
        if ratios:
            findings.ratios[f"pipeline_to_{name}"] = min(ratios)
    return findings


def _measure(
    workplace: Workplace,
    contender: Contender,
    peers: list[str],
    findings: Findings,
    *,
    rounds: int,
) -> None:
    """Each peer by itself: those that wait for their turn take a tenth of a core all the same."""
    kind = workplace.main_database
    settings = workplace.settings("bare", "")
    with ExitStack() as stack:
        say(f"{contender.name}: loading")
        bare = stack.enter_context(workplace.bare(contender, settings))
        plant = fitted_plants(workplace, contender, bare, stack, [kind])[kind]
        paths = files_for_a_run(workplace, bare, settings.max_batch)
        plant.images_per_s(paths[: max(2, len(paths) // 4)])  # warm
        for name in peers:
            say(f"{contender.name}: starting {name}")
            with ExitStack() as alone:
                try:
                    server = _server(workplace, contender, name, bare, alone, plant.version)
                except ServiceError as error:  # the other one can still be measured
                    findings.skip(f"{name}, {contender.name}", str(error).splitlines()[-1])
                    continue
                runs: dict[str, Callable[[], float]] = {
                    _OURS: partial(_beside, plant, server, paths),
                    name: partial(server.images_per_s, paths),
                }
                _note(findings, contender, name, len(paths), interleave(runs, rounds))
        plant.check_judged()


def _beside(plant: BenchPlant, server: ServerPlant, paths: list[Path]) -> float:
    with server.resting():
        return plant.images_per_s(paths)


def _note(
    findings: Findings,
    contender: Contender,
    peer: str,
    images: int,
    rates: dict[str, list[float]],
) -> None:
    for name, values in rates.items():
        row = {"backend": contender.name, "beside": peer, "server": name, "images": images}
        findings.rows.append({**row, "images_per_s": spread(values)})
    ratio = median_of_pairs(rates[_OURS], rates[peer])
    findings.ratios[f"pipeline_to_{peer}_{contender.key}"] = ratio


def _server(
    workplace: Workplace,
    contender: Contender,
    name: str,
    bare: Bare,
    stack: ExitStack,
    version: str,
) -> ServerPlant:
    module = f"benchmarks.peers.{name}_server"
    server = ServerPlant(workplace, workplace.main_database, module, contender, version)
    stack.enter_context(server)
    about = bare.about
    warm = [picture.path for picture in workplace.pictures[: scaled(32)]]
    server.start(about["fingerprint"], about["encoders"], about["dim"], warm)
    return server
