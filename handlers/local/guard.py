"""Who may talk to the page: this machine's own browser, from this page. Knows no channel.

There is no login, so every other way in is shut: another site's script (Origin, JSON only), a name
that resolves here (Host), a frame, and anything on the page that we did not ship (CSP).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from staffbot.errors import StaffbotError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    refusal = refused(request)
    if refusal:
        return web.json_response({"error": refusal}, status=403)
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.json_response({"error": error.reason}, status=error.status)
    except StaffbotError as error:
        return web.json_response({"error": str(error)}, status=503)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def refused(request: web.Request) -> str:
    """Why this request is not let in, in a sentence; empty where it is."""
    host = request.headers.get("Host", "")
    if not is_loopback(request.remote or "") or not is_loopback(_name(host)):
        return "This page answers to this machine only: open it as 127.0.0.1 or localhost."
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        return "This request came from another page."
    # A link on another page may still lead to this one; its scripts and images may not.
    follows_link = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site not in ("none", "same-origin") and not follows_link:
        return "This request came from another page."
    if request.method == "POST" and request.content_type != "application/json":
        return "Send JSON, with Content-Type: application/json."
    return ""


def is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """The name within a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
