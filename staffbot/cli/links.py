"""The links of the services, opened once each for `staffbot check`: whether patrons get somewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import aiohttp

from staffbot.errors import SourceError
from staffbot.seams import Finding
from staffbot.settings import Network, Service
from staffbot.sources.download import sentence, session

# Some sites answer no program that does not say what it is.
_HEADERS: Mapping[str, str] = {"User-Agent": "staffbot (checks a library's links)"}
_AT_ONCE = 5
_MOVED_FOR_GOOD = frozenset({301, 308})


async def check_links(services: Sequence[Service], network: Network) -> Sequence[Finding]:
    """One finding a service with a link. The library's own web site may be on its own network."""
    gate = asyncio.Semaphore(_AT_ONCE)
    with_links = [service for service in services if service.link]
    async with session(network, allow_private=True, headers=_HEADERS) as web:
        return await asyncio.gather(*(_look(web, gate, one, network) for one in with_links))


async def _look(
    web: aiohttp.ClientSession, gate: asyncio.Semaphore, service: Service, network: Network
) -> Finding:
    subject = f"service {service.name}"
    try:
        async with gate, web.get(service.link, proxy=network.proxy or None) as answer:
            return _finding(subject, service.link, answer)
    except aiohttp.TooManyRedirects:
        said = f"{service.link} redirects for ever"
    except aiohttp.InvalidURL:
        said = f"{service.link} is not an address that can be opened"
    except aiohttp.ClientError as problem:
        said = sentence(service.link, problem, network)
    except TimeoutError:
        said = f"{service.link} did not answer in time"
    except SourceError as problem:
        said = str(problem)
    return Finding(ok=False, subject=subject, said=said)


def _finding(subject: str, link: str, answer: aiohttp.ClientResponse) -> Finding:
    if answer.status >= 400:
        said = f"{link} answered {answer.status}: look for the new address, or take the service out"
        return Finding(ok=False, subject=subject, said=said)
    if any(step.status in _MOVED_FOR_GOOD for step in answer.history):
        return Finding(ok=True, subject=subject, said=f"{link} has moved to {answer.url}")
    return Finding(ok=True, subject=subject, said=f"{link} can be opened")
