"""Weeks of a plant, lived by the code of 0.1.0: its database, models, spool, queue, reports.

    cd CHECKOUT_OF_0_1_0 && PYTHONPATH=. python plant.py FOLDER DATABASE_URL REDIS_URL [PARTS]

`plant.json.gz` beside this file is one of 14 parts on SQLite, made with `LINEWATCH_RECIPE=seed` and
`LINEWATCH_NOVELTY_RATE=0`, whose models are small, and put together by `plant.py --freeze FOLDER`.

Only what 0.1.0 has is imported here, by name: the code of today has other modules. All that is
in `FOLDER` afterwards, the code of 0.1.0 made: `data` (SQLite, model store, spool), `pictures`,
`products`, `said` (what its commands and saved queries answered).
"""

from __future__ import annotations

import base64
import csv
import gzip
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

SEED = 7
PICTURE_PX = 192
CLASSES = ("good", "bent_wire", "missing_wire", "cable_swap")
MIX = {"good": 0.5, "bent_wire": 0.2, "missing_wire": 0.15, "cable_swap": 0.15}
CAMERAS = ("top", "side")
DAYS = 75  # of history, of which the oldest are purged
KEPT_DAYS = 40
WAIT_S = 300

# What a plant's dashboards ask the views that 0.1.0 published.
QUERIES = {
    "hourly": "SELECT line, camera, SUM(inspected) AS inspected, SUM(passed) AS passed,"
    " SUM(defects) AS defects, SUM(review) AS review, SUM(rejected) AS rejected,"
    " SUM(dead_letter) AS dead_letter FROM report_defect_rate_hourly"
    " GROUP BY line, camera ORDER BY line, camera",
    "lots": "SELECT lot, SUM(inspected) AS inspected, SUM(defects) AS defects"
    " FROM report_defect_rate_hourly GROUP BY lot ORDER BY lot",
    "pareto": "SELECT defect_class, SUM(defects) AS defects FROM report_pareto"
    " GROUP BY defect_class ORDER BY defects DESC, defect_class",
    "classes": "SELECT model_version, class, precision, recall, f1, support, scored, champion"
    " FROM report_class_metrics ORDER BY model_version, class",
    "rates": "SELECT hour, line, camera, lot, defect_rate FROM report_defect_rate_hourly"
    " WHERE product = 'cable' ORDER BY hour, line, camera, lot",
}
REPORTS = {
    "defect-rate": ("--by", "line", "--by", "camera"),
    "pareto": ("--product", "cable"),
    "classes": ("--product", "cable"),
    "model": (),
    "shadow": ("cable",),
}


