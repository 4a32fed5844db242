"""What comes in during the month, and when: by weekday and hour, with storms, threads and private ones.

Every word of a patron's holds WORD, so that a test can tell where any of it is shown.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from staffbot.model import IncomingMention, Kind, Patron, Role, Room, Visibility
from staffbot.secret import Secret
from staffbot.settings import (
    Delivery,
    DoorSettings,
    OpeningHours,
    Settings,
    SourceSettings,
    StaffMember,
    StoreSettings,
    Team,
    TeamRoom,
)

WORD = "quokka"
ZONE = ZoneInfo("Europe/Berlin")
FIRST_DAY = date(2026, 3, 2)  # a Monday; the clocks are put forward on the 29th
DAYS = 30
MENTIONS = 2000
CHANNEL = Room(platform="fake", id="desk")
BOARD = Room(platform="fake", id="board")

STAFF = ("ana", "ben", "cleo", "dev", "eva", "finn")
MANAGER, DEPUTY = "mia", "dora"

_BY_WEEKDAY = (1.3, 1.1, 1.0, 1.0, 1.1, 0.8, 0.5)
_BY_HOUR = (1, 1, 0, 0, 0, 1, 2, 4, 7, 9, 10, 10, 9, 8, 9, 10, 10, 9, 7, 6, 6, 5, 4, 2)
_ASKS = (
    "When do you open on Saturday?", "Is the reading room quiet today?", "My hold never came.",
    "Thank you for the story hour!", "Could you get more audiobooks?", "The lift is broken again.",
)  # fmt: skip


def settings(url: str) -> Settings:
    """One team with a channel and a board that takes figures only; six staff, a manager, a deputy."""

    def member(key: str, role: Role = Role.STAFF, *, shared: bool = False) -> StaffMember:
        return StaffMember(
            key=key, name=key.capitalize(), role=role, ids={"fake": key}, shared=shared
        )

    return Settings(
        library="Riverside Library",
        teams=(
            Team(
                key="adult",
                name="Adult services",
                rooms=(TeamRoom(room=CHANNEL), TeamRoom(room=BOARD, figures_only=True)),
                hours=OpeningHours(
                    weekly="Mo-Fr 09:00-13:00,14:00-18:00; Sa 10:00-14:00",
                    zone=ZONE,
                    country="DE",
                    subdivision="BE",
                ),
            ),
        ),
        staff=(
            *(member(key) for key in STAFF),
            member(MANAGER, Role.MANAGER),
            member(DEPUTY, Role.DEPUTY),
            member("desk", shared=True),
        ),
        sources=(
            SourceSettings(name="social", type="fake", label="Social"),
            SourceSettings(name="blog", type="fake", label="Blog", kind=Kind.COMMENT),
            SourceSettings(name="tags", type="fake", label="Tags", kind=Kind.HASHTAG),
        ),
        doors=(DoorSettings(platform="fake"),),
        store=StoreSettings(url=Secret(value=url), identity_key=Secret(value="k" * 32)),
        delivery=Delivery(edit_every=timedelta(0)),
    )


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of the library's wall clock, in UTC."""
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


# The chat platform does not answer; and the program does not run. The second day has no digest.
OUTAGES = (
    (local(date(2026, 3, 5), 16, 30), local(date(2026, 3, 5), 20, 15)),
    (local(date(2026, 3, 20), 17, 50), local(date(2026, 3, 23), 9, 5)),
)
DOWN = (
    (local(date(2026, 3, 14), 7), local(date(2026, 3, 15), 11)),
    (local(date(2026, 3, 18), 10), local(date(2026, 3, 18), 13)),
)
MISSED = (date(2026, 3, 14),)


def within(spans: tuple[tuple[datetime, datetime], ...], at: datetime) -> bool:
    return any(start <= at < end for start, end in spans)


@dataclass(slots=True)
class World:
    """Everything that patrons post, oldest first; follow-ups are posted while it runs."""

    chance: random.Random
    count: int = 0

    def month(self, mentions: int = MENTIONS) -> list[IncomingMention]:
        """The month's posts by the pattern of days and hours, with two storms among them."""
        moments = [self._moment() for _ in range(mentions - 50)]
        for day, hour in ((8, 15), (17, 11)):
            start = local(FIRST_DAY + timedelta(days=day), hour)
            moments += [start + timedelta(seconds=20 * n) for n in range(25)]
        return [self.post(at) for at in sorted(moments)]

    def _moment(self) -> datetime:
        weights = [_BY_WEEKDAY[(FIRST_DAY + timedelta(days=n)).weekday()] for n in range(DAYS)]
        day = FIRST_DAY + timedelta(days=self.chance.choices(range(DAYS), weights)[0])
        hour = self.chance.choices(range(24), _BY_HOUR)[0]
        return local(day, hour, self.chance.randrange(60)) + timedelta(
            seconds=self.chance.randrange(60)
        )

    def post(self, at: datetime) -> IncomingMention:
        """One post of a new conversation."""
        self.count += 1
        source = self.chance.choices(("social", "blog", "tags"), (6, 3, 2))[0]
        # As a source gives them, which has applied its own setting.
        kinds = {
            "social": (Kind.MENTION, Kind.REPLY, Kind.REVIEW, Kind.QUOTE),
            "tags": (Kind.HASHTAG,),
        }
        private = source == "social" and self.chance.random() < 0.05
        return IncomingMention(
            source=source,
            native_id=f"n{self.count}",
            kind=self.chance.choice(kinds.get(source, (Kind.COMMENT,))),
            text=f"{self.chance.choice(_ASKS)} {WORD}{self.count}",
            patron=Patron(name=f"{WORD} {self.count}", handle=f"@{WORD}{self.count}"),
            posted_at=at,
            permalink=f"https://social.example/{WORD}/{self.count}",
            conversation=f"c{self.count}",
            visibility=Visibility.PRIVATE if private else Visibility.PUBLIC,
        )

    def follow_up(self, first: IncomingMention, at: datetime) -> IncomingMention:
        """The same patron writes again in the same conversation."""
        self.count += 1
        return replace(
            first,
            native_id=f"n{self.count}",
            posted_at=at,
            text=f"And another thing, {WORD}{self.count}",
            permalink=f"https://social.example/{WORD}/{self.count}",
        )
