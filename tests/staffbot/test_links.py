"""`staffbot check` opens the links of the services, against a web site on loopback."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from staffbot.cli.links import check_links
from staffbot.settings import Network, Service
from tests.website import website

PATIENT = Network(timeout=timedelta(seconds=40))


async def test_each_link_is_opened_and_said_in_plain_words() -> None:
    async with website() as site:
        site.says("/delivery", "Books to your door.")
        site.says("/gone", "", status=410)

        async def moved(_: web.Request) -> web.StreamResponse:
            raise web.HTTPMovedPermanently("/delivery")

        async def round_and_round(_: web.Request) -> web.StreamResponse:
            raise web.HTTPFound("/loop")

        services = [
            Service(name="Delivery", link=f"{site.url}/delivery"),
            Service(name="Gone", link=f"{site.url}/gone"),
            Service(name="Moved", link=site.does("/moved", moved)),
            Service(name="Loop", link=site.does("/loop", round_and_round)),
            Service(name="Nowhere", link="http://127.0.0.1:1/"),
            Service(name="No link", text={"en": "Ask at the desk."}),
        ]
        found = await check_links(services, PATIENT)
    assert [(one.subject, one.ok) for one in found] == [
        ("service Delivery", True), ("service Gone", False), ("service Moved", True),
        ("service Loop", False), ("service Nowhere", False),
    ]  # fmt: skip
    said = [one.said for one in found]
    assert "can be opened" in said[0]
    assert "answered 410: look for the new address" in said[1]
    assert said[2].endswith(f"has moved to {site.url}/delivery")
    assert "redirects for ever" in said[3]
    assert "cannot be reached" in said[4]


async def test_without_services_nothing_is_asked() -> None:
    assert await check_links((), PATIENT) == []
