"""Pictures for the guides: a scripted day of the whole program, in headless Chromium.

`make pictures` writes docs/images anew. Nothing compares them; look at them before you commit.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from selenium.webdriver.common.by import By

from staffbot.demo.patrons import signed
from tests.browser import Page, browsing
from tests.library import HandClock
from tests.staffbot.house import SECRET, Running, running, settings_in

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
MOST_BYTES = 120_000
PHONE, DESK = 420, 760

_SOURCES = {
    "mastodon": ("Mastodon", "mention"),
    "facebook": ("Facebook", "comment"),
    "reviews": ("Google reviews", "review"),
    "blog": ("the library blog", "comment"),
    "form": ("the contact form", "message"),
}
_HOUSE = """\
library = "Riverside Library"

[hours]
weekly = "Mo-Fr 09:00-18:00; Sa 10:00-14:00"
zone = "Europe/London"

[local]
port = 0

[public]
port = 0

[metrics]
port = 0

[[rooms]]
platform = "local"
id = "team"

[[staff]]
key = "ana"
name = "Ana Silva"
ids = { local = "ana" }

[[staff]]
key = "ben"
name = "Ben Okafor"
ids = { local = "ben" }

[[staff]]
key = "mia"
name = "Mia Lang"
role = "manager"
ids = { local = "mia" }
"""


def _config() -> str:
    tables = (
        f'[[sources]]\nname = "{name}"\ntype = "webhook"\nlabel = "{label}"\nkind = "{kind}"\n'
        'secrets = ["STAFFBOT_WEBHOOK_SECRET"]\n'
        for name, (label, kind) in _SOURCES.items()
    )
    return "\n".join([_HOUSE, *tables])


def at(day: date, clock: str) -> datetime:
    """A moment of the library's wall clock; in winter London is at UTC."""
    return datetime.combine(day, time.fromisoformat(clock), UTC)


@dataclass(slots=True)
class Day:
    """A library that is up, its clock, and a browser that looks at it."""

    house: Running
    clock: HandClock
    page: Page
    posted: int = field(default=0)

    async def post(self, source: str, name: str, text: str, **more: Any) -> int:
        """A patron writes; the mention's number, once its card stands in the channel."""
        self.posted += 1
        id_ = f"post-{self.posted}"
        mention = {
            "id": id_,
            "text": text,
            "author": {"name": name},
            "language": "en",
            "posted_at": (self.clock.now - timedelta(minutes=1)).isoformat(),
            "permalink": f"https://{source}.example/{id_}",
        }
        body = json.dumps(mention | more).encode()
        url = f"{self.house.public}/hooks/{source}"
        headers = signed(SECRET, id_, body)
        async with self.house.session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
        return self.posted

    async def says(self, user: str, text: str) -> None:
        """Somebody types it."""
        said = await self.house.command(user, text)
        assert '"error"' not in said, said

    async def shown(self, number: int) -> None:
        await self.house.until(lambda found: any(one["mention"] == number for one in found))

    async def told(self, user: str, words: str) -> None:
        """Wait until somebody is told it directly; the program looks every few seconds."""
        url = f"{self.house.page}api/channel?user={user}"
        async with asyncio.timeout(120):
            while True:
                async with self.house.session.get(url) as answer:
                    if words in json.dumps((await answer.json())["direct"]):
                        return
                await asyncio.sleep(0.2)

    async def digest(self, today: date) -> None:
        """Wait for the day's digest."""
        await self.channel_says("Good morning", today)

    async def channel_says(self, words: str, today: date = date.min) -> None:
        """Wait until the channel says so; the program looks every few seconds."""
        async with asyncio.timeout(120):
            while not any(  # noqa: ASYNC110 - the ticker rings in its own time
                words in one["text"] and one["at"] >= today.isoformat()
                for one in await self.house.channel()
            ):
                await asyncio.sleep(0.2)

    async def look(self, user: str, width: int, height: int = 1500, pane: str = "channel") -> None:
        """Open the page as somebody, in British dates and at the library's time."""
        for command, said in (
            ("Emulation.setLocaleOverride", {"locale": "en-GB"}),
            ("Emulation.setTimezoneOverride", {"timezoneId": "Europe/London"}),
        ):
            await self.page.do(lambda c, m=command, p=said: c.execute_cdp_cmd(m, p))  # type: ignore[misc]
        await self.page.open(self.house.page, width=width, height=height)
        await self.page.script(f"localStorage.setItem('me', '{user}')")
        size = {
            "width": width,
            "height": height,
            "deviceScaleFactor": 2 if width < 500 else 1,
            "mobile": width < 500,
        }
        await self.page.do(lambda c: c.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size))
        await self.page.do(lambda c: c.get(self.house.page))
        await self.page.until("return document.body.dataset.ready === 'yes'")
        await self.page.script(f"document.querySelector('[data-pane={pane}]')?.click()")

    async def take(self, name: str, css: str) -> None:
        """One element of the page, as it is now."""
        await asyncio.sleep(0.7)  # what comes in fades in
        await self.page.until("return document.querySelector(arguments[0]) !== null", css)
        path = IMAGES / f"{name}.png"
        await self.page.script(
            "document.querySelector(arguments[0]).scrollIntoView({block: 'nearest'})", css
        )
        await self.page.do(lambda c: c.find_element(By.CSS_SELECTOR, css).screenshot(str(path)))
        with Image.open(path) as picture:
            picture.convert("RGB").quantize(128).save(path, optimize=True)
        size = path.stat().st_size
        print(f"{path.name}: {size / 1000:.0f} kB")
        assert size < MOST_BYTES, f"{path} is too large for the repository"


