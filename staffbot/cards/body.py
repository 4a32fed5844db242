"""What a card says. A patron's words stand only in Byline, Quote and Picture, and not at all where
the mention is kept private and the reader is not one who may see them.
"""

from __future__ import annotations

from staffbot.cards.facts import CardFacts
from staffbot.messages import (
    Byline,
    Facts,
    Heading,
    Line,
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
    capital,
    count,
    language,
    listed,
    moment,
    number,
    sentence,
)

# A conversation's last follow-ups are shown; a line says how many came before.
FOLLOW_UPS = 3


def said(facts: CardFacts) -> str:
    """The card as one sentence, without a word of the patron's."""
    mention = facts.mention
    where = f" for {facts.team}" if facts.team else ""
    what = f"Mention {mention.number}, {a(facts.kind)}{where}, is {_standing(facts)}"
    if mention.status is Status.CLOSED:
        return sentence(f"{what}: {_outcome(mention)}{_by(facts)}")
    if facts.only_heard:
        return sentence(f"{what}; no answer is expected")
    due = plain(_due(facts))
    return sentence(f"{what}; {due[:1].lower()}{due[1:]}")


def body(facts: CardFacts) -> tuple[Part, ...]:
    """The parts of an open or claimed card, and of what `show` shows."""
    parts: list[Part] = [Heading(text=title(facts)), Paragraph(line=_written(facts), quiet=True)]
    parts += _patron(facts)
    parts.append(Facts(pairs=_pairs(facts)))
    parts += [Paragraph(line=line, quiet=True) for line in _remarks(facts)]
    return tuple(parts)


def heard(facts: CardFacts) -> tuple[Part, ...]:
    """The parts of the card of what was only heard: who wrote, a short quote, no fields."""
    words = facts.words
    parts: list[Part] = [Heading(text=title(facts))]
    if words is None or facts.mention.deleted_at is not None or facts.withheld:
        parts += _patron(facts)[:1]
    else:
        parts += [Byline(patron=words.patron, network=facts.network), _own(facts, words)]
    lines = [line for line in (_besides(facts), *_remarks(facts)) if line]
    return (*parts, *(Paragraph(line=line, quiet=True) for line in lines))


def _besides(facts: CardFacts) -> Line:
    """What else there is of it, counted: the whole stands behind Notes and history."""
    words = facts.words
    counted = [] if words is None or facts.withheld else [
        (len(words.media), "picture or file", "pictures or files"),
        (len([text for _, text in words.follow_ups if text]), "later message", "later messages"),
    ]  # fmt: skip
    counted += [(len(words.notes), "note", "notes")] if words else []
    said = [count(many, one, more) for many, one, more in counted if many]
    if facts.linked:
        said.append(f"linked with {listed([number(other) for other in facts.linked])}")
    return (capital(" · ".join(said)),) if said else ()


def title(facts: CardFacts) -> str:
    team = f" · {facts.team}" if facts.team else ""
    return f"{number(facts.mention.number)} · {capital(facts.kind)}{team}"


def _written(facts: CardFacts) -> Line:
    line: list[str | When] = ["Written ", facts.when(facts.mention.posted_at)]
    spoken = language(facts.mention.language)
    if spoken:
        line.append(f", in {spoken}")
    return tuple(line)


def _patron(facts: CardFacts) -> list[Part]:
    """The only parts that hold a patron's words."""
    words = facts.words
    if words is None:
        return [Paragraph(line=("The words were erased.",))]
    parts: list[Part] = []
    if facts.mention.deleted_at is not None:
        gone: Line = ("Withdrawn by the patron ", facts.when(facts.mention.deleted_at), ".")
        parts.append(Paragraph(line=gone))
    elif facts.withheld:
        return [Paragraph(line=("Kept private: the words are not shown in this channel.",))]
    else:
        parts.append(Byline(patron=words.patron, network=facts.network))
        if words.in_reply_to:
            parts.append(Quote(text=words.in_reply_to, label="In answer to"))
        parts.append(_own(facts, words))
        parts += [Picture(media=media) for media in words.media]
    return parts if facts.withheld else parts + _follow_ups(facts, words)


