"""The sweep: looks at every mention whose next step is due and decides, by policy, who is told.

Several sweeps at once, or one that is killed and run again, tell each step once: a step is a row of
`nags`, unique on mention, cycle, step and recipient, committed with the post that tells it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, select, update

from staffbot.desk import lines
from staffbot.desk.claims import released
from staffbot.desk.ledger import Tx, enact, mention_of, record
from staffbot.desk.mailroom import want
from staffbot.desk.people import everyone, get_person, name_of
from staffbot.desk.reaching import nag_lane, reach_of
from staffbot.desk.showing import rooms
from staffbot.model import Happened, Mention, Person
from staffbot.reminders import (
    AUDIENCE,
    Audience,
    Step,
    due_steps,
    managers,
    may_be_told,
    next_step_at,
    step_times,
    superseded,
)
from staffbot.settings import Team
from staffbot.tables import mentions, nags, posts

# So many mentions at most in one transaction; the rest is due at the next ring.
_AT_ONCE = 500
# Whoever cannot be told now is looked at again after this.
_AGAIN = timedelta(minutes=5)


@dataclass(slots=True, kw_only=True)
class Swept:
    """What a sweep did: mentions looked at, messages wanted, claims given back."""

    looked_at: int = 0
    messages: int = 0
    given_back: int = 0
    full: bool = False


@dataclass(slots=True, kw_only=True)
class _Round:
    """What one sweep gathers before it speaks: a person is sent one message for everything."""

    owed: dict[str, list[tuple[Mention, Step]]] = field(default_factory=lambda: defaultdict(list))
    escalated: dict[str, list[tuple[Mention, Step]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    put_off: dict[int, datetime] = field(default_factory=dict)


def sweep(tx: Tx) -> Swept:
    """Tell what is due now. Nothing is told by a team that is closed; it is due at its opening."""
    _count_out_what_was_never_said(tx)
    open_teams = [t.key for t in tx.settings.teams if tx.hours(t.key).is_open(tx.now)]
    swept, gathered = Swept(), _Round()
    due = _due(tx, open_teams)
    told = _told(tx, due)
    staff = everyone(tx)
    for mention in due:
        _look_at(tx, mention, told[mention.number], staff, gathered, swept)
    for person, items in gathered.owed.items():
        swept.messages += _nag(tx, person, items, "owner")
    for person, items in gathered.escalated.items():
        swept.messages += _nag(tx, person, items, "manager")
    _set_next_steps(tx, due, gathered)
    for key in open_teams:
        swept.messages += lines.refresh(tx, tx.team(key))
    swept.looked_at, swept.full = len(due), len(due) == _AT_ONCE
    return swept


def _due(tx: Tx, teams: list[str]) -> list[Mention]:
    rows = tx.conn.execute(
        select(mentions)
        .where(mentions.c.next_step_at <= tx.now, mentions.c.team.in_(teams))
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
    told = {step for step in Step if _name(mention, step) in names}
    return told | {before for step in told for before in superseded(step)}


def _look_at(
    tx: Tx,
    mention: Mention,
    told: set[str],
    staff: list[Person],
    gathered: _Round,
    swept: Swept,
) -> None:
    team = tx.team(mention.team)
    times = step_times(team, tx.hours(mention.team), mention)
    for step in due_steps(times, _known(mention, told), tx.now):
        match AUDIENCE[step]:
            case Audience.TEAM:
                _mark(tx, mention, step, "team", None)
            case Audience.OWNER:
                _for_owner(tx, team, mention, step, gathered)
            case Audience.MANAGERS:
                _for_managers(tx, team, mention, step, staff, gathered)
            case Audience.NOBODY:
                _give_back(tx, mention, step)
                swept.given_back += 1
                return


def _for_owner(tx: Tx, team: Team, mention: Mention, step: Step, gathered: _Round) -> None:
    assert mention.owner is not None
    reach = reach_of(tx, mention.owner, team)
    if reach.away(tx.now):
        # Nobody nags who is away: their claims were offered to the team, whose line counts them.
        _mark(tx, mention, step, "team", None)
    elif may_be_told(reach, team, tx.now):
        gathered.owed[mention.owner].append((mention, step))
    else:
        gathered.put_off[mention.number] = tx.now + _AGAIN


def _for_managers(
    tx: Tx, team: Team, mention: Mention, step: Step, staff: list[Person], gathered: _Round
) -> None:
    """Whoever of them can be told now is; when nobody can, the step waits."""
    found = managers(team, staff, tx.now)
    able = [one for one in found if may_be_told(reach_of(tx, one.key, team), team, tx.now)]
    for manager in able:
        gathered.escalated[manager.key].append((mention, step))
    if not found:
        _mark(tx, mention, step, "nobody", None)
    elif not able:
        gathered.put_off[mention.number] = tx.now + _AGAIN


def _nag(tx: Tx, key: str, items: list[tuple[Mention, Step]], about: str) -> int:
    """One message for everything; the person's whole debt is said when it is rendered."""
    person = get_person(tx, key)
    assert person is not None
    fresh = [(mention, step) for mention, step in items if not _is_marked(tx, mention, step, key)]
    if not fresh:
        return 0
    batch = f"{tx.now:%Y%m%dT%H%M%S%f}"
    lane = nag_lane(tx, person, fresh[0][0].team)
    if lane is None:
        for mention, step in fresh:
            _mark(tx, mention, step, "nobody", None)
        return 0
    post = want(
        tx, key=f"nag:{about}:{key}:{batch}", kind="nag", team=fresh[0][0].team,
        detail={
            "about": about, "person": key,
            "mentions": [mention.number for mention, _ in fresh],
            "steps": [step for _, step in fresh],
        },
        **lane,
    )  # fmt: skip
    for mention, step in fresh:
        _mark(tx, mention, step, key, post)
        if step is Step.STILL_ON_IT:
            tx.conn.execute(
                update(mentions)
                .where(mentions.c.number == mention.number)
                .values(still_asked_at=tx.now)
            )
    return 1


