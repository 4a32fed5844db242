"""What the program tells monitors: `/healthz`, `/metrics`, and the heartbeat's "all is well".

The public answer names loops and subjects of ours and nothing else. Knows no listener.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import structlog

from staffbot import log, metrics
from staffbot.desk import health, pulse
from staffbot.desk.ledger import Desk
from staffbot.liveness import Liveness
from staffbot.network import Request, Response, Route

_log = structlog.get_logger(__name__)

Particulars = Mapping[str, object]

# A monitor's question is a test write as well, at most this often whoever asks; one that has to
# wait for its turn is no failure, so it is not waited for long.
_TRY_EVERY_SECONDS = 5.0
_TRY_WITHIN_SECONDS = 2.0


class Monitoring:
    """One look at database and loops serves all who ask."""

    def __init__(self, desk: Desk, liveness: Liveness) -> None:
        self._desk = desk
        self._liveness = liveness
        self._trying: asyncio.Task[None] | None = None
        self._tried_at = float("-inf")

    async def healthz(self) -> tuple[bool, Particulars]:
        """Whether all is well, and the particulars. Raises where the database does not answer."""
        await self._try_to_write()
        report = await self._desk.looking(health.report)
        late = self._liveness.late()
        oldest = report.oldest_unsent
        return report.ok and not late, {
            "database": not report.unwritable,
            "database_error": report.unwritable,
            "late_loops": late,
            "loops": {name: round(s) for name, s in self._liveness.silent_for().items()},
            "oldest_unsent_post_seconds": round(oldest.total_seconds()) if oldest else None,
            "posts": report.posts,
            "troubles": [trouble.subject for trouble in report.troubles],
        }

    async def _try_to_write(self) -> None:
        """A sign of life is written, so that a full disk shows now and not when somebody works."""
        if self._trying is None or self._trying.done():
            if time.monotonic() - self._tried_at < _TRY_EVERY_SECONDS:
                return
            self._tried_at = time.monotonic()
            self._trying = asyncio.create_task(self._beat())
        await asyncio.wait({self._trying}, timeout=_TRY_WITHIN_SECONDS)

    async def _beat(self) -> None:
        try:
            await self._desk.acting(pulse.beat)
        except Exception as problem:  # the store remembers why, and the report tells it
            _log.error("a test write failed", error=log.kind_of(problem))

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
