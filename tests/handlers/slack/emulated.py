"""The journeys before a Slack that this project did not write: local-slack (MIT), a static binary.

It listens on every address, so this runs in a network of its own:
`unshare -rn python -m tests.handlers.slack.emulated path/to/local-slack`. It ends with 0 where
every journey went as it should, in Socket Mode and by signed requests.

What local-slack does not know is proven on the loopback Slack alone: refusals, metadata, limits.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from staffbot import plugins
from staffbot.config import load
from staffbot.settings import Settings
from tests.handlers.slack.loopback import SIGNING_SECRET
from tests.handlers.slack.stage import actions
from tests.handlers.slack.street import CONFIG, VARIABLES
from tests.handlers.slack.workspace import APP_TOKEN, BOT, BOT_TOKEN, TEAM
from tests.staffbot.house import Running, running

SLACK_PORT, OUR_PORT = 3100, 4000  # free, as this network is ours alone
SLACK = f"http://127.0.0.1:{SLACK_PORT}"
PATIENCE = 60.0
WORKSPACE = f"""\
workspace: {{ name: Library, domain: library, teamId: {TEAM} }}
app:
  appId: A01
  botUserId: {BOT}
  botName: staffbot
  botToken: {BOT_TOKEN}
  appToken: {APP_TOKEN}
  signingSecret: {SIGNING_SECRET}
  mode: MODE
  requestUrl: http://127.0.0.1:{OUR_PORT}/slack/events
users:
  - {{ id: U1, name: ana, real_name: Ana Silva }}
  - {{ id: U2, name: ben, real_name: Ben Okafor }}
  - {{ id: U3, name: mia, real_name: Mia Lang }}
channels:
  - {{ id: C01, name: adult, members: [U1, U2, U3, {BOT}] }}
"""


@dataclass(slots=True)
class Emulated:
    """Somebody at the pages of local-slack: what they do, and what they see."""

    session: aiohttp.ClientSession
    ui: aiohttp.ClientWebSocketResponse
    settings: Settings

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Running]:
        async with running(self.settings) as up:
            await self.until(self.hears)
            yield up

    async def hears(self) -> bool:
        """Whether staffbot is there: by its socket, or always where it is called."""
        if self.settings.doors[0].options.mode == "http":
            return True
        state = await self.state()
        return any(app.get("connected") for app in state.get("apps", [state.get("app", {})]))

    async def do(self, what: str, **said: Any) -> None:
        await self.ui.send_json({"t": what, **said})

    async def press(self, name: str, user: str = "U1") -> None:
        card = await self.card()
        action = actions(card)[name]
        await self.do("block_action", channel="C01", messageTs=card["ts"], user=user, action=action)

    async def state(self) -> dict[str, Any]:
        """All that a page shows."""
        async with self.session.ws_connect(f"{SLACK}/ui") as page:
            found: dict[str, Any] = (await page.receive_json())["state"]
            return found

    async def messages(self, channel: str = "C01") -> list[dict[str, Any]]:
        async with self.session.get(f"{SLACK}/_control/messages/{channel}") as answer:
            found: list[dict[str, Any]] = (await answer.json())["messages"]
            return found

    async def card(self) -> dict[str, Any]:
        """The newest card: a message of the bot's in the channel itself."""
        found = [m for m in await self.messages() if m.get("bot_id") and not _private(m)]
        return found[-1] if found else {"text": "", "ts": ""}

    async def shows(self, text: str) -> None:
        async def met() -> bool:
            return text in (await self.card())["text"]

        await self.until(met)

    async def says(self, text: str, channel: str = "C01") -> None:
        """Wait until something says so, also privately."""

        async def met() -> bool:
            return any(text in json.dumps(m) for m in await self.messages(channel))

        await self.until(met)

    async def until(self, met: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await met():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)


def _private(message: dict[str, Any]) -> bool:
    return message.get("subtype") == "ephemeral"


