"""deploy/prometheus/rules.yml: alerts on metrics that exist, each with its runbook."""

from __future__ import annotations

import re
from pathlib import Path

from tests.web.monitoring import PAGE, ROOT, documented, promtool, used

RULES = ROOT / "deploy/prometheus/rules.yml"
TEXT = RULES.read_text(encoding="utf-8")
ALERTS = dict(re.findall(r"- alert: (\w+)\n(.*?)(?=\n {6}- alert|\Z)", TEXT, re.DOTALL))

SERIES = """
rule_files: [{rules}]
evaluation_interval: 10m
tests:
  - interval: 10m
    external_labels: {{ rq_clock_docs: "https://docs.example/clock/" }}
    input_series:
      - series: 'clock_event_paused_until_timestamp_seconds{{event="forgotten"}}'
        values: '{forever}'
      - series: 'clock_event_paused_until_timestamp_seconds{{event="for an hour"}}'
        values: '1800000000x200'
      - series: 'clock_event_occurrences_since_success{{event="hangs"}}'
        values: '0x10 3x190'
      - series: 'clock_event_paused{{event="hangs"}}'
        values: '0x200'
      - series: 'clock_event_occurrences_since_success{{event="forgotten"}}'
        values: '10x200'
      - series: 'clock_event_paused{{event="forgotten"}}'
        values: '1x200'
    alert_rule_test:
      - alertname: ClockEventPausedWithoutEnd
        eval_time: 23h
        exp_alerts: []
      - alertname: ClockEventPausedWithoutEnd
        eval_time: 25h
        exp_alerts:
          - exp_labels: {{ severity: warning, event: forgotten }}
            exp_annotations:
              summary: "forgotten has been paused for a day, and its pause has no end"
              runbook_url: "https://docs.example/clock/metrics.md#clockeventpausedwithoutend"
      - alertname: ClockEventWithoutSuccess
        eval_time: 1h
        exp_alerts: []
      - alertname: ClockEventWithoutSuccess
        eval_time: 3h
        exp_alerts:
          - exp_labels: {{ severity: critical, event: hangs }}
            exp_annotations:
              summary: "no run of hangs has succeeded for 3 occurrences or more"
              runbook_url: "https://docs.example/clock/metrics.md#clockeventwithoutsuccess"
"""


def test_alerts_use_metrics_that_exist() -> None:
    names = used(re.findall(r"expr: (.*)", TEXT))
    assert len(names) > 10
    assert names <= documented()


def test_every_alert_has_a_severity_a_summary_and_a_link_to_its_runbook() -> None:
    assert len(ALERTS) == 13
    for name, body in ALERTS.items():
        assert re.search(r"severity: (critical|warning) ", body), name
        assert "summary: " in body, name
        link = "{{ $externalLabels.rq_clock_docs }}metrics.md#" + name.lower()
        assert f"runbook_url: '{link}'" in body, name


def test_every_runbook_is_a_section_of_the_docs_and_every_section_has_an_alert() -> None:
    section = PAGE.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^### (\w+)$", section, re.MULTILINE)) == ALERTS.keys()


def test_prometheus_accepts_the_alerts() -> None:
    assert "13 rules found" in promtool("check", "rules", str(RULES))


def test_a_pause_without_an_end_and_an_event_without_a_success_are_alerts(tmp_path: Path) -> None:
    file = tmp_path / "test.yml"
    file.write_text(SERIES.format(rules=RULES, forever=" ".join(["Inf"] * 200)))
    assert "SUCCESS" in promtool("test", "rules", str(file))
