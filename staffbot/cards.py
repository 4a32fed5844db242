"""The card of a mention, from its facts. Pure; knows no database and no platform.

A patron's words stand only in Byline, Quote and Picture, and not at all where the mention is kept
private and the reader is not one who may see them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from staffbot.messages import (
    Button,
    Byline,
    Control,
    Facts,
    Heading,
    Line,
    Link,
    Message,
    OpenLink,
    Paragraph,
    Part,
    Picture,
    Quote,
    When,
    Who,
    plain,
)
from staffbot.model import Mention, Outcome, Status, Words
from staffbot.words import (
    OUTCOMES,
    a,
    count,
    duration,
    kind_on,
    language,
    listed,
    moment,
    number,
    sentence,
    web,
)

# A conversation's last follow-ups are shown; `show` has them all.
FOLLOW_UPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What a card is made from.

    words        None where they were erased
    show_words   False: kept private, and the reader is the open channel
    team         the team's name, empty in a house of one team
    owner        who has it; of a closed one, who closed it
    """

    mention: Mention
    words: Words | None
    network: str
    team: str
    zone: ZoneInfo
    owner: Who | None = None
    linked: tuple[int, ...] = ()
    show_words: bool = True
    several_teams: bool = False

    def when(self, at: datetime) -> When:
        return When(at=at, plain=moment(at, self.zone))

    @property
    def kind(self) -> str:
        return kind_on(self.mention.kind, self.network)

    @property
    def withheld(self) -> bool:
        return self.mention.private and not self.show_words

    @property
    def permalink(self) -> str:
        """The address of the post, where the reader may have it and a browser can open it."""
        if self.words is None or self.withheld or self.mention.deleted_at is not None:
            return ""
        return web(self.words.permalink)


def card(facts: CardFacts) -> Message:
    """What a room shows of a mention: open, claimed, or closed and collapsed."""
    if facts.mention.status is Status.CLOSED:
        return _collapsed(facts)
    return Message(
        text=said(facts),
        parts=body(facts),
        controls=controls(facts),
        mention=facts.mention.number,
    )


def moved_card(facts: CardFacts) -> Message:
    """What is left in the room of a team that moved the mention on."""
    title = f"{number(facts.mention.number)} · {_capital(facts.kind)}"
    where = f"Moved to {facts.team or 'another team'}."
    return Message(
        text=f"Mention {facts.mention.number} was moved to {facts.team or 'another team'}.",
        parts=(Paragraph(line=(title,)), Paragraph(line=(where,), quiet=True)),
        mention=facts.mention.number,
        collapsed=True,
    )


def said(facts: CardFacts) -> str:
    """The card as one sentence, without a word of the patron's."""
    mention = facts.mention
    where = f" for {facts.team}" if facts.team else ""
    what = f"Mention {mention.number}, {a(facts.kind)}{where}, is {_standing(facts)}"
    due = plain(_due(facts))
    return sentence(f"{what}; {due[:1].lower()}{due[1:]}")


def body(facts: CardFacts) -> tuple[Part, ...]:
    """The parts of an open or claimed card, and of what `show` shows."""
    parts: list[Part] = [Heading(text=_title(facts)), Paragraph(line=_written(facts), quiet=True)]
    parts += _patron(facts)
    parts.append(Facts(pairs=_pairs(facts)))
    parts += [Paragraph(line=line, quiet=True) for line in _remarks(facts)]
    return tuple(parts)


def controls(facts: CardFacts) -> tuple[Control, ...]:
    """At most four in sight, and the others under the overflow menu."""
    mention = facts.mention

    def button(name: str, label: str, *, primary: bool = False) -> Button:
        return Button(name=name, label=label, mention=mention.number, primary=primary)

    if mention.status is Status.CLOSED:
        return (button("reopen", "Reopen"),)
    first: list[Control] = []
    if mention.status is Status.OPEN:
        first.append(button("claim", "Claim", primary=True))
        if facts.permalink:
            first.append(OpenLink(label="Open post", url=facts.permalink))
        first.append(button("close", "Done…"))
    else:
        first.append(button("done", "Done", primary=True))
        first.append(button("answered", "Answered there"))
        first.append(button("release", "Release"))
    if facts.withheld:
        first.insert(1, button("read", "Read privately"))
    return (*first, *_more(facts))