class Plant:
    """0.1.0's commands, settings and cameras, on one folder."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, parts: int) -> None:
        self.folder, self.parts = folder, parts
        for name in ("data", "pictures", "products", "said"):
            (folder / name).mkdir(parents=True)
        self.env = {
            "LINEWATCH_DATA_DIR": str(folder / "data"),
            "LINEWATCH_DATABASE_URL": database_url,
            "LINEWATCH_REDIS_URL": redis_url,
            "LINEWATCH_IMAGE_ROOTS": str(folder / "pictures"),
            "LINEWATCH_RETENTION_INSPECTIONS_DAYS": str(KEPT_DAYS),
            "LINEWATCH_SPOOL_DIR": str(folder / "data" / "spool"),
            "LINEWATCH_SIGNING_KEYS": "k1:" + "s" * 32,
            "LINEWATCH_EMBED_IDLE_S": "0",
            "LINEWATCH_METRICS_PORT": "0",
            "OMP_NUM_THREADS": "1",
        }
        self.env |= {n: v for n, v in os.environ.items() if n.startswith("LINEWATCH_")}
        os.environ.update(self.env)
        self.settings = import_module("linewatch.settings").Settings()
        self.engine = import_module("db.session").engine_for(self.settings.sql_url)
        self.postgresql = self.engine.dialect.name == "postgresql"
        self._picture = 0
        self.truth: dict[UUID, tuple[str, Path]] = {}

    def run(self, *arguments: str) -> str:
        """One command; what it printed."""
        command = [sys.executable, "-m", "linewatch", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    @contextmanager
    def worker(self) -> Iterator[None]:
        """While it runs, pictures are judged."""
        command = [sys.executable, "-m", "linewatch", "worker", "--queues", "inspect"]
        with (self.folder / "said" / "worker.log").open("a") as log:
            process = subprocess.Popen([*command, "--name", "old"], stdout=log, stderr=log)
            try:
                yield
            finally:
                process.terminate()
                process.wait(60)

    def shift(self, parts: int, lot: str, *, wait: bool = True) -> list[UUID]:
        """So many parts pass both cameras; those of a camera that waits have their receipts."""
        line = self._line()
        drawn = [line.part(self._picture + number) for number in range(parts)]
        self._picture += parts
        ids = []
        for place, name in enumerate(CAMERAS):
            with self.camera(name) as camera:
                for part in drawn:
                    path = self.folder / "pictures" / f"{part.serial}-{name}.jpg"
                    seen = part.pixels if not place else part.pixels[:, ::-1].copy()
                    import_module("producer.simulator.save").save(seen, path)
                    id_ = camera.submit(path, part=part.serial, lot=lot)
                    self.truth[id_] = (part.defect_class, path)
                    ids.append(id_)
                if wait and not camera.wait(WAIT_S):
                    raise SystemExit(f"{camera.status()}: receipts are missing")
        return ids

    def camera(self, name: str, **changes: Any) -> Any:
        settings = self.settings.model_copy(update=changes)
        made = import_module("producer.camera").Camera
        return made(line="line-1", camera=name, product="cable", settings=settings)

    def _line(self) -> Any:
        make = import_module("producer.simulator.line").SimulatedLine
        return make(seed=SEED, lines=("line-1",), cameras_per_line=1, mix=MIX, size=PICTURE_PX)

    def label(self, ids: list[UUID], who: str, wrong: int = 0) -> None:
        """People say what these are; the first `wrong` of them say something else."""
        path = self.folder / "said" / "labels.csv"
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["id", "label", "labelled_by", "note"])
            for number, id_ in enumerate(ids):
                label = self.truth[id_][0]
                other = CLASSES[(CLASSES.index(label) + 1) % len(CLASSES)]
                rows.writerow([id_, other if number < wrong else label, who, ""])
        self.run("labels", "import", str(path))

    def versions(self) -> list[str]:
        """All model versions, the newest first."""
        found = json.loads(self.run("models", "list", "--format", "json"))
        return [row["version"] for row in found]


def lived(plant: Plant) -> dict[str, Any]:
    """All of it, in the order in which a plant lives it."""
    product = plant.folder / "products" / "cable.yaml"
    shipped = Path("products/cable.yaml").read_text().splitlines(keepends=True)
    product.write_text("".join(row for row in shipped if not row.startswith("image_size:")))
    plant.run("db", "upgrade")
    plant.run("products", "register", str(product))
    with plant.worker():
        first = plant.shift(plant.parts, "lot-1")
        plant.label(first, "ann", wrong=4)
        plant.label(first[:4], "bob")  # corrections
        train(plant, "--promote")
        (champion,) = plant.versions()
        time.sleep(5)  # until the worker has taken it up
        second = plant.shift(plant.parts, "lot-2")
        plant.label(second[::2], "ann")
        train(plant)
        challenger = plant.versions()[0]
        plant.run("models", "shadow", challenger)
        time.sleep(5)
        golden(plant, second[:8])
        judged = plant.shift(plant.parts // 2, "lot-3")
        missing = plant.folder / "pictures" / "gone.jpg"
        with plant.camera("top") as camera:
            gone = camera.submit(missing, part="GONE", lot="lot-3")
            camera.wait(WAIT_S)
    history(plant, judged)
    if plant.postgresql:
        plant.run("db", "partition")
    plant.run("purge")
    queued = plant.shift(3, "lot-4", wait=False)
    away = {"redis_url": "redis://127.0.0.1:1/0"}
    with plant.camera("away", **away) as camera:
        held = [camera.submit(plant.truth[id_][1], part=f"H{n}") for n, id_ in enumerate(queued)]
    return {
        "champion": champion,
        "challenger": challenger,
        "judged": [str(id_) for id_ in judged],
        "queued": [str(id_) for id_ in queued],
        "held": [str(id_) for id_ in held],
        "gone": str(gone),
        "truth": {str(id_): [label, path.name] for id_, (label, path) in plant.truth.items()},
    }


def train(plant: Plant, *options: str) -> None:
    (plant.folder / "said" / f"train{len(options)}.txt").write_text(
        plant.run("train", "cable", *options)
    )


def golden(plant: Plant, ids: list[UUID]) -> None:
    path = plant.folder / "said" / "golden.csv"
    rows = [f"{id_},{plant.truth[id_][0]}" for id_ in ids]
    path.write_text("\n".join(["id,label", *rows]) + "\n")
    plant.run("golden", "add", "cable", str(path))
    plant.run("golden", "freeze", "cable")


def history(plant: Plant, judged: list[UUID]) -> None:
    """The weeks before: what the worker said of `judged`, at the times of then."""
    inspections = import_module("db.inspections")
    serials = [plant.truth[id_][1].name.split("-")[0] for id_ in judged]
    by_serial = {s: inspections.by_part(plant.engine, s) for s in dict.fromkeys(serials)}
    now = datetime.now(UTC).replace(minute=20, second=0, microsecond=0)
    for day in range(1, DAYS):
        records = []
        for number, (serial, found) in enumerate(by_serial.items()):
            if (number + day) % 3:
                continue
            for place, record in enumerate(found):
                at = now - timedelta(days=day) + timedelta(minutes=7 * number, seconds=place)
                records.append(
                    replace(
                        record,
                        id=uuid7(at, day * 10_000 + number * 10 + place),
                        part=f"{serial}-{day}",
                        lot=f"week-{day // 7}",
                        decided_at=at,
                        captured_at=at - timedelta(seconds=2),
                        enqueued_at=at - timedelta(seconds=1),
                    )
                )
        inspections.commit_inspections(plant.engine, records, UTC)


def uuid7(at: datetime, number: int) -> UUID:
    """As 0.1.0 numbers pictures: by their time."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | number)


