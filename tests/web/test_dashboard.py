"""deploy/grafana/rq-clock.json: a dashboard that Grafana knows, readable with many events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.web.monitoring import ROOT, documented, promtool, used

DASHBOARD = json.loads((ROOT / "deploy/grafana/rq-clock.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]

_MANY = r"event|queue|worker"
"""Labels of which there may be thousands."""

_BOUNDED = re.compile(r"(topk|bottomk)\(\d+, |(sum|count)( by \((reason|outcome)\) )?\(")
"""How a query begins that has few series."""


def test_it_uses_metrics_that_exist() -> None:
    assert len(EXPRESSIONS) > 30
    assert used(EXPRESSIONS) <= documented()


def test_grafana_knows_every_field() -> None:
    """What its models do not know, they leave out."""
    models = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins

    register_default_plugins()
    known = json.loads(JSONEncoder().encode(models.Dashboard.from_json(DASHBOARD)))
    assert list(_lost(DASHBOARD, known)) == []


def test_every_query_is_about_the_chosen_instances_of_the_chosen_data_source() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            # Without the strings of label_replace.
            expression = re.sub(r', "[^"]*"', "", target["expr"])
            selectors = re.findall(r"\bclock_\w+(\{[^}]*\})?", expression)
            assert selectors
            assert all('instance=~"$instance"' in selector for selector in selectors)
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "app", "instance"]
    assert variables["instance"]["includeAll"]
    assert 'app="$app"' in variables["instance"]["query"]["query"]


def test_no_panel_has_a_series_for_every_event_queue_or_worker() -> None:
    for expression in EXPRESSIONS:
        if re.search(rf"by \([^)]*({_MANY})[^)]*\)", expression):
            assert re.match(
                r"(topk|bottomk)\(\d+, |(sum|count)(\(| by \((reason|outcome)\))", expression
            ), expression
        else:
            assert not re.search(rf"clock_({_MANY})_", expression), expression


def test_replicas_of_clock_web_count_nothing_twice() -> None:
    for expression in EXPRESSIONS:
        if expression.startswith(("sum(", "sum by")):
            assert re.match(r"sum( by \(\w+\) )?\(max by \(", expression), expression


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        for at in (panel["gridPos"] for panel in panels)
    ]
    assert not any(one & other for one, other in combinations(places, 2))
    assert {x for place in places for x, _ in place} == set(range(24))


def test_prometheus_accepts_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": _filled(expression)}
        for number, expression in enumerate(EXPRESSIONS)
    ]
    file = tmp_path / "queries.yml"
    # JSON is YAML.
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(EXPRESSIONS)} rules found" in promtool("check", "rules", str(file))


def _filled(expression: str) -> str:
    """The expression as Grafana sends it."""
    for variable, value in (("$__rate_interval", "5m"), ("$__range", "6h"), ("$instance", ".*")):
        expression = expression.replace(variable, value)
    return expression


def _lost(given: Any, known: Any, path: str = "") -> Iterator[str]:
    """The paths of what is in ``given`` and not in ``known``."""
    if isinstance(given, dict) and isinstance(known, dict):
        for name, value in given.items():
            yield from _lost(value, known.get(name), f"{path}.{name}")
    elif isinstance(given, list) and isinstance(known, list) and len(given) == len(known):
        for number, (value, other) in enumerate(zip(given, known, strict=True)):
            yield from _lost(value, other, f"{path}[{number}]")
    elif given != known:
        yield path
