"""A call to a monitor while all is well, so that its silence says that something is not.

The address is a secret and stands in no log. Knows nothing of what "well" means.
"""

from __future__ import annotations

import ssl

import aiohttp
import structlog

from staffbot.secret import Secret
from staffbot.settings import Network

log = structlog.get_logger(__name__)


class Heartbeat:
    """Calls one address, in the manner of healthchecks.io."""

    def __init__(self, url: Secret, network: Network) -> None:
        self._url = url.value
        self._network = network
        self._quiet = False

    async def beat(self) -> bool:
        """Call it once; whether it answered. Raises nothing for a monitor that is away."""
        timeout = aiohttp.ClientTimeout(total=min(10.0, self._network.timeout.total_seconds()))
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=timeout, connector=aiohttp.TCPConnector(ssl=_trust(self._network))
                ) as session,
                session.get(self._url, proxy=self._network.proxy or None) as answer,
            ):
                ok = answer.status < 400
                reason = f"answered {answer.status}"
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as problem:
            ok, reason = False, type(problem).__name__
        if not ok and not self._quiet:
            log.warning("the heartbeat address did not take the call", reason=reason)
        self._quiet = not ok
        return ok


def _trust(network: Network) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=network.ca_file) if network.ca_file else True
