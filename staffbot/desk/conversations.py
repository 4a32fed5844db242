"""What else is done with a mention: notes, moves, privacy, links, and whether it expects an answer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, insert, select

from staffbot.desk import telling
from staffbot.desk.claims import give, linked_with
from staffbot.desk.ledger import Tx, again, enact, to_change, typed
from staffbot.desk.people import everyone, get_person, name_of
from staffbot.desk.showing import show_everywhere
from staffbot.errors import Refused
from staffbot.model import Answer, Done, Happened, Mention, Person, Role, Status, Unchanged
from staffbot.policy import clocks
from staffbot.tables import events, words


def note(tx: Tx, number: int, person: Person, text: str) -> Answer:
    """Add a colleague's note; it is kept with the patron's words and erased with them."""
    mention = to_change(tx, number)
    if not text.strip():
        raise Refused(
            f"What should the note say? Like: {typed(tx, f'note {number} called back, no answer')}"
        )
    part = add_note(tx, mention, person, text)
    event = enact(tx, mention, Happened.NOTED, person, {}, part=part)
    return Done(mention=number, said=f"Noted on {number}.", event=event)


def add_note(tx: Tx, mention: Mention, person: Person, text: str) -> int:
    """Keep a note with the mention's words. Returns its part number."""
    newest = tx.conn.execute(
        select(func.max(words.c.part)).where(words.c.mention == mention.number)
    ).scalar()
    part = (newest or 0) + 1
    tx.conn.execute(
        insert(words).values(
            mention=mention.number, part=part, role="note", at=tx.now, person=person.key,
            text=text.strip(),
        )
    )  # fmt: skip
    return part


def remove_note(tx: Tx, mention: Mention, part: int) -> None:
    """Take a note away again (Undo)."""
    tx.conn.execute(
        delete(words).where(
            words.c.mention == mention.number, words.c.part == part, words.c.role == "note"
        )
    )


def move(tx: Tx, number: int, team: str, person: Person) -> Answer:
    """Move a mention to another team; nobody has it there yet, its clocks go by that team."""
    mention = to_change(tx, number)
    names = {known.key: known.name for known in tx.settings.teams}
    if team not in names:
        raise Refused(f"There is no team {team!r}. The teams are: {', '.join(names)}.")
    if team == mention.team:
        return Unchanged(mention=number, said=f"{number} is with {names[team]} already.")
    _need_open(tx, mention)
    there = tx.team(team)
    clock = clocks(
        mention.came_at, expects_answer=mention.expects_answer, nagging=there.nagging,
        target=there.target(mention.source, mention.kind), hours=tx.hours(team),
    )  # fmt: skip
    event = enact(
        tx, mention, Happened.MOVED, person,
        {
            "team": team, "status": Status.OPEN, "owner": None, "storm": None,
            "last_owner": mention.owner or mention.last_owner, "clock_from": clock.starts_at,
            "claim_due_at": clock.claim_due_at, "answer_due_at": clock.answer_due_at,
            "next_step_at": clock.next_step_at, "still_asked_at": None,
        },
        to=team,
    )  # fmt: skip
    show_everywhere(tx, number)
    return Done(mention=number, said=f"{number} is with {names[team]} now.", event=event)


def keep_private(tx: Tx, number: int, person: Person) -> Answer:
    """Take the words out of open channels. Named people are told at once and can read them."""
    mention = to_change(tx, number)
    if mention.private:
        return Unchanged(mention=number, said=f"{number} is kept private already.")
    event = enact(tx, mention, Happened.KEPT_PRIVATE, person, {"private": True})
    for named in everyone(tx):
        if named.sensitive and named.key != person.key:
            telling.tell(tx, named, mention, "kept_private", event=event, by=person.key)
    said = f"{number} is private now: its words are gone from the channel."
    return Done(mention=number, said=said, event=event)


def make_public(tx: Tx, number: int, person: Person) -> Answer:
    """Show the words in open channels again. Only who may read them may decide that.

    What the patron wrote privately is not ours to show: that is for no press of a button.
    """
    mention = to_change(tx, number)
    if not mention.private:
        return Unchanged(mention=number, said=f"{number} is not private.")
    if not may_read(mention, person):
        raise Refused(_who_may(tx, mention))
    if not kept_by_us(tx, number):
        raise Refused(
            f"{number} was written privately, so its words are shown in no open channel. "
            f"{typed(tx, f'read {number}')} shows them to you."
        )
    event = enact(tx, mention, Happened.MADE_PUBLIC, person, {"private": False})
    return Done(mention=number, said=f"{number} shows its words again.", event=event)


def kept_by_us(tx: Tx, number: int) -> bool:
    """Whether somebody pressed Keep private; else the mention came in as a private one."""
    kept = select(events.c.id).where(
        events.c.mention == number, events.c.what == Happened.KEPT_PRIVATE,
        events.c.undone_by.is_(None),
    )  # fmt: skip
    return tx.conn.execute(kept.limit(1)).first() is not None