@asynccontextmanager
async def opened(folder: Path, began: datetime) -> AsyncIterator[Day]:
    clock = HandClock(began)
    os.environ["STAFFBOT_WEBHOOK_SECRET"] = SECRET
    with browsing(folder / "chromium") as chrome:
        async with running(settings_in(folder, _config()), clock=clock) as house:
            day = Day(house, clock, Page(chrome))
            yield day
            await day.page.do(lambda c: c.get("about:blank"))


_ASKED = (
    ("mastodon", "Can I bring my own sandwiches into the café?"),
    ("facebook", "Is the reading room open on bank holidays?"),
    ("form", "My hold has been in transit for two weeks."),
    ("blog", "Could the next book club be in the evening?"),
    ("reviews", "Friendly staff, cold reading room."),
    ("mastodon", "Do you lend sewing machines?"),
)


async def weeks_before(day: Day, today: date) -> None:
    """Two weeks of ordinary work, so that there is something to count."""
    chance = random.Random(7)
    acts: list[tuple[datetime, str, int]] = []
    number = 0
    for back in range(15, 0, -1):
        then = today - timedelta(days=back)
        if then.weekday() >= 5:
            continue
        for _ in range(chance.randint(2, 5) if back > 1 else 7):
            came = at(then, "09:10") + timedelta(minutes=chance.randrange(300))
            acts.append((came, "post", number))
            number += 1
    acts.sort()
    claims = [(came, index) for index, (came, _, _) in enumerate(acts, start=1)]
    for came, index in claims:
        claimed = came + timedelta(minutes=chance.choice((6, 14, 25, 40, 75, 130)))
        acts.append((claimed, "claim", index))
        acts.append(
            (claimed + timedelta(minutes=chance.choice((8, 20, 45, 90, 140))), "done", index)
        )
    topics = ("", "", " idea", " thanks", " question", " complaint")
    digest_at = at(today - timedelta(days=1), "09:11")
    for moment, act, index in sorted(acts):
        if moment > digest_at > day.clock.now:
            day.clock.now = digest_at
            await day.digest(digest_at.date())
        day.clock.now = max(day.clock.now, moment)
        if act == "post":
            source, text = chance.choice(_ASKED)
            await day.post(source, "A patron", text)
        else:
            more = chance.choice(topics) if act == "done" else ""
            await day.says(("ana", "ben")[index % 2], f"{act} {index}{more}")


