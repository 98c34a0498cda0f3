"""How many small faults in the pure core the unit tests see: `make mutants`.

mutmut changes one operator, number or word at a time and runs the tests that reach it.
`[tool.mutmut]` in pyproject.toml says what is changed and which tests are run; `mutmut show NAME`
shows one that survived.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, document, write

ROOT = Path(__file__).resolve().parents[1]
RESULT = RESULTS / "mutants.json"
AIM = 0.9
_SEEN, _UNSEEN = ("killed", "timeout", "segfault"), ("survived", "no tests")  # as mutmut says it


def main() -> int:
    """Run mutmut on the modules named in pyproject.toml; ends with 1 below the aim."""
    subprocess.run([sys.executable, "-m", "mutmut", "run", *sys.argv[1:]], cwd=ROOT, check=True)
    rows = rows_of(ROOT / "mutants")
    total = sum(row["mutants"] for row in rows)
    share = sum(row["killed"] for row in rows) / total
    ratios = {"mutants_killed": share, "least_of_a_module": min(row["share"] for row in rows)}
    write(document("mutants", settings={"aim": AIM}, rows=rows, ratios=ratios), RESULT)
    for row in rows:
        print(f"{row['module']:36} {row['killed']:4} of {row['mutants']:4}  {row['share']:.1%}")
        print("".join(f"    {name}\n" for name in row["survived"]), end="")
    print(f"killed {share:.1%} of {total}; aim {AIM:.0%} in each")
    return int(ratios["least_of_a_module"] < AIM)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """A row a module, from the files that mutmut keeps beside its copies.

    Raises:
        RuntimeError: a mutant was not tried to its end.
    """
    from mutmut.stats import status_by_exit_code

    counts: dict[str, Counter[str]] = defaultdict(Counter)
    survived: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("*.py.meta")):
        module = str(path.relative_to(folder)).removesuffix(".meta")
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        for name, code in codes.items():
            status = status_by_exit_code[code]
            if status in _SEEN:
                counts[module]["killed"] += 1
            elif status in _UNSEEN:
                counts[module]["survived"] += 1
                survived[module].append(name)
            else:
                raise RuntimeError(f"{name} was not tried to its end: {status}")
    return [
        {
            "module": module,
            "mutants": found.total(),
            "killed": found["killed"],
            "share": found["killed"] / found.total(),
            "survived": survived[module],
        }
        for module, found in counts.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
