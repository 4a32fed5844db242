"""Queries for people: a queue, one mention with its facts, and which mention is meant. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from staffbot.cards import CardFacts
from staffbot.desk import alike, authors, replying
from staffbot.desk.claims import linked_with
from staffbot.desk.conversations import kept_by_us
from staffbot.desk.ledger import Tx, find, mention_of
from staffbot.desk.people import get_person, granted, name_of
from staffbot.messages import Who
from staffbot.model import Actor, Happened, Media, Mention, Patron, Person, Status, Words
from staffbot.tables import actors, events, mentions, patrons, people, words
from staffbot.words import network

# So many rows of a list are shown; the others are counted.
ROWS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One line of a queue."""

    mention: Mention
    network: str
    owner: Who | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The first rows of a list, and how many there are in all."""

    rows: tuple[Waiting, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits for someone, the most urgent first; what was only heard stands apart."""

    unclaimed: Listing
    claimed: Listing
    heard: Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One line of a mention's history."""

    what: Happened
    at: datetime
    who: str
    detail: Mapping[str, Any]
    undone: bool


def known(tx: Tx, actor: Actor) -> Person | None:
    """The staff member who this actor is, if they ever acted or are listed."""
    key = tx.conn.execute(
        select(actors.c.person).where(
            actors.c.platform == actor.platform, actors.c.user_id == actor.user_id
        )
    ).scalar()
    person = get_person(tx, key)
    return None if person is None else granted(person, actor)


# --- lists --------------------------------------------------------------------------------------


def queue(tx: Tx, teams: Sequence[str]) -> Queue:
    """The open and claimed mentions of these teams."""
    ours = mentions.c.team.in_(list(teams))
    open_ = ours & (mentions.c.status == Status.OPEN)
    return Queue(
        unclaimed=listing(tx, open_ & mentions.c.expects_answer.is_(True)),
        claimed=listing(tx, ours & (mentions.c.status == Status.CLAIMED)),
        heard=listing(tx, open_ & mentions.c.expects_answer.is_(False)),
    )


def mine(tx: Tx, person: Person) -> Listing:
    """What this person has claimed."""
    return listing(tx, owned(person))


def teams_of(tx: Tx, person: Person, actor: Actor) -> tuple[str, ...]:
    """The teams that are meant where none is named: the room's, else the person's, else all."""
    here = tx.settings.team_of_room(actor.room) if actor.room else None
    if here is not None:
        return (here.key,)
    return person.teams or tuple(team.key for team in tx.settings.teams)


def owned(person: Person) -> Any:
    return (mentions.c.owner == person.key) & (mentions.c.status == Status.CLAIMED)


def listing(tx: Tx, where: Any, *, newest: bool = False) -> Listing:
    total = tx.conn.execute(select(func.count()).select_from(mentions).where(where)).scalar_one()
    due = func.coalesce(mentions.c.answer_due_at, mentions.c.claim_due_at)
    rows = tx.conn.execute(
        select(mentions, people.c.name.label("owner_name"))
        .outerjoin(people, people.c.key == mentions.c.owner)
        .where(where)
        .order_by(
            *([mentions.c.number.desc()] if newest else [due.is_(None), due, mentions.c.number])
        )
        .limit(ROWS)
    ).all()
    return Listing(rows=tuple(_waiting(tx, row) for row in rows), total=int(total))


def _waiting(tx: Tx, row: Any) -> Waiting:
    return Waiting(
        mention=mention_of(row),
        network=network_of(tx, row.source),
        owner=Who(key=row.owner, name=row.owner_name) if row.owner else None,
    )


# --- one mention --------------------------------------------------------------------------------


def network_of(tx: Tx, source: str) -> str:
    """The network as people call it: the source's label, else its kind or name."""
    found = tx.settings.source(source)
    return found.label or network(found.name)


def team_name(tx: Tx, key: str) -> str:
    """The team's name; empty in a house of one team, where it goes without saying."""
    return tx.team(key).name if len(tx.settings.teams) > 1 else ""