def answers(plant: Plant) -> None:
    """What its reports and the plant's own queries say, to be compared after the upgrade."""
    text = import_module("sqlalchemy").text
    for name, options in REPORTS.items():
        path = plant.folder / "said" / f"report-{name}.json"
        path.write_text(plant.run("report", name, *options, "--format", "json"))
    with import_module("db.session").reading(plant.engine) as connection:
        said = {
            name: [list(map(plain, row)) for row in connection.execute(text(query))]
            for name, query in QUERIES.items()
        }
        rows = {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
            for table in ("inspections", "labels", "features", "golden_items", "audit_log")
        }
    (plant.folder / "said" / "queries.json").write_text(json.dumps(said, indent=1))
    (plant.folder / "said" / "rows.json").write_text(json.dumps(rows))


def plain(value: Any) -> Any:
    """As JSON has it, alike for both databases."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if value is None or isinstance(value, (str, bool)):
        return value
    return round(float(value), 9)


def frozen(folder: Path) -> dict[str, Any]:
    """A plant on SQLite that lived, as JSON: all but the pictures that no test shows again."""
    known = json.loads((folder / "known.json").read_text())
    os.environ.update(known["env"])
    again = {known["truth"][id_][1] for id_ in known["judged"] + known["queued"]}
    spools = {}
    for path in sorted((folder / "data" / "spool").glob("*.db")):
        with sqlite3.connect(path) as db:
            spools[path.name] = "\n".join(db.iterdump())
    queue = import_module("redis").Redis.from_url(known["env"]["LINEWATCH_REDIS_URL"])
    return {
        "known": known,
        "said": {
            path.stem: json.loads(path.read_text()) for path in (folder / "said").glob("*.json")
        },
        "product": (folder / "products" / "cable.yaml").read_text(),
        "tables": tables(folder / "data" / "linewatch.db"),
        "models": contents(folder / "data" / "models"),
        "pictures": {n: p for n, p in contents(folder / "pictures").items() if n in again},
        "spools": spools,
        "queue": [entry.decode() for entry in queue.lrange("inspect", 0, -1)],
    }


def tables(path: Path) -> dict[str, Any]:
    """Every row of every table, in an order in which they can be inserted."""
    engine = import_module("db.session").engine_for(f"sqlite:///{path}")
    found = {}
    with import_module("db.session").reading(engine) as connection:
        for table in import_module("db.schema").metadata.sorted_tables:
            rows = [list(map(in_json, row)) for row in connection.execute(table.select())]
            kinds = {c.name: type(c.type).__name__ for c in table.columns}
            found[table.name] = {"columns": kinds, "rows": rows}
    return found


def in_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, (datetime, UUID)) else value


def contents(folder: Path) -> dict[str, str]:
    """Each file beneath it, in base64."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): base64.b64encode(path.read_bytes()).decode()
        for path in files
    }


def freeze(folder: Path) -> None:
    text = json.dumps(frozen(folder)).replace(str(folder), "@PLANT@")
    path = Path(__file__).with_name("plant.json.gz")
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def main() -> None:
    if sys.argv[1] == "--freeze":
        freeze(Path(sys.argv[2]).resolve())
        return
    folder, database_url, redis_url, *size = sys.argv[1:]
    plant = Plant(Path(folder).resolve(), database_url, redis_url, int(size[0]) if size else 24)
    known = lived(plant)
    (plant.folder / "known.json").write_text(json.dumps({**known, "env": plant.env}, indent=1))
    answers(plant)


if __name__ == "__main__":
    main()
