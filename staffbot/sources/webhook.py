"""The generic webhook: `POST /hooks/<source>` with Standard Webhooks signatures. Stores nothing itself.

Whatever can send JSON (a form, Zapier, n8n, a script) brings mentions in by it; docs/webhook.md is
for those who set it up. An answer of 200 means that the mentions are stored. A request that comes
again is answered 200 as well, without any effect: its sender may have lost the first answer.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence

import structlog
from pydantic import BaseModel, ConfigDict, Field, field_validator
from standardwebhooks import Webhook, WebhookVerificationError

from staffbot.model import Clock, Kind, system_clock
from staffbot.network import Batch, Request, Response, Route, TakeIn
from staffbot.seams import Finding, Network
from staffbot.secret import FromEnvironment, Secret
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from staffbot.sources import webhook_payload
from staffbot.sources.webhook_payload import Unreadable

LIMIT = 256 * 1024
LONGEST_ID = 256
# A shorter key can be guessed; the specification asks for 24 bytes and more.
SHORTEST_KEY = 24

_log = structlog.get_logger(__name__)


class Options(BaseModel):
    """What stands under a `[[sources]]` entry of type "webhook", beside what every source has.

    The first of `secrets` is the one in use; others are still (or already) taken while the sender
    changes from one to the next.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    secrets: tuple[FromEnvironment, ...] = Field(
        min_length=1, max_length=5, examples=[["STAFFBOT_WEBHOOK_SECRET"]]
    )

    @field_validator("secrets")
    @classmethod
    def _are_keys(cls, secrets: tuple[Secret, ...]) -> tuple[Secret, ...]:
        for secret in secrets:
            try:
                text = secret.value.removeprefix("whsec_")
                key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
            except (binascii.Error, ValueError):
                raise ValueError(
                    "a secret has to be base64, with or without whsec_ before it; "
                    "make one with: echo whsec_$(openssl rand -base64 32)"
                ) from None
            if len(key) < SHORTEST_KEY:
                raise ValueError(
                    f"a secret has to hold at least {SHORTEST_KEY} bytes; "
                    "make one with: echo whsec_$(openssl rand -base64 32)"
                )
        return secrets


class Hook:
    """One webhook, as a source that is called."""

    def __init__(self, settings: SourceSettings, clock: Clock = system_clock) -> None:
        options: Options = settings.options
        self.name = settings.name
        self._kind = settings.kind or Kind.MESSAGE
        self._clock = clock
        self._keys = tuple(Webhook(secret.value) for secret in options.secrets)

    def routes(self, take_in: TakeIn) -> Sequence[Route]:
        """The one path of this source; it answers once `take_in` has."""

        async def handle(request: Request) -> Response:
            return await self._answer(request, take_in)

        return (Route(method="POST", path=f"/hooks/{self.name}", handle=handle, limit=LIMIT),)

    async def _answer(self, request: Request, take_in: TakeIn) -> Response:
        refusal = self._refusal(request)
        if refusal:
            return _said(401, refusal)
        try:
            posted = webhook_payload.read(request.body)
        except Unreadable as problem:
            return _said(400, str(problem), problem.path)
        batch = Batch(
            mentions=webhook_payload.incoming(
                posted, source=self.name, kind=self._kind, now=self._clock()
            )
        )
        try:
            taken = await take_in(batch, delivery=_header(request, "webhook-id"))
        except Exception as problem:  # whatever kept it from being stored, the sender has to know
            _log.error("webhook not stored", source=self.name, error=type(problem).__name__)
            return Response(
                status=503,
                body=_json({"error": "the mentions could not be stored: send them again later"}),
                headers={"Retry-After": "30"},
            )
        return Response(
            status=200,
            body=_json(
                {
                    "new": taken.new,
                    "followed_up": taken.followed_up,
                    "known": taken.repeated,
                    "parked": taken.parked,
                    "replay": taken.replay,
                }
            ),
        )

    def _refusal(self, request: Request) -> str:
        """Why the request is not let in; empty where it is. Tells nobody which part was wrong of
        a signature that does not fit."""
        id_ = _header(request, "webhook-id")
        if not id_ or not _header(request, "webhook-signature"):
            return (
                "the request is not signed: it needs the headers webhook-id, webhook-timestamp "
                "and webhook-signature, see docs/webhook.md"
            )
        if len(id_) > LONGEST_ID:
            return f"webhook-id is longer than {LONGEST_ID} characters"
        headers = {key.lower(): value for key, value in request.headers.items()}
        said = ""
        for key in self._keys:
            try:
                key.verify(request.body, headers, json_parse=False)
            except WebhookVerificationError as problem:
                said = str(problem)
            except ValueError:  # neither base64 nor UTF-8 nor a version and a signature
                said = ""
            else:
                return ""
        if "timestamp" in said:
            return (
                "webhook-timestamp is more than 5 minutes off: "
                "sign each try anew, and look at the clocks of both machines"
            )
        return "the signature does not fit this source's secrets"


def _header(request: Request, name: str) -> str:
    return next((v for key, v in request.headers.items() if key.lower() == name), "")


def _said(status: int, error: str, path: str = "") -> Response:
    body = {"error": error, "path": path} if path else {"error": error}
    return Response(status=status, body=_json(body))


def _json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body).encode()


def _open(settings: SourceSettings, network: NetworkSettings, clock: Clock) -> Hook:
    return Hook(settings, clock)


async def _check(settings: SourceSettings, network: NetworkSettings) -> Sequence[Finding]:
    """Nothing can be reached from here: says where to send to."""
    options: Options = settings.options
    keys = "one secret" if len(options.secrets) == 1 else f"{len(options.secrets)} secrets"
    said = f"waits at POST /hooks/{settings.name} with {keys}"
    return (Finding(ok=True, subject=f"source {settings.name}", said=said),)


network: Network = Network(type="webhook", options=Options, open=_open, check=_check)
