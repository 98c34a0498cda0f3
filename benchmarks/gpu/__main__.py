"""One command for a machine with a GPU, Python 3.12 and PyTorch, and no network.

Installs the wheels that `make gpu-wheels` fetched, runs the tests of the CUDA backend, then the
measurements. Each has a limit and keeps what it found by then. Until the wheels are installed this
needs nothing but Python itself.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / "gpu-wheels"
SITE = ROOT / "gpu-site"
TESTS_S, BENCH_S = 180, 360
SMOKE_BENCH_S = 150  # a processor may be busy with other things
_FIRST_OF_THE_WHEELS = "celery"  # whoever has it needs no wheels


def main() -> int:
    """Run what was asked for; 0 if all of it ended well."""
    parser = argparse.ArgumentParser(prog="make gpu", description=__doc__)
    parser.add_argument(
        "--smoke", action="store_true", help="On this processor, with small networks: does it run?"
    )
    parser.add_argument("--only", choices=("tests", "bench"), help="The one and not the other.")
    parser.add_argument(
        "--out",
        type=Path,
        help="The result file; benchmarks/results/gpu.json, or gpu-smoke.json here in a smoke run.",
    )
    asked = parser.parse_args()
    out = asked.out or (ROOT / ("gpu-smoke.json" if asked.smoke else "benchmarks/results/gpu.json"))
    variables = environment()
    variables["LINEWATCH_GPU_DEVICE"] = "cpu" if asked.smoke else "cuda"
    python = [sys.executable, "-m"]
    codes = []
    if asked.only != "bench":
        tests = [*python, "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "tests" / "gpu")]
        codes.append(_limited("tests of the GPU", tests, variables, TESTS_S))
    if asked.only != "tests":
        limit = SMOKE_BENCH_S if asked.smoke else BENCH_S
        bench = [*python, "benchmarks.gpu.measure", "--out", str(out), "--seconds", str(limit - 30)]
        code = _limited("measurements", bench + ["--smoke"] * asked.smoke, variables, limit)
        codes.append(code)
        print(f"found by then: {out}" if code else f"all of it: {out}", flush=True)
    return max(codes)


def environment() -> dict[str, str]:
    """This process's, with the wheels on the path; they are installed where they are needed."""
    places = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    if importlib.util.find_spec(_FIRST_OF_THE_WHEELS) is None:
        wheels = sorted(map(str, WHEELS.glob("*.whl")))
        if not wheels:
            sys.exit(
                f"there are no wheels in {WHEELS}: run `make gpu-wheels` where there is a "
                "network, and bring the folder here"
            )
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
        options = ["--no-compile", "--disable-pip-version-check", "--upgrade"]
        subprocess.run([*install, *options, "--target", str(SITE), *wheels], check=True)
        places.insert(0, str(SITE))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}


def _limited(what: str, command: list[str], environment: dict[str, str], limit_s: int) -> int:
    """Run a command for at most `limit_s`, then end it and all it started."""
    print(f"{what}, {limit_s} s at most", flush=True)
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        print(f"{what} took more than {limit_s} s and is ended", flush=True)
        return 124
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            continue


if __name__ == "__main__":
    sys.exit(main())
