"""The figures for Prometheus, from one report of the desk and the loops' liveness.

Labels are keys of the configuration: never a person, never a patron. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from staffbot.desk.health import Report
from staffbot.liveness import Liveness

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(report: Report, liveness: Liveness) -> bytes:
    """The exposition text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(report, liveness))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, report: Report, liveness: Liveness) -> None:
        self._report = report
        self._liveness = liveness

    def collect(self) -> Iterator[Metric]:
        report = self._report
        yield CounterMetricFamily("staffbot_mentions", "Mentions received.", value=report.received)
        in_hand = GaugeMetricFamily(
            "staffbot_mentions_in_hand", "Mentions not closed yet.", labels=["team", "status"]
        )
        for (team, status), number in report.in_hand.items():
            in_hand.add_metric([team, status], number)
        yield in_hand
        yield _by("staffbot_mentions_overdue", "Answers overdue.", "team", report.overdue)
        yield _by("staffbot_posts", "Posts not done, by state.", "state", report.posts)
        oldest = report.oldest_unsent.total_seconds() if report.oldest_unsent else 0
        yield GaugeMetricFamily(
            "staffbot_oldest_unsent_post_seconds", "Age of the oldest unsent post.", value=oldest
        )
        failing = {s.name: float(s.failing_since is not None) for s in report.sources}
        yield _by("staffbot_source_failing", "1 while a source cannot be read.", "source", failing)
        yield _by(
            "staffbot_source_read_seconds", "Since a source was last read.", "source",
            {s.name: (report.at - s.ok_at).total_seconds() for s in report.sources if s.ok_at},
        )  # fmt: skip
        yield GaugeMetricFamily(
            "staffbot_database_writable", "0 while writes fail.", value=not report.unwritable
        )
        yield GaugeMetricFamily("staffbot_troubles", "Troubles of now.", value=len(report.troubles))
        silent = self._liveness.silent_for()
        yield _by("staffbot_loop_silent_seconds", "Since a loop's last sign.", "loop", silent)


def _by(name: str, help_: str, label: str, values: dict[str, float] | dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
