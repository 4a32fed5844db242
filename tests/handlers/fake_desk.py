"""A working fake of `seams.Desk` for doors: a few mentions in memory, claimed and closed by name.

It posts nothing by itself: `shown` answers what a card says now, as the real desk does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from staffbot.messages import (
    Button,
    Byline,
    Choice,
    Control,
    Facts,
    Field,
    Form,
    Heading,
    Message,
    OpenLink,
    Paragraph,
    Part,
    Picture,
    Quote,
    Reply,
    Row,
    When,
    Who,
    say,
)
from staffbot.model import Actor, Media, Patron, Person, Role, Room
from staffbot.seams import Completion, Mark

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
PEOPLE = (
    Person(key="ana", name="Ana Silva", ids={"local": "ana"}),
    Person(key="ben", name="Ben Okafor", ids={"local": "ben"}),
    Person(key="mia", name="Mia Lang", role=Role.MANAGER, ids={"local": "mia"}),
    Person(key="desk", name="Front desk", shared=True, ids={"local": "desk"}),
    Person(key="sly", name="Only on Slack", ids={"slack": "U1"}),
)
VERBS = {"claim": "take a mention", "queue": "what waits", "help": "every command", "note": "…"}
OUTCOMES = (("answered", "Answered"), ("spam", "Spam"))
TOPICS = (("idea", "Idea"), ("thanks", "Thanks"))


@dataclass(slots=True)
class Told:
    """A mention of the fake."""

    number: int
    text: str
    name: str = "Lena P."
    network: str = "Mastodon"
    language: str = ""
    media: tuple[Media, ...] = ()
    owner: str = ""
    outcome: str = ""


@dataclass(slots=True)
class FakeDesk:
    """What was asked of it stands in `asked`, oldest first."""

    mentions: dict[int, Told] = field(default_factory=dict)
    people: Sequence[Person] = PEOPLE
    asked: list[tuple[str, ...]] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)
    refuses: str = ""  # why no form is taken
    kept: dict[str, datetime] = field(default_factory=dict)
    rooms_opened: list[Room] = field(default_factory=list)
    known: dict[str, datetime | None] = field(default_factory=dict)  # acts that last

    def tell(self, text: str, **more: object) -> int:
        number = len(self.mentions) + 1
        self.mentions[number] = Told(number, text, **more)  # type: ignore[arg-type]
        return number

    def card(self, number: int) -> Message:
        told = self.mentions[number]
        title = f"#{number} · Mention on {told.network}"
        if told.outcome:
            by: Paragraph = Paragraph(line=(f"{told.outcome.capitalize()}, by {told.owner}",))
            parts: tuple[Part, ...] = (Paragraph(line=(title,)), by)
            said = f"Mention {number} is closed: {told.outcome}."
            reopen = Button(name="reopen", label="Reopen", mention=number)
            return Message(
                text=said, parts=parts, controls=(reopen,), mention=number, collapsed=True
            )
        state = f"Claimed by {told.owner}" if told.owner else "Unclaimed"
        parts = (
            Heading(text=title),
            Byline(patron=Patron(name=told.name, handle="@lena@example.social"), network=told.network),
            Quote(text=told.text, permalink="https://social.example/1", language=told.language),
            *(Picture(media=media) for media in told.media),
            Facts(pairs=(("State", (state,)), ("Due", ("Answer by ", When(at=NOON, plain="12:00"))))),
        )  # fmt: skip
        return Message(
            text=f"Mention {number} is {state.lower()}.",
            parts=parts,
            controls=self._controls(told),
            mention=number,
        )

    def _controls(self, told: Told) -> tuple[Control, ...]:
        first = Button(name="claim", label="Claim", mention=told.number, primary=True)
        if told.owner:
            first = Button(name="done", label="Done…", mention=told.number, primary=True)
        people = tuple((person.key, person.name) for person in self.people)
        return (
            first,
            OpenLink(label="Open post", url="https://social.example/1"),
            Choice(name="assign", label="Assign", options=people, mention=told.number),
            Button(name="private", label="Keep private", mention=told.number, more=True),
        )

    async def command(self, actor: Actor, text: str) -> Reply:
        if actor.lasting and not self._first(actor):
            return replace(say("That was done already."), old=True)
        self._note("command", actor, text)
        verb, _, rest = text.partition(" ")
        if verb == "queue":
            rows = tuple(
                Row(
                    line=(f"#{number} · waits · ", Who(key="ana", name="Ana Silva")),
                    mention=number,
                    controls=(Button(name="claim", label="Claim", mention=number),),
                )
                for number in self.mentions
            )
            return Message(text=f"{len(rows)} wait.", parts=rows)
        if verb == "claim" and rest.isdigit():
            return await self.press(actor, "claim", int(rest))
        return say(f"There is no command “{verb}”. Did you mean `/lib claim`?")

    async def press(
        self, actor: Actor, control: str, mention: int | None = None, value: str = ""
    ) -> Reply:
        self._note("press", actor, control, str(mention), value)
        told = self.mentions.get(mention or 0)
        if control == "claim" and told is not None:
            if told.owner:
                return say(f"{told.owner} has {told.number}.")
            told.owner = actor.name
            undo = Button(name="undo", label="Undo", mention=told.number, value="7")
            return say(f"You have {told.number}.", controls=[undo])
        if control == "done" and told is not None:
            fields = (
                Field(name="outcome", label="Outcome", options=OUTCOMES, value="answered"),
                Field(name="topics", label="Topics", options=TOPICS, many=True, required=False),
                Field(name="note", label="Note", multiline=True, required=False),
            )
            return Form(
                name="done",
                title=f"Close {told.number}",
                fields=fields,
                submit="Close it",
                mention=told.number,
            )
        return say(f"{control} was pressed.")

    async def submit(
        self, actor: Actor, form: str, mention: int | None, values: Mapping[str, str | list[str]]
    ) -> Reply:
        self._note("submit", actor, form, str(mention), repr(dict(values)))
        if self.refuses:
            return replace(say(self.refuses), refused=True)
        told = self.mentions[mention or 0]
        told.outcome = str(values["outcome"])
        return say(f"Mention {mention} is closed.")

    async def complete(self, actor: Actor, text: str) -> Sequence[Completion]:
        self._note("complete", actor, text)
        return [Completion(text=v, help=does) for v, does in VERBS.items() if v.startswith(text)]

    async def shown(self, key: str) -> Message | None:
        kind, _, rest = key.partition(":")
        number = rest.partition(":")[0]
        if kind != "card" or not number.isdigit() or int(number) not in self.mentions:
            return None
        return self.card(int(number))

    async def staff(self) -> Sequence[Person]:
        return self.people

    async def last_heard(self, platform: str) -> datetime | None:
        return self.kept.get(platform)

    async def heard(self, platform: str, at: datetime) -> None:
        self.kept[platform] = at

    async def unheard(self, marks: Sequence[Mark]) -> Sequence[Mark]:
        return [mark for mark in marks if mark.act not in self.known]

    async def noted(self, marks: Sequence[Mark]) -> None:
        for mark in marks:
            self.known.setdefault(mark.act, None)

    async def opened(self, room: Room) -> None:
        self.rooms_opened.append(room)

    def _first(self, actor: Actor) -> bool:
        if actor.act in self.known:
            known = self.known[actor.act]
            if actor.at is None or known is None or known >= actor.at:
                return False
        self.known[actor.act] = actor.at
        return True

    def _note(self, what: str, actor: Actor, *more: str) -> None:
        self.asked.append((what, actor.user_id, *more))
        self.rooms.append(actor.room.id if actor.room else "")
