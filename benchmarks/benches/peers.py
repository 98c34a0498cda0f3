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

from benchmarks.bare import Bare
from benchmarks.benches.pipeline import files_for_a_run, fitted_plants
from benchmarks.contender import OPENVINO_INT8, TORCH, Contender, available
from benchmarks.paired import interleave, median_of_pairs, spread
from benchmarks.peers.server_plant import CONNECTIONS, ServerPlant
from benchmarks.report import Findings
from benchmarks.scale import scaled
from benchmarks.workplace import Workplace, say
from linewatch.errors import ServiceError

_OURS = "linewatch"
_PEERS = {"litserve": "litserve", "rayserve": "ray"}  # name to the package it needs


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """The fastest backend; torch as well unless quick."""
    kind = workplace.main_database
    findings = Findings({"database": kind, "requests in flight": CONNECTIONS})
    peers = [name for name, package in _PEERS.items() if importlib.util.find_spec(package)]
    for name in _PEERS.keys() - set(peers):
        findings.skip(name, "not installed; pip install linewatch[bench]")
    contenders = available(OPENVINO_INT8, TORCH)
    for contender in contenders[: 1 if quick else None]:
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
    kind = workplace.main_database
    settings = workplace.settings("bare", "")
    with ExitStack() as stack:
        say(f"{contender.name}: loading")
        with workplace.bare(contender, settings) as bare:
            plant = fitted_plants(workplace, contender, bare, stack, [kind])[kind]
            paths = files_for_a_run(workplace, bare, settings.max_batch)
            runs: dict[str, Callable[[], float]] = {_OURS: partial(plant.images_per_s, paths)}
            for name in peers:
                say(f"{contender.name}: starting {name}")
                try:
                    server = _server(workplace, contender, name, bare, stack, plant.version)
                except ServiceError as error:  # the other one can still be measured
                    findings.skip(f"{name}, {contender.name}", str(error).splitlines()[-1])
                    continue
                runs[name] = partial(server.images_per_s, paths)
        plant.images_per_s(paths[: max(2, len(paths) // 4)])  # warm
        rates = interleave(runs, rounds)
        plant.check_judged()
    for name, values in rates.items():
        row = {"backend": contender.name, "server": name, "images": len(paths)}
        findings.rows.append({**row, "images_per_s": spread(values)})
    for name in rates.keys() - {_OURS}:
        ratio = median_of_pairs(rates[_OURS], rates[name])
        findings.ratios[f"pipeline_to_{name}_{contender.key}"] = ratio


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