def _own(facts: CardFacts, words: Words) -> Part:
    if text := _text(words):
        return Quote(text=text, permalink=facts.permalink, language=facts.mention.language)
    # A picture alone, or stars alone: an empty quote looks like a fault of ours.
    return Paragraph(line=("It came without words.",), quiet=True)


def _follow_ups(facts: CardFacts, words: Words) -> list[Part]:
    """What the patron wrote later; a part that they took back has no text any more."""
    parts: list[Part] = []
    left = [(at, text) for at, text in words.follow_ups if text]
    earlier = len(left) - FOLLOW_UPS
    if earlier > 0:
        line = (f"{count(earlier, 'earlier message')} not shown.",)
        parts.append(Paragraph(line=line, quiet=True))
    for at, text in left[-FOLLOW_UPS:]:
        parts.append(Quote(text=text, label=f"Wrote again {moment(at, facts.zone)}"))
    return parts


def _text(words: Words) -> str:
    if words.title and not words.text.startswith(words.title):
        return f"{words.title}\n{words.text}".rstrip()
    return words.text


def _pairs(facts: CardFacts) -> tuple[tuple[str, Line], ...]:
    mention = facts.mention
    pairs: list[tuple[str, Line]] = [("State", _state(facts))]
    closed = mention.status is Status.CLOSED
    if not closed:
        pairs.append(("Due", _due(facts)))
    if not closed and (mention.expects_answer or facts.owner is not None):
        pairs.append(("Owner", (facts.owner,) if facts.owner else ("Nobody yet",)))
    notes = len(facts.words.notes) if facts.words else 0
    if notes:
        pairs.append(("Notes", (count(notes, "note"),)))
    if facts.linked:
        pairs.append(("Linked", (listed([number(other) for other in facts.linked]),)))
    return tuple(pairs)


def _state(facts: CardFacts) -> Line:
    mention = facts.mention
    if mention.status is Status.CLOSED:
        return closing(facts)
    state: Line = ("Unclaimed, opened again" if mention.cycle > 1 else "Unclaimed",)
    if mention.status is Status.CLAIMED:
        state = ("Claimed ", facts.when(mention.claimed_at)) if mention.claimed_at else ("Claimed",)
    if mention.waiting_since is not None:
        return (*state, "; waiting for the patron since ", facts.when(mention.waiting_since))
    if mention.snoozed_until is not None:
        return (*state, "; snoozed until ", facts.when(mention.snoozed_until))
    return state


def _due(facts: CardFacts) -> Line:
    mention = facts.mention
    if mention.answered_at is not None:
        # Only an answer that was seen on the network leaves a mention open.
        return (f"Answered on {facts.network} ", facts.when(mention.answered_at))
    if not mention.expects_answer:
        return ("No clock: no answer is expected",)
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
    if facts.reply is not None and facts.reply.said:
        lines.append((facts.reply.said,))
    if facts.twins:
        others = listed([number(other) for other in facts.twins])
        lines.append((f"The same words, it seems by the same author, came as {others}.",))
    if facts.mention.edited_at is not None and facts.mention.deleted_at is None:
        lines.append(("Edited by the patron ", facts.when(facts.mention.edited_at), "."))
    if facts.words is not None and facts.words.held:
        lines.append(("Held for moderation on the network: not public there yet.",))
    if facts.mention.private and not facts.withheld:
        lines.append(("Kept private: please do not quote it in an open channel.",))
    return lines


def closing(facts: CardFacts) -> Line:
    """Answered by Ana, Tue 3 Mar 14:30 · idea, thanks."""
    mention = facts.mention
    line: list[str | When | Who] = [capital(_outcome(mention))]
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


def _by(facts: CardFacts) -> str:
    return f", by {facts.owner.name}" if facts.owner else ""


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
