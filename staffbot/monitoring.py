"""What the program tells monitors: `/healthz`, `/metrics`, and the heartbeat's "all is well".

The public answer names loops and subjects of ours and nothing else. Knows no listener.
"""

from __future__ import annotations

from collections.abc import Mapping

from staffbot import metrics
from staffbot.desk import health
from staffbot.desk.ledger import Desk
from staffbot.liveness import Liveness
from staffbot.network import Request, Response, Route

Particulars = Mapping[str, object]


class Monitoring:
    """One look at database and loops serves all who ask."""

    def __init__(self, desk: Desk, liveness: Liveness) -> None:
        self._desk = desk
        self._liveness = liveness

    async def healthz(self) -> tuple[bool, Particulars]:
        """Whether all is well, and the particulars. Raises where the database does not answer."""
        report = await self._desk.looking(health.report)
        late = self._liveness.late()
        oldest = report.oldest_unsent
        return report.ok and not late, {
            "database": True,
            "late_loops": late,
            "loops": {name: round(s) for name, s in self._liveness.silent_for().items()},
            "oldest_unsent_post_seconds": round(oldest.total_seconds()) if oldest else None,
            "posts": report.posts,
            "troubles": [trouble.subject for trouble in report.troubles],
        }

    async def well(self) -> bool:
        """Whether a monitor's heartbeat is due: database, loops and posts are well."""
        ok, _ = await self.healthz()
        return ok

    def routes(self) -> tuple[Route, ...]:
        """For the listener on loopback."""
        return (Route(method="GET", path="/metrics", handle=self._metrics),)

    async def _metrics(self, _: Request) -> Response:
        report = await self._desk.looking(health.report)
        body = metrics.render(report, self._liveness)
        return Response(status=200, body=body, content_type=metrics.CONTENT_TYPE)