def _more(facts: CardFacts) -> list[Control]:
    mention = facts.mention
    claimed = mention.status is Status.CLAIMED
    private = ("public", "Show words again") if mention.private else ("private", "Keep private")
    clock = (
        ("heard", "No answer expected")
        if mention.expects_answer
        else ("expects", "Needs an answer")
    )
    choices = [
        ("close", "Done with outcome…") if claimed else None,
        ("assign", "Assign…"),
        ("move", "Move…") if facts.several_teams else None,
        ("note", "Note…"),
        private,
        ("thanks", "Just thanks"),
        ("not_for_us", "Not for us"),
        clock,
        ("link", "Link…"),
        ("why", "Why here?"),
        ("show", "Notes and history"),
    ]
    return [
        Button(name=choice[0], label=choice[1], mention=mention.number, more=True)
        for choice in choices
        if choice is not None
    ]


# --- the parts ----------------------------------------------------------------------------------


def _title(facts: CardFacts) -> str:
    team = f" · {facts.team}" if facts.team else ""
    return f"{number(facts.mention.number)} · {_capital(facts.kind)}{team}"


def _written(facts: CardFacts) -> Line:
    line: list[str | When | Link] = ["Written ", facts.when(facts.mention.posted_at)]
    spoken = language(facts.mention.language)
    if spoken:
        line.append(f", in {spoken}")
    if facts.permalink and facts.mention.status is not Status.OPEN:
        line += [" · ", Link(label="Open post", url=facts.permalink)]
    return tuple(line)


def _patron(facts: CardFacts) -> list[Part]:
    """The only parts that hold a patron's words."""
    words = facts.words
    if facts.mention.deleted_at is not None:
        gone: Line = ("Withdrawn by the patron ", facts.when(facts.mention.deleted_at), ".")
        return [Paragraph(line=gone)]
    if words is None:
        return [Paragraph(line=("The words were erased.",))]
    if facts.withheld:
        return [Paragraph(line=("Kept private: the words are not shown in this channel.",))]
    parts: list[Part] = [Byline(patron=words.patron, network=facts.network)]
    if words.in_reply_to:
        parts.append(Quote(text=words.in_reply_to, label="In answer to"))
    parts.append(
        Quote(text=_text(words), permalink=facts.permalink, language=facts.mention.language)
    )
    parts += [Picture(media=media) for media in words.media]
    earlier = len(words.follow_ups) - FOLLOW_UPS
    if earlier > 0:
        parts.append(
            Paragraph(line=(f"{count(earlier, 'earlier message')} not shown.",), quiet=True)
        )
    for at, text in words.follow_ups[-FOLLOW_UPS:]:
        parts.append(Quote(text=text, label=f"Wrote again {moment(at, facts.zone)}"))
    return parts


def _text(words: Words) -> str:
    if words.title and not words.text.startswith(words.title):
        return f"{words.title}\n{words.text}".rstrip()
    return words.text


def _pairs(facts: CardFacts) -> tuple[tuple[str, Line], ...]:
    mention = facts.mention
    pairs: list[tuple[str, Line]] = [("State", _state(facts)), ("Due", _due(facts))]
    if mention.expects_answer or facts.owner is not None:
        pairs.append(("Owner", (facts.owner,) if facts.owner else ("Nobody yet",)))
    notes = len(facts.words.notes) if facts.words else 0
    if notes:
        pairs.append(("Notes", (count(notes, "note"),)))
    if facts.linked:
        pairs.append(("Linked", (listed([number(other) for other in facts.linked]),)))
    if mention.topics:
        pairs.append(("Topics", (", ".join(mention.topics),)))
    return tuple(pairs)


def _state(facts: CardFacts) -> Line:
    mention = facts.mention
    if mention.status is Status.CLOSED:
        return _closing(facts)
    state: Line = ("Unclaimed",)
    if mention.status is Status.CLAIMED:
        state = ("Claimed ", facts.when(mention.claimed_at)) if mention.claimed_at else ("Claimed",)
    if mention.waiting_since is not None:
        return (*state, "; waiting for the patron since ", facts.when(mention.waiting_since))
    if mention.snoozed_until is not None:
        return (*state, "; snoozed until ", facts.when(mention.snoozed_until))
    return state


def _due(facts: CardFacts) -> Line:
    mention = facts.mention
    if not mention.expects_answer:
        return ("No clock: no answer is expected",)
    if mention.status is Status.CLOSED:
        return ("Nothing more",)
    if mention.answered_at is not None:
        return ("Answered ", facts.when(mention.answered_at))
    if mention.waiting_since is not None:
        return ("The clock stands still until the patron writes",)
    line: list[str | When] = []
    if mention.status is Status.OPEN and mention.claim_due_at is not None:
        line += ["Claim by ", facts.when(mention.claim_due_at)]
    if mention.answer_due_at is not None:
        line += ["; answer by " if line else "Answer by ", facts.when(mention.answer_due_at)]
    return tuple(line) or ("No time is set",)


