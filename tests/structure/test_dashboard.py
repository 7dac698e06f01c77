"""The dashboard in `docs/` and the metrics match."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.observability import metrics

DASHBOARD = Path(__file__).resolve().parents[2] / "docs" / "grafana-dashboard.json"


def _expressions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _expressions(child)


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return loaded


def _samples() -> dict[str, set[str]]:
    """Every sample of our metrics, with its labels."""
    ours = [family for family in REGISTRY.collect() if family.name.startswith("jmgraph_")]
    labels = {
        value._name: set(value._labelnames) for value in vars(metrics).values() if hasattr(value, "_labelnames")
    }
    endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
    return {
        f"{family.name}{ending}": labels[family.name] | ({"le"} if ending == "_bucket" else set())
        for family in ours
        for ending in endings[family.type]
    }


def test_every_metric_it_names_exists_with_its_labels(dashboard: dict[str, Any]) -> None:
    samples = _samples()
    wrong = []
    for expression in _expressions(dashboard):
        for name, filters in re.findall(r"(jmgraph_\w+)(?:\{([^}]*)\})?", expression):
            unknown = set(re.findall(r"(\w+)\s*[=!]", filters)) - samples.get(name, set()) - {"job", "instance"}
            if name not in samples or unknown:
                wrong.append(f"{expression}: {name} {unknown}")

    assert wrong == []


def test_every_metric_is_on_it(dashboard: dict[str, Any]) -> None:
    shown = " ".join(_expressions(dashboard))
    families = [family.name for family in REGISTRY.collect() if family.name.startswith("jmgraph_")]

    assert [name for name in families if name not in shown] == []


def test_its_panels_have_titles_positions_and_unique_ids(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and panel["gridPos"]["w"] <= 24 for panel in panels)
    assert dashboard["uid"] == "jmgraph"