def card_facts(tx: Tx, number: int, *, show_words: bool = False) -> CardFacts | None:
    """The facts of a mention's card, or None where there is no such mention.

    `show_words`: the reader may also see words that are kept private.
    """
    mention = find(tx, number)
    if mention is None:
        return None
    key = mention.last_owner if mention.status is Status.CLOSED else mention.owner
    return CardFacts(
        mention=mention,
        words=words_of(tx, number),
        network=network_of(tx, mention.source),
        team=team_name(tx, mention.team),
        zone=tx.team(mention.team).hours.zone,
        owner=Who(key=key, name=name_of(tx, key)) if key else None,
        linked=tuple(linked_with(tx, mention)),
        show_words=show_words,
        kept_by_us=mention.private and kept_by_us(tx, number),
        several_teams=len(tx.settings.teams) > 1,
        **_of_the_patron(tx, mention),
    )


def _of_the_patron(tx: Tx, mention: Mention) -> dict[str, Any]:
    """Whether the patron can be answered from here, and what else there is of them."""
    newest = replying.newest(tx, mention.number)
    return {
        "can_reply": replying.can_reply(tx, mention),
        "answers_there": tx.settings.replies.enabled,
        "reply": newest,
        "earlier": authors.times_before(tx, mention.number),
        "twins": alike.twins(tx, mention.number),
    }


def words_of(tx: Tx, number: int) -> Words | None:
    """What the patron wrote and colleagues noted, for rendering only; None where it was erased."""
    rows = tx.conn.execute(
        select(words, patrons.c.name, patrons.c.handle, patrons.c.url, people.c.name.label("staff"))
        .outerjoin(patrons, patrons.c.id == words.c.patron)
        .outerjoin(people, people.c.key == words.c.person)
        .where(words.c.mention == number)
        .order_by(words.c.part)
    ).all()
    first = next((row for row in rows if row.role == "mention"), None)
    if first is None:
        return None
    return Words(
        text=first.text,
        patron=Patron(name=first.name or "", handle=first.handle or "", url=first.url or ""),
        title=first.title,
        permalink=first.permalink,
        in_reply_to=first.in_reply_to,
        media=tuple(Media(**media) for media in first.media),
        follow_ups=tuple((row.at, row.text) for row in rows if row.role == "follow_up"),
        notes=tuple((row.at, row.staff or "", row.text) for row in rows if row.role == "note"),
        replies=tuple((row.at, row.staff or "", row.text) for row in rows if row.role == "reply"),
        held=first.held,
    )


def history(tx: Tx, number: int, most: int = 20) -> tuple[Past, ...]:
    """What happened to a mention, the newest last."""
    rows = tx.conn.execute(
        select(events, people.c.name.label("who"))
        .outerjoin(people, people.c.key == events.c.person)
        .where(events.c.mention == number)
        .order_by(events.c.id.desc())
        .limit(most)
    ).all()
    return tuple(
        Past(
            what=Happened(row.what),
            at=row.at,
            who=row.who or "",
            detail=row.detail,
            undone=row.undone_by is not None,
        )
        for row in reversed(rows)
    )


def arrived_by_rule(tx: Tx, number: int) -> int | None:
    """The place of the routing rule that sent it to its first team; None: by default."""
    detail = tx.conn.execute(
        select(events.c.detail)
        .where(events.c.mention == number, events.c.what == Happened.RECEIVED)
        .order_by(events.c.id)
        .limit(1)
    ).scalar()
    rule = (detail or {}).get("rule")
    return rule if isinstance(rule, int) else None


def listing_of(tx: Tx, numbers: Sequence[int]) -> Listing:
    """These mentions, the most urgent first."""
    return listing(tx, mentions.c.number.in_(numbers))


def owed(tx: Tx, person: Person) -> Listing:
    """What a person has that still has to be answered, the most urgent first."""
    return listing(
        tx,
        owned(person)
        & mentions.c.expects_answer
        & mentions.c.answered_at.is_(None)
        & mentions.c.waiting_since.is_(None),
    )