def _remarks(facts: CardFacts) -> list[Line]:
    lines: list[Line] = []
    if facts.mention.edited_at is not None and facts.mention.deleted_at is None:
        lines.append(("Edited by the patron ", facts.when(facts.mention.edited_at), "."))
    if facts.words is not None and facts.words.held:
        lines.append(("Held for moderation on the network: not public there yet.",))
    if facts.mention.private and not facts.withheld:
        lines.append(("Kept private: please do not quote it in an open channel.",))
    return lines


# --- closed -------------------------------------------------------------------------------------


def _collapsed(facts: CardFacts) -> Message:
    mention = facts.mention
    who = f"Mention {mention.number}, {a(facts.kind)}, is closed: {_outcome(mention)}"
    return Message(
        text=sentence(f"{who}, by {facts.owner.name}" if facts.owner else who),
        parts=(
            Paragraph(line=(_title(facts),)),
            Paragraph(line=_closing(facts), quiet=True),
        ),
        controls=controls(facts),
        mention=mention.number,
        collapsed=True,
    )


def _closing(facts: CardFacts) -> Line:
    """Answered by Ana, Tue 3 Mar 14:30 · idea, thanks."""
    mention = facts.mention
    line: list[str | When | Who] = [_capital(_outcome(mention))]
    if facts.owner is not None:
        line += [", by ", facts.owner]
    at = mention.answered_at if mention.outcome is Outcome.ANSWERED else None
    at = at or mention.closed_at
    if at is not None:
        line += [", ", facts.when(at)]
    if mention.topics:
        line.append(f" · {', '.join(mention.topics)}")
    if mention.deleted_at is not None:
        line.append(" · withdrawn by the patron")
    return tuple(line)


def _outcome(mention: Mention) -> str:
    return OUTCOMES[mention.outcome] if mention.outcome else "no outcome"


def _standing(facts: CardFacts) -> str:
    match facts.mention.status:
        case Status.OPEN:
            return "unclaimed"
        case Status.CLAIMED:
            return f"claimed by {facts.owner.name}" if facts.owner else "claimed"
        case Status.CLOSED:
            return "closed"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- a storm ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StormFacts:
    """Many mentions at once, shown as one live card."""

    storm: int
    team: str
    zone: ZoneInfo
    began_at: datetime
    last_at: datetime
    calmed_at: datetime | None
    total: int
    unclaimed: int
    claimed: int
    networks: Sequence[tuple[str, int]]


def storm_card(facts: StormFacts) -> Message:
    """One card for all of them; the next five at a time, or all closed at once."""
    where = f" for {facts.team}" if facts.team else ""
    within = duration(facts.last_at - facts.began_at)
    mentions = count(facts.total, "mention")
    closed = facts.total - facts.unclaimed - facts.claimed
    stand = f"{facts.unclaimed} unclaimed, {facts.claimed} claimed, {closed} closed"
    began = When(at=facts.began_at, plain=moment(facts.began_at, facts.zone))
    lines: list[Part] = [
        Heading(text=f"{mentions} at once{where}"),
        Paragraph(line=("Since ", began, f", within {within}.")),
        Facts(
            pairs=(
                ("State", (stand,)),
                ("From", (listed([f"{name} {many}" for name, many in facts.networks]),)),
            )
        ),
    ]
    if facts.calmed_at is not None:
        calmed = When(at=facts.calmed_at, plain=moment(facts.calmed_at, facts.zone))
        lines.append(Paragraph(line=("It calmed down ", calmed, "."), quiet=True))
    done = not facts.unclaimed and not facts.claimed
    return Message(
        text=sentence(f"{mentions} came at once{where}: {stand}"),
        parts=tuple(lines),
        controls=() if done else _storm_controls(facts),
        collapsed=done,
    )


def _storm_controls(facts: StormFacts) -> tuple[Control, ...]:
    value = str(facts.storm)
    take = Button(
        name="take_next",
        label=f"Take next {min(5, facts.unclaimed)}",
        value=value,
        primary=True,
    )
    close = Button(name="close_all", label="Close all…", value=value, danger=True)
    show = Button(name="storm", label="Show them", value=value)
    return (take, show, close) if facts.unclaimed else (show, close)