async def morning(day: Day, today: date) -> None:
    """What came in overnight, and the digest."""
    day.clock.now = at(today - timedelta(days=1), "20:15")
    await day.post(
        "reviews", "A. Becker", "Lovely building, but the reading room closes at six.",
        title="★★☆☆☆",
    )  # fmt: skip
    day.clock.now = at(today, "08:20")
    late = await day.post(
        "form", "Hannah Brandt", "I lost my library card on the tram. Can you block it?",
        private=True,
    )  # fmt: skip
    await day.shown(late)
    day.clock.now = at(today, "09:11")
    await day.digest(today)
    await day.look("ana", DESK)
    number = "[...document.querySelectorAll('#messages article')].findLast("
    await day.page.script(
        f"{number}(one) => one.innerText.includes('Good morning')).dataset.picture = 'digest'"
    )
    await day.take("digest", "[data-picture=digest]")


async def at_the_desk(day: Day, today: date) -> None:
    """One card from its coming in to done."""
    day.clock.now = at(today, "10:05")
    lift = await day.post(
        "facebook", "Denise Kowalski",
        "Third week in a row that the lift at Riverside is out of order. My mother is in a "
        "wheelchair and had to turn back. Who do I talk to about this?",
        media=[{"url": "https://facebook.example/lift.jpg",
                "alt": "A paper sign on a lift door: Out of order, please use the stairs"}],
    )  # fmt: skip
    await day.shown(lift)
    card = f"#messages article[data-mention='{lift}']"
    day.clock.now = at(today, "10:07")
    await day.look("ana", PHONE)
    await day.take("card", card)
    await day.look("ana", PHONE, 820)
    await day.page.click(f"{card} [data-control=claim]")
    await day.page.says(f"{card} .facts", "Ana Silva")
    await day.take("claimed", "#channel")
    await day.look("ana", PHONE)
    await day.take("private", f"#messages article[data-mention='{lift - 1}']")


async def reminders(day: Day, today: date) -> None:
    """What Ana has claimed is due soon, and something waits for somebody."""
    day.clock.now = at(today, "10:20")
    second = await day.post("mastodon", "Jo Adeyemi", "@riverside is the author evening full?")
    await day.shown(second)
    await day.says("ana", f"claim {second}")
    day.clock.now = at(today, "13:30")
    await day.told("ana", "to answer")
    await day.channel_says("for someone to take")
    await day.look("ana", PHONE, pane="direct")
    await day.take("reminder", "#directs article")


async def closing_early(day: Day, today: date) -> None:
    day.clock.now = at(today, "13:40")
    await day.look("ben", PHONE, 560)
    await day.page.type("#line", 'hours close until 15:00 "burst pipe"\n')
    await day.page.says("#answers article", "15:00")
    await day.page.says("#messages article:not([data-mention])", "burst pipe")
    await day.take("hours", "#channel")


async def overheard(day: Day, today: date) -> None:
    """What was said about the library, and to nobody."""
    day.clock.now = at(today, "15:10")
    haul = await day.post(
        "mastodon", "shelfie.sam",
        "Sunday haul from the best place in town 📚☕ #RiversideReads #librarylove", kind="hashtag",
    )  # fmt: skip
    await day.shown(haul)
    await day.look("ana", PHONE)
    await day.take("heard", f"#messages article[data-mention='{haul}']")


async def figures(day: Day, today: date) -> None:
    day.clock.now = at(today, "15:30")
    await day.look("mia", DESK, 1900)
    await day.page.type("#line", "stats 30d by source chart\n")
    await day.page.until("return document.querySelector('#answers img')?.complete")
    await day.page.script("document.getElementById('answers').style.maxHeight = 'none'")
    await day.take("figures", "#answers article")


async def main() -> None:
    today = date(2026, 3, 3)  # a Tuesday
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder), at(today - timedelta(days=15), "09:00")) as day:
            await weeks_before(day, today)
            await morning(day, today)
            await at_the_desk(day, today)
            await reminders(day, today)
            await closing_early(day, today)
            await overheard(day, today)
            await figures(day, today)


if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    sys.exit(asyncio.run(main()))