async def journeys(slack: Emulated) -> None:
    async with slack.open() as up:
        assert await up.send("Do you open on Sunday?") == 200
        await slack.shows("is unclaimed")
        step("post")
    async with slack.open():
        await slack.press("claim")
        await slack.shows("claimed by ana")
        step("claim by button after a restart")
    async with slack.open():
        await slack.do("slash_command", channel="C01", user="U1", command="/lib", text="release 1",
                       appId="A01")  # fmt: skip
        await slack.shows("is unclaimed")
        step("slash command")
    async with slack.open():
        await slack.do("reaction", channel="C01", ts=(await slack.card())["ts"], user="U2",
                       name="raised_hand", present=True)  # fmt: skip
        await slack.shows("claimed by ben")
        step("reaction")
    async with slack.open():
        await slack.press("close", user="U2")

        async def is_open() -> bool:
            return bool((await slack.state())["modalStack"])

        await slack.until(is_open)
        outcome = {"type": "static_select", "selected_option": {"value": "answered"}}
        await slack.do("view_submit", user="U2", values={"outcome": {"outcome": outcome}})
        await slack.shows("closed: answered, by ben")
        step("modal")
    async with slack.open():
        thread = (await slack.card())["ts"]
        await slack.do("post_message", channel="C01", user="U2", text=f"<@{BOT}> reopen",
                       thread_ts=thread)  # fmt: skip
        await slack.shows("is unclaimed")
        step("thread")
    async with slack.open():
        await two_at_once(slack)
        await at_home(slack)
        await by_direct_message(slack)
    await while_away(slack)


async def two_at_once(slack: Emulated) -> None:
    await asyncio.gather(slack.press("claim", "U1"), slack.press("claim", "U2"))
    await slack.shows("claimed by")
    await slack.says("has 1 since")
    step("two at once")


async def while_away(slack: Emulated) -> None:
    """What is done while staffbot does not run is heard at its next start."""
    async with slack.open() as up:
        assert await up.send("Do you lend seeds?") == 200
        await slack.shows("is unclaimed")
    ts = (await slack.card())["ts"]
    await slack.do("reaction", channel="C01", ts=ts, user="U2", name="raised_hand", present=True)
    async with slack.open():
        await slack.shows("claimed by ben")
        step("reaction while away")
    await slack.do("post_message", channel="C01", user="U2", text=f"<@{BOT}> release",
                   thread_ts=ts)  # fmt: skip
    async with slack.open():
        await slack.shows("is unclaimed")
        step("thread while away")


async def at_home(slack: Emulated) -> None:
    await slack.do("open_home", user="U1", appId="A01")

    async def drawn() -> bool:
        return "What would you like to do?" in json.dumps((await slack.state())["homeViews"])

    await slack.until(drawn)
    step("App Home")


async def by_direct_message(slack: Emulated) -> None:
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    url = f"{SLACK}/api/conversations.open"
    async with slack.session.post(url, json={"users": "U1"}, headers=headers) as answer:
        channel = (await answer.json())["channel"]["id"]
    await slack.do("post_message", channel=channel, user="U1", text="queue")
    await slack.says("unclaimed", channel)
    step("direct message")


def step(name: str) -> None:
    print(f"  {name}", flush=True)


async def main(mode: str, config: Path) -> None:
    settings = load(config, VARIABLES, plugins.networks(), plugins.doors())
    print(mode, flush=True)
    async with aiohttp.ClientSession() as session, await _page(session) as ui:
        await journeys(Emulated(session, ui, settings))


def before(binary: str, mode: str) -> None:
    """The journeys before a fresh workspace."""
    with tempfile.TemporaryDirectory() as folder:
        workspace, config = Path(folder, "workspace.yaml"), Path(folder, "config.toml")
        workspace.write_text(WORKSPACE.replace("MODE", "socket" if mode == "socket" else "events"))
        config.write_text(
            CONFIG.format(mode=mode, url=f"{SLACK}/api/").replace(
                "[public]\nport = 0", f"[public]\nport = {OUR_PORT}"
            )
        )
        with Path(folder, "slack.log").open("wb") as log:
            server = subprocess.Popen(
                [binary, "--config", workspace, "--port", str(SLACK_PORT), "--base-host", "127.0.0.1"],
                stdout=log, stderr=log, cwd=folder,
            )  # fmt: skip
            try:
                asyncio.run(main(mode, config))
            finally:
                server.terminate()
                server.wait(timeout=30)


async def _page(session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """A page of local-slack, once it is up."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await session.ws_connect(f"{SLACK}/ui")
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)


def bring_up_loopback() -> None:
    """A new network has its loopback switched off; there may be no `ip` to switch it on with."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, 0x8914, struct.pack("16sH14s", b"lo", 0x41, b""))  # SIOCSIFFLAGS


if __name__ == "__main__":
    bring_up_loopback()
    for one in ("socket", "http"):
        before(sys.argv[1], one)
