"""docs/operations.md and the files under deploy/ say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from linewatch.errors import ConfigurationError
from linewatch.settings.table import settings_table, updated
from workers.health.gauges import Gauges
from workers.health.metrics import WorkerMetrics

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "operations.md"
RULES = ROOT / "deploy" / "prometheus" / "linewatch.rules.yml"
LINE_DASHBOARD = ROOT / "deploy" / "grafana" / "line.json"
DASHBOARD = ROOT / "deploy" / "grafana" / "linewatch.json"
GAUGES = "".join(
    (ROOT / "workers" / "health" / name).read_text() for name in ("gauges.py", "output_gauges.py")
)
_NAME = re.compile(r"linewatch_[a-z_]+")


def families() -> dict[str, str]:
    """Every metric a worker has, and its kind."""
    counted = {
        f"{f.name}_total" if f.type == "counter" else f.name: f.type
        for f in WorkerMetrics().registry.collect()
    }
    return {**counted, **dict.fromkeys(re.findall(r'"(linewatch_[a-z_]+)"', GAUGES), "gauge")}


def known(name: str) -> bool:
    return name in families() or re.sub(r"_(bucket|sum|count)$", "", name) in families()


def test_the_settings_table_is_current() -> None:
    page = PAGE.read_text()
    assert updated(page) == page, "run `linewatch settings --update docs/operations.md`"
    assert "| `MAX_BATCH` | `32` |" in settings_table()


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no <!-- settings"):
        updated("# A page")


def test_every_metric_is_documented_and_no_other() -> None:
    table = PAGE.read_text().split("<!-- metrics: begin -->")[1].split("<!-- metrics: end -->")[0]
    documented = dict(re.findall(r"^\| `(linewatch_[a-z_]+)` \| (\w+)", table, re.MULTILINE))
    assert documented == families()


def expressions() -> list[str]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = [rule["expr"] for group in groups for rule in group["rules"]]
    boards = [json.loads(path.read_text()) for path in (DASHBOARD, LINE_DASHBOARD)]
    targets = [
        target for board in boards for panel in board["panels"] for target in panel["targets"]
    ]
    return rules + [target["expr"] for target in targets if "expr" in target]


@pytest.mark.parametrize("expression", expressions())
def test_alerts_and_dashboard_name_metrics_that_exist(expression: str) -> None:
    names = _NAME.findall(expression)
    assert names or expression.startswith("up{")
    assert [name for name in names if not known(name)] == []
    assert expression.count("(") == expression.count(")")


def test_rules_and_panels_are_well_formed() -> None:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]:
        assert {"alert", "expr", "labels", "annotations"} <= rule.keys()
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)


def test_a_registry_with_the_gauges_asks_nothing_when_it_is_made() -> None:
    runtime: Any = SimpleNamespace()  # has nothing: asking would fail
    registry = CollectorRegistry()
    registry.register(Gauges(runtime))
