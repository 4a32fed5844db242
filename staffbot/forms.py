"""The forms that a verb asks where an argument is missing. Pure; fields are named as the slots are."""

from __future__ import annotations

from collections.abc import Sequence

from staffbot.messages import Field, Form, Quote
from staffbot.model import Outcome
from staffbot.words import OUTCOMES, count

Options = Sequence[tuple[str, str]]

# How a mention comes in that no network brings.
WAYS = (
    ("phone", "By phone"),
    ("desk", "At the desk"),
    ("paper", "On paper"),
    ("other", "Otherwise"),
)


def close(mention: int, topics: Sequence[str], *, chosen: str = "", at: str = "") -> Form:
    """Done…: with an outcome, topics and a note, and what was typed of them."""
    return Form(
        name="close",
        title=f"Close {mention}",
        mention=mention,
        submit="Close",
        fields=(
            _outcome(Outcome.ANSWERED),
            _topics(topics, chosen),
            *((_at(at),) if at else ()),
            _note(),
        ),
    )


def answered(mention: int, topics: Sequence[str]) -> Form:
    """Answered there: in the network's own app, at a time of its own."""
    return Form(
        name="answered",
        title=f"{mention} was answered",
        mention=mention,
        submit="Close",
        fields=(_at(), _topics(topics)),
    )


def _at(value: str = "") -> Field:
    return Field(
        name="at",
        label="When was it answered?",
        required=False,
        value=value,
        hint="14:30, 20m ago, yesterday 17:45; empty for now",
        max_length=40,
    )


def assign(mention: int, people: Options) -> Form:
    person = Field(name="person", label="To whom?", options=tuple(people))
    return Form(
        name="assign", title=f"Assign {mention}", mention=mention, submit="Assign", fields=(person,)
    )


def move(mention: int, teams: Options) -> Form:
    team = Field(name="team", label="To which team?", options=tuple(teams))
    return Form(
        name="move", title=f"Move {mention}", mention=mention, submit="Move", fields=(team,)
    )


def note(mention: int) -> Form:
    text = Field(
        name="text", label="Note for colleagues", multiline=True, hint="The patron never sees it."
    )
    return Form(
        name="note", title=f"Note on {mention}", mention=mention, submit="Save", fields=(text,)
    )


def reply(
    mention: int,
    network: str,
    quote: Quote,
    *,
    text: str,
    hint: str,
    seen: str,
    standing: str,
    services: Options,
) -> Form:
    """Answer the patron on their network. Choosing a service puts what is said of it into the text,
    to be looked at before it goes out; so the form comes back once more."""
    fields = [
        Field(
            name="text",
            label="Your answer",
            multiline=True,
            required=not services,
            value=text,
            hint=hint,
        )
    ]
    if services:
        fields.append(
            Field(
                name="saved",
                label="Put in what is said of a service",
                options=tuple(services),
                required=False,
            )
        )
    # What the person has seen, sent back with the words: so that two at once are told.
    fields.append(Field(name="seen", label="It is", options=((seen, standing),), value=seen))
    return Form(
        name="reply",
        title=f"Answer {mention} on {network}",
        mention=mention,
        submit="Send",
        fields=tuple(fields),
        quote=quote,
    )


def mute(mention: int | None, who: str = "") -> Form:
    """Who writes is not shown in the channel for a while."""
    until = Field(
        name="until",
        label="Until when?",
        value="30d",
        hint="New posts come without a card and without a clock until then: 7d, mon 9am",
        max_length=40,
    )
    fields: tuple[Field, ...] = (until,)
    if mention is None:
        author = Field(name="author", label="Whom?", value=who, hint="@name, or a mention's number")
        fields = (author, until)
    return Form(name="mute", title="Mute an author", mention=mention, submit="Mute", fields=fields)


def link(mention: int) -> Form:
    other = Field(name="other", label="Which other mention?", hint="Its number", max_length=300)
    return Form(
        name="link", title=f"Link {mention}", mention=mention, submit="Link", fields=(other,)
    )


def hand_over(mention: int | None, people: Options) -> Form:
    """To the team first, as that is what most people mean."""
    person = Field(
        name="person", label="To whom?", options=(("team", "The team"), *people), value="team"
    )
    what = f"{mention}" if mention else "everything"
    return Form(
        name="hand_over",
        title=f"Hand over {what}",
        mention=mention,
        submit="Hand over",
        fields=(person,),
    )


def snooze(mention: int) -> Form:
    until = Field(
        name="until",
        label="No reminders until when?",
        value="opening",
        hint="2h, 16:30, tomorrow, mon 9am, opening; or patron, to wait for the patron",
        max_length=40,
    )
    return Form(
        name="snooze", title=f"Snooze {mention}", mention=mention, submit="Snooze", fields=(until,)
    )


def away() -> Form:
    until = Field(
        name="until", label="Away until when?", hint="tomorrow, mon 9am, 2026-12-28", max_length=40
    )
    return Form(name="away", title="Away", submit="Be away", fields=(until,))


def log() -> Form:
    """A phone call or a paper note becomes a mention like any other."""
    fields = (
        Field(name="text", label="What was said or asked?", multiline=True, max_length=10_000),
        Field(name="how", label="How did it come?", options=WAYS, value="phone"),
        Field(name="who", label="Who asked?", required=False, hint="A name, if it is needed."),
        Field(
            name="expects",
            label="Is an answer expected?",
            options=(("yes", "Yes"), ("no", "No")),
            value="yes",
        ),
    )
    return Form(name="log", title="Log a mention", submit="Log", fields=fields)


def close_all(storm: str, many: int) -> Form:
    """Closes many at once, so it says how many and asks."""
    which = Field(name="storm", label="Storm", value=storm, options=((storm, f"Storm {storm}"),))
    return Form(
        name="close_all",
        title=f"Close {count(many, 'mention')}",
        submit="Close all",
        fields=(which, _outcome(Outcome.NO_ANSWER_NEEDED)),
    )


def _outcome(first: Outcome) -> Field:
    return Field(
        name="outcome",
        label="Outcome",
        options=tuple((outcome.value, label.capitalize()) for outcome, label in OUTCOMES.items()),
        value=first.value,
    )


def _topics(topics: Sequence[str], chosen: str = "") -> Field:
    return Field(
        name="topics",
        label="Topics",
        options=tuple((topic, topic.capitalize()) for topic in topics),
        many=True,
        required=False,
        value=chosen,
    )


def _note() -> Field:
    return Field(name="note", label="Note for colleagues", multiline=True, required=False)
