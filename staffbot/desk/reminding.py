"""The sweep: looks at every mention whose next step is due and decides, by policy, who is told.

Several sweeps at once, or one that is killed and run again, tell each step once: a step is a row of
`nags`, unique on mention, cycle, step and recipient, committed with the post that tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, func, select, update

from staffbot.desk import lines, offers, unsaid
from staffbot.desk.claims import released
from staffbot.desk.ledger import Tx, enact, mention_of
from staffbot.desk.mailroom import extend_waiting, waiting_nags, want
from staffbot.desk.people import everyone
from staffbot.desk.reaching import Reaches
from staffbot.desk.showing import rooms
from staffbot.desk.sweep_round import Item, Round, name_of_step, write_down
from staffbot.model import Happened, Mention, Role
from staffbot.reminders import (
    AUDIENCE,
    Audience,
    Step,
    due_steps,
    is_fresh,
    look_again_at,
    managers,
    may_be_told,
    step_times,
    superseded,
)
from staffbot.settings import Team
from staffbot.tables import mentions, nags

# So many mentions at most in one transaction; the rest is due at the next ring.
_AT_ONCE = 500
# Whoever cannot be told now is looked at again after this.
_AGAIN = timedelta(minutes=5)
# Any number that nothing else locks in the database.
_SWEEPING = 0x57EE9


@dataclass(slots=True, kw_only=True)
class Swept:
    """What a sweep did: mentions looked at, messages wanted, claims given back."""

    looked_at: int = 0
    messages: int = 0
    given_back: int = 0
    full: bool = False


def sweep(tx: Tx) -> Swept:
    """Tell what is due now. Nothing is told by a team that is closed; it is due at its opening."""
    _one_at_a_time(tx)
    unsaid.count_out(tx)
    open_teams = [t.key for t in tx.settings.teams if tx.hours(t.key).is_open(tx.now)]
    staff = everyone(tx)
    gathered = Round(staff=staff, reaches=Reaches(tx, staff), unsent=waiting_nags(tx))
    swept = Swept()
    due = _due(tx, open_teams)
    told = _told(tx, due)
    for mention in due:
        _look_at(tx, mention, told[mention.number], gathered, swept)
    for person, items in gathered.owed.items():
        swept.messages += _nag(tx, person, items, "owner", gathered)
    for person, items in gathered.escalated.items():
        swept.messages += _nag(tx, person, items, "manager", gathered)
    write_down(tx, gathered)
    _set_next_steps(tx, due, gathered)
    swept.looked_at, swept.full = len(due), len(due) == _AT_ONCE
    if not swept.full:  # the lines speak of all that is due, so once the rest was looked at too
        for team in tx.settings.teams:
            swept.messages += lines.refresh(tx, team)
    offers.refresh(tx)
    return swept


def _one_at_a_time(tx: Tx) -> None:
    """Two sweeps at once would each write to the same person. SQLite has one writer anyway."""
    if tx.conn.dialect.name != "sqlite":
        tx.conn.execute(select(func.pg_advisory_xact_lock(_SWEEPING)))


def _due(tx: Tx, teams: list[str]) -> list[Mention]:
    rows = tx.conn.execute(
        select(mentions)
        # Not the bare column, or SQLite reads every mention of those teams by an index of theirs.
        .where(mentions.c.next_step_at <= tx.now, (mentions.c.team + "").in_(teams))
        .order_by(mentions.c.next_step_at, mentions.c.number)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    return [mention_of(row) for row in rows]


def _told(tx: Tx, due: list[Mention]) -> dict[int, set[str]]:
    """The names of the steps of this cycle that were told already, by mention."""
    told: dict[int, set[str]] = {mention.number: set() for mention in due}
    cycles = {mention.number: mention.cycle for mention in due}
    rows = tx.conn.execute(
        select(nags.c.mention, nags.c.cycle, nags.c.step).where(nags.c.mention.in_(told))
    )
    for row in rows:
        if row.cycle == cycles[row.mention]:
            told[row.mention].add(row.step)
    return told


def _known(mention: Mention, names: set[str]) -> set[Step]:
    """The steps that need no telling: told to this owner, about this silence, or said by another."""
    told = {step for step in Step if name_of_step(mention, step) in names}
    return told | {before for step in told for before in superseded(step)}


def _look_at(tx: Tx, mention: Mention, told: set[str], gathered: Round, swept: Swept) -> None:
    team = tx.team(mention.team)
    times = step_times(team, tx.hours(mention.team), mention)
    for step in due_steps(times, _known(mention, told), tx.now):
        match AUDIENCE[step]:
            case Audience.TEAM:
                gathered.mark(mention, step, "team")
            case Audience.OWNER:
                _for_owner(tx, team, mention, step, gathered)
            case Audience.MANAGERS:
                _for_managers(tx, team, mention, step, gathered)
            case Audience.NOBODY:
                _give_back(tx, mention)
                gathered.mark(mention, step, "team")
                swept.given_back += 1
                return


def _for_owner(tx: Tx, team: Team, mention: Mention, step: Step, gathered: Round) -> None:
    assert mention.owner is not None
    reach = gathered.reach(mention.owner, team)
    given_at = mention.claimed_at
    if reach.person.away_until is not None and reach.away(tx.now):
        # Nobody nags who is away: their claims were offered to the team, whose line counts them.
        gathered.wait(mention, reach.person.away_until)
    elif given_at is not None and is_fresh(given_at, team.nagging.quiet_after_act, tx.now):
        # It was theirs for a moment only, and they were told so.
        gathered.wait(mention, min(given_at, tx.now) + team.nagging.quiet_after_act)
    elif may_be_told(reach, team, tx.now):
        gathered.owed[mention.owner].append((mention, step))
    else:
        gathered.wait(mention, tx.now + _AGAIN)


def _for_managers(tx: Tx, team: Team, mention: Mention, step: Step, gathered: Round) -> None:
    """Whoever of them can be told now is; when nobody can, the step waits."""
    found = managers(team, gathered.staff, tx.now)
    able = [one for one in found if may_be_told(gathered.reach(one.key, team), team, tx.now)]
    for manager in able:
        gathered.escalated[manager.key].append((mention, step))
    if able:
        return
    if not found and not any(p.role is not Role.STAFF and not p.shared for p in gathered.staff):
        gathered.mark(mention, step, "nobody")  # `check` warns of it; the digest tells
    else:
        gathered.wait(mention, tx.now + _AGAIN)


def _nag(tx: Tx, key: str, items: list[Item], about: str, gathered: Round) -> int:
    """One message for everything; the person's whole debt is said when it is rendered.

    One that still waits to be sent says this as well. Returns how many were wanted.
    """
    first = items[0][0]
    lane = gathered.reaches.lane(key, first.team)
    if lane is None:
        for mention, step in items:
            gathered.mark(mention, step, "nobody")
        return 0
    says: dict[str, Any] = {
        "mentions": [mention.number for mention, _ in items],
        "steps": [step for _, step in items],
        # One that is late by a day is not said: it would be one too many of that day.
        "day": tx.hours(first.team).local(tx.now).date().isoformat(),
    }
    prefix = f"nag:{about}:{key}:"
    post = extend_waiting(tx, prefix, says) if gathered.waits(prefix) else None
    new = post is None
    if post is None:
        team = tx.team(first.team)
        if gathered.reach(key, team).today + gathered.sent[key] >= team.nagging.most_a_day:
            for mention, _ in items:
                gathered.wait(mention, tx.now + _AGAIN)
            return 0
        gathered.sent[key] += 1
        post = want(
            tx, key=f"{prefix}{uuid4().hex}", kind="nag", team=first.team,
            detail={"about": about, "person": key, **says}, **lane,
        )  # fmt: skip
    for mention, step in items:
        gathered.mark(mention, step, key, post)
    asked = [mention.number for mention, step in items if step is Step.STILL_ON_IT]
    if asked:
        tx.conn.execute(
            update(mentions).where(mentions.c.number.in_(asked)).values(still_asked_at=tx.now)
        )
    return int(new)


def _give_back(tx: Tx, mention: Mention) -> None:
    """A claim that nobody answered for goes back to the team, with a word in the channel.

    The word names nobody: a room is told what waits, not who let it wait.
    """
    event = enact(tx, mention, Happened.RELEASED, None, released(tx, mention), by_itself=True)
    said = f"{mention.number} is open for the team again: nobody was on it for a while."
    for room in rooms(tx.team(mention.team)):
        want(
            tx, key=f"notice:back:{event}:{room}", kind="notice", room=room,
            platform=room.platform, team=mention.team, mention=mention.number,
            detail={"said": said, "claim": mention.number},
        )  # fmt: skip


def _set_next_steps(tx: Tx, due: list[Mention], gathered: Round) -> None:
    told = _told(tx, due)
    rows = tx.conn.execute(select(mentions).where(mentions.c.number.in_(told)))
    moments: list[dict[str, Any]] = []
    for mention in map(mention_of, rows.all()):
        times = step_times(tx.team(mention.team), tx.hours(mention.team), mention)
        known = _known(mention, told[mention.number])
        at = look_again_at(times, known, gathered.put_off.get(mention.number), tx.now)
        moments.append({"of": mention.number, "at": at})
    if moments:
        tx.conn.execute(
            update(mentions)
            .where(mentions.c.number == bindparam("of"))
            .values(next_step_at=bindparam("at")),
            moments,
        )
