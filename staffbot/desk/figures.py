"""Figures for who asks, and in a room where somebody shared them. Counts nothing itself: see stats.

A shared post keeps the question only; it is counted again when it is sent.
"""

from __future__ import annotations

from typing import assert_never

from staffbot.desk.ledger import Tx
from staffbot.desk.mailroom import want
from staffbot.desk.posted import Post
from staffbot.errors import Refused
from staffbot.messages import Message
from staffbot.model import Answer, Done, Person, Role, Room, Unchanged
from staffbot.settings import PerPerson
from staffbot.stats import By
from staffbot.stats.answer import controls
from staffbot.stats.asked import message
from staffbot.stats.question import Question, parse


def asked(
    tx: Tx, person: Person, text: str, *, teams: tuple[str, ...], room: Room | None
) -> Message:
    """The answer to a question like `month by source chart`, for this person alone.

    Raises Refused where it cannot be read, or where this person may not see it.
    """
    question = parse(text, settings=tx.settings, teams=teams, now=tx.now)
    _permit(tx, question, person)
    may_share = room is not None and not question.me and _may_share(tx, question)
    offered = controls(question, may_share=may_share, groups=_groups(tx, question, person))
    return message(
        tx.conn, tx.settings, question, now=tx.now, person=person if question.me else None,
        controls=offered,
    )  # fmt: skip


def share(
    tx: Tx, person: Person, text: str, *, teams: tuple[str, ...], room: Room | None
) -> Answer:
    """Post the answer to a question in the room where somebody asked."""
    question = parse(text, settings=tx.settings, teams=teams, now=tx.now)
    _permit(tx, question, person)
    team = tx.settings.team_of_room(room) if room is not None else None
    if room is None or team is None:
        raise Refused("Figures can be shared in a team's channel only. Ask for them there.")
    if question.me or not _may_share(tx, question):
        raise Refused("Figures of single people are not shared in a channel.")
    asks = {"asked": question.fixed(), "teams": list(question.teams), "by": person.key}
    # Twice the same within a minute is a button that was pressed twice.
    key = f"figures:{room}:{tx.now:%Y%m%d%H%M}:{question.fixed()}"
    post = want(
        tx, key=key, kind="figures", room=room, platform=room.platform, team=team.key, detail=asks
    )
    if post is None:
        return Unchanged(mention=None, said="These figures were shared here just now.")
    return Done(mention=None, said="Shared in this channel.")


def shared(tx: Tx, post: Post) -> Message | None:
    """What a shared post says; None where its question cannot be answered any more."""
    try:
        question = parse(
            post.detail["asked"],
            settings=tx.settings,
            teams=tuple(post.detail["teams"]),
            now=tx.now,
        )
    except Refused:
        return None
    if question.me or not _may_share(tx, question):
        return None
    return message(tx.conn, tx.settings, question, now=tx.now)


# --- who may see what ---------------------------------------------------------------------------


def _permit(tx: Tx, question: Question, person: Person) -> None:
    if question.me and person.shared:
        raise Refused("This is a shared login, so it has no figures of its own.")
    if question.by is By.PERSON and not _sees_people(tx, person):
        mine = f"`/{tx.settings.root} stats me` shows your own."
        if tx.settings.figures_by_person is PerPerson.NOBODY:
            raise Refused(f"Figures by person are shown to nobody here. {mine}")
        raise Refused(f"Figures by person are shown to managers and deputies. {mine}")


def _sees_people(tx: Tx, person: Person) -> bool:
    match tx.settings.figures_by_person:
        case PerPerson.NOBODY:
            return False
        case PerPerson.MANAGERS:
            return person.role is not Role.STAFF and not person.shared
        case PerPerson.EVERYONE:
            return not person.shared
        case _:
            assert_never(tx.settings.figures_by_person)


def _may_share(tx: Tx, question: Question) -> bool:
    """A channel is read by everyone, shared logins too."""
    return question.by is not By.PERSON or tx.settings.figures_by_person is PerPerson.EVERYONE


def _groups(tx: Tx, question: Question, person: Person) -> tuple[By, ...]:
    """The ways to group that this person can choose."""
    ways = [By.SOURCE, By.OUTCOME, By.TOPIC, By.HOUR, By.DAY, By.WEEK, By.MONTH]
    if len(question.teams) > 1:
        ways.insert(0, By.TEAM)
    if not question.me and _sees_people(tx, person):
        ways.insert(0, By.PERSON)
    return tuple(ways)