def _is_marked(tx: Tx, mention: Mention, step: Step, recipient: str) -> bool:
    return (
        tx.conn.execute(
            select(nags.c.at).where(
                nags.c.mention == mention.number, nags.c.cycle == mention.cycle,
                nags.c.step == _name(mention, step), nags.c.recipient == recipient,
            )
        ).one_or_none()
        is not None
    )  # fmt: skip


def _name(mention: Mention, step: Step) -> str:
    """What a step is kept as. A stale claim may be asked about again after another act."""
    if step in (Step.STILL_ON_IT, Step.GIVE_BACK):
        since = mention.acted_at or mention.claimed_at or mention.came_at
        return f"{step}@{mention.owner}@{since:%Y%m%dT%H%M%S%f}"
    if AUDIENCE[step] is Audience.OWNER:
        return f"{step}@{mention.owner}"
    return step


def _mark(tx: Tx, mention: Mention, step: Step, recipient: str, post: int | None) -> None:
    if _is_marked(tx, mention, step, recipient):
        return
    tx.conn.execute(
        insert(nags).values(
            mention=mention.number, cycle=mention.cycle, step=_name(mention, step),
            recipient=recipient, at=tx.now, post=post,
        )
    )  # fmt: skip
    record(tx, Happened.NAGGED, mention, step=step, to=recipient)


def _give_back(tx: Tx, mention: Mention, step: Step) -> None:
    """A claim that nobody answered for goes back to the team, with a word in the channel."""
    owner = name_of(tx, mention.owner)
    _mark(tx, mention, step, "team", None)
    event = enact(tx, mention, Happened.RELEASED, None, released(tx, mention), by_itself=True)
    said = f"{mention.number} is open for the team again; {owner} has not been on it for a while."
    for room in rooms(tx.team(mention.team)):
        want(
            tx, key=f"notice:back:{event}:{room}", kind="notice", room=room,
            platform=room.platform, team=mention.team, mention=mention.number,
            detail={"said": said, "claim": mention.number},
        )  # fmt: skip


def _set_next_steps(tx: Tx, due: list[Mention], gathered: _Round) -> None:
    told = _told(tx, due)
    rows = tx.conn.execute(select(mentions).where(mentions.c.number.in_(told)))
    moments = []
    for mention in map(mention_of, rows):
        known = _known(mention, told[mention.number])
        at = next_step_at(tx.team(mention.team), tx.hours(mention.team), mention, told=known)
        later = gathered.put_off.get(mention.number)
        if at is not None and later is not None:
            at = max(at, later)
        moments.append({"of": mention.number, "at": at})
    if moments:
        tx.conn.execute(
            update(mentions)
            .where(mentions.c.number == bindparam("of"))
            .values(next_step_at=bindparam("at")),
            moments,
        )


def _count_out_what_was_never_said(tx: Tx) -> None:
    """A nag that had nothing to say, or came too late to be said, does not count as told."""
    unsaid = select(posts.c.id).where(posts.c.kind == "nag", posts.c.state == "dropped")
    rows = tx.conn.execute(
        select(nags.c.mention, nags.c.post).where(nags.c.post.in_(unsaid)).limit(_AT_ONCE)
    ).all()
    if not rows:
        return
    tx.conn.execute(delete(nags).where(nags.c.post.in_({row.post for row in rows})))
    tx.conn.execute(
        update(mentions)
        .where(mentions.c.number.in_({row.mention for row in rows}))
        .where(mentions.c.status != "closed", mentions.c.expects_answer)
        .values(next_step_at=tx.now)
    )