def may_read(mention: Mention, person: Person) -> bool:
    """Whether this person may read private words: its owner, managers and deputies, `sensitive` people.

    A shared desk login may not: nobody knows who sits there.
    """
    named = person.sensitive or person.role is not Role.STAFF or mention.owner == person.key
    return named and not person.shared


def read_privately(tx: Tx, number: int, person: Person) -> Mention:
    """Note that somebody reads private words. Raises Refused for who may not.

    The caller reads the words themselves with `reading`; that they were read is on the record.
    """
    mention = to_change(tx, number)
    if mention.private:
        if not may_read(mention, person):
            raise Refused(_who_may(tx, mention))
        enact(tx, mention, Happened.READ, person, {})
    return mention


def _who_may(tx: Tx, mention: Mention) -> str:
    names = [
        person.name
        for person in everyone(tx)
        if not person.shared and (person.sensitive or person.role is not Role.STAFF)
    ]
    owner = f" and {name_of(tx, mention.owner)}, who has it" if mention.owner else ""
    who = ", ".join(names) or "nobody yet (set `sensitive = true` under [[staff]])"
    return f"{mention.number} is private. Its words can be read by: {who}{owner}."


def link(tx: Tx, number: int, other: int, person: Person) -> Answer:
    """Say that two mentions are about one thing: one owner, both to be answered."""
    if number == other:
        raise Refused(
            f"{number} cannot be linked with itself. Like: {typed(tx, f'link {number} 45')}"
        )
    low, high = (to_change(tx, n) for n in sorted((number, other)))
    if low.linked is not None and low.linked == high.linked:
        return Unchanged(mention=number, said=f"{number} and {other} are linked already.")
    if low.linked is not None and high.linked is not None:
        raise Refused(
            f"{number} and {other} both belong to a group already. "
            f"{typed(tx, f'unlink {other}')} first, then link them."
        )
    owners: set[str | None] = {m.owner for m in (low, high) if m.owner is not None}
    if len(owners) > 1:
        raise Refused(
            f"{low.number} is {name_of(tx, low.owner)}'s and {high.number} is "
            f"{name_of(tx, high.owner)}'s. Linked mentions have one owner: "
            "let one of you release theirs first."
        )
    group = low.linked or high.linked or low.number
    first, _ = [
        enact(tx, mention, Happened.LINKED, person, {"linked": group}) for mention in (low, high)
    ]
    owner = get_person(tx, next(iter(owners), None))
    if owner is not None:
        _give_group(tx, again(tx, low.number), owner, person)
    return Done(mention=number, said=f"{number} and {other} are linked.", event=first)


def _give_group(tx: Tx, mention: Mention, owner: Person, person: Person) -> None:
    """Whoever has one of a group takes on the others: a claim as any other, so that it is counted."""
    what = Happened.CLAIMED if owner.key == person.key else Happened.ASSIGNED
    for number in (mention.number, *linked_with(tx, mention)):
        one = to_change(tx, number)
        if one.status is not Status.OPEN:
            continue
        event = give(tx, one, owner, what, by=person)
        if what is Happened.ASSIGNED:
            telling.tell(tx, owner, one, "assigned", event=event, by=person.key)


def unlink(tx: Tx, number: int, person: Person) -> Answer:
    """Take a mention out of its group."""
    mention = to_change(tx, number)
    if mention.linked is None:
        return Unchanged(mention=number, said=f"{number} is not linked with another.")
    event = enact(tx, mention, Happened.UNLINKED, person, {"linked": None})
    return Done(mention=number, said=f"{number} stands alone now.", event=event)


def set_clock(tx: Tx, number: int, person: Person, expects: bool) -> Answer:
    """Say whether a mention expects an answer. With a clock it starts now, not in the past."""
    mention = to_change(tx, number)
    _need_open(tx, mention)
    if mention.expects_answer is expects:
        said = "expects an answer" if expects else "was only heard"
        return Unchanged(mention=number, said=f"{number} {said} already.")
    event = enact(tx, mention, Happened.CLOCK_SET, person, clock_from_now(tx, mention, expects))
    said = f"{number} has a clock now." if expects else f"{number} has no clock any more."
    return Done(mention=number, said=said, event=event)


def clock_from_now(tx: Tx, mention: Mention, expects: bool) -> dict[str, Any]:
    """What changes where a mention expects an answer from now on, or none any more."""
    team = tx.team(mention.team)
    clock = clocks(
        tx.now, expects_answer=expects, nagging=team.nagging,
        target=team.target(mention.source, mention.kind), hours=tx.hours(team.key),
    )  # fmt: skip
    return {
        "expects_answer": expects, "came_at": tx.now, "clock_from": clock.starts_at,
        "claim_due_at": clock.claim_due_at, "answer_due_at": clock.answer_due_at,
        "next_step_at": clock.next_step_at,
    }  # fmt: skip


def _need_open(tx: Tx, mention: Mention) -> None:
    if mention.status is Status.CLOSED:
        raise Refused(
            f"{mention.number} is closed. {typed(tx, f'reopen {mention.number}')} opens it again."
        )
