"""New mentions of their own: numbers, routing, clocks, words, and what shows them. In bulk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sqlalchemy import insert, update

from staffbot.desk import alike, muting, storms
from staffbot.desk.hashes import Hashed, keyed, storable
from staffbot.desk.ledger import Tx
from staffbot.desk.mailroom import want_new_cards
from staffbot.desk.patrons import upsert_patrons
from staffbot.desk.showing import manner, rooms
from staffbot.model import Happened, IncomingMention, Kind, Status, Visibility
from staffbot.policy import FIRST_LOOK, Clocks, clocks
from staffbot.secret import Secret
from staffbot.settings import Settings
from staffbot.tables import arrivals, counters, events, mentions, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a mention goes, and why: the team, and the place of the rule in the list (None: default)."""

    team: str
    rule: int | None


def way(settings: Settings, mention: IncomingMention) -> Way:
    """The first routing rule that fits decides; without one the first team gets it."""
    text = f"{mention.title}\n{mention.text}"
    for place, rule in enumerate(settings.routes):
        if rule.fits(
            source=mention.source, kind=mention.kind, text=text, language=mention.language
        ):
            return Way(team=rule.team, rule=place)
    return Way(team=settings.teams[0].key, rule=None)


def digest_of(delivery: str, key: Secret) -> str:
    """The id of a signed delivery, hashed."""
    return keyed(key, "delivery", delivery)


def add(tx: Tx, items: Sequence[Hashed]) -> None:
    """Store mentions that nothing is known of, and want what shows them."""
    if not items:
        return
    numbers = _numbers(tx, len(items))
    ways = [way(tx.settings, item.mention) for item in items]
    # Mentions of one batch that are of a kind have the same clock.
    clock_of = cache(partial(_clocks, tx))
    quiet = muting.among(tx, {item.patron for item in items})
    rows = [
        _row(tx, number, item, at.team, clock_of, muted=item.patron in quiet)
        for number, item, at in zip(numbers, items, ways, strict=True)
    ]
    shown = [row for row in rows if not row["muted"]]
    stormy = {
        team: storms.weather(tx, team, sum(row["team"] == team for row in shown))
        for team in sorted({row["team"] for row in shown})
    }
    for row in rows:
        row["storm"] = None if row["muted"] else stormy[row["team"]]
    tx.conn.execute(insert(mentions), rows)
    _keep_words(tx, numbers, items)
    tx.conn.execute(
        insert(arrivals),
        [
            {"identity_hash": item.identity, "mention": number, "part": 0}
            for number, item in zip(numbers, items, strict=True)
        ],
    )
    tx.conn.execute(
        insert(events),
        [_received(tx, row, at) for row, at in zip(rows, ways, strict=True)],
    )
    _want_cards(tx, [row for row in shown if row["storm"] is None])
    for storm in {row["storm"] for row in rows} - {None}:
        storms.show(tx, storm)
    alike.offer(tx, numbers)


def _numbers(tx: Tx, count: int) -> range:
    """The next numbers, without gaps: from a row of this transaction, not from a sequence."""
    last = tx.conn.execute(
        update(counters)
        .where(counters.c.name == "mention")
        .values(value=counters.c.value + count)
        .returning(counters.c.value)
    ).scalar_one_or_none()
    if last is None:
        tx.conn.execute(insert(counters).values(name="mention", value=count))
        last = count
    return range(last - count + 1, last + 1)


def _clocks(tx: Tx, team_key: str, source: str, kind: Kind, expects: bool) -> Clocks:
    team = tx.team(team_key)
    return clocks(
        tx.now, expects_answer=expects, target=team.target(source, kind), nagging=team.nagging,
        hours=tx.hours(team_key),
    )  # fmt: skip


def _row(
    tx: Tx,
    number: int,
    item: Hashed,
    team_key: str,
    clock_of: Callable[[str, str, Kind, bool], Clocks],
    *,
    muted: bool,
) -> dict[str, Any]:
    mention = item.mention
    source = tx.settings.source(mention.source)
    kind = Kind(mention.kind)  # as the source says, which has applied its own setting
    expects = source.expects(kind, mention.expects_answer) and not muted
    clock = clock_of(team_key, mention.source, kind, expects)
    return {
        "number": number, "team": team_key, "source": mention.source, "kind": kind,
        "conversation_hash": item.conversation or None, "patron_hash": item.patron,
        "expects_answer": expects,
        "private": source.private or mention.visibility is Visibility.PRIVATE,
        "status": Status.OPEN, "topics": [], "language": mention.language,
        "posted_at": mention.posted_at, "received_at": tx.now, "came_at": tx.now,
        "clock_from": clock.starts_at,
        "claim_due_at": clock.claim_due_at, "answer_due_at": clock.answer_due_at,
        "next_step_at": clock.next_step_at, "touched_at": tx.now, "muted": muted,
        "next_look_at": tx.now + FIRST_LOOK,
    }  # fmt: skip


def _keep_words(tx: Tx, numbers: Sequence[int], items: Sequence[Hashed]) -> None:
    patrons = upsert_patrons(tx, items)
    tx.conn.execute(
        insert(words),
        [
            words_row(item.mention, number, part=0, role="mention", patron=patrons[item.patron])
            | {"alike_hash": alike.alike_hash(item.mention.text, tx.settings.store.identity_key)}
            for number, item in zip(numbers, items, strict=True)
        ],
    )


def words_row(
    mention: IncomingMention, number: int, *, part: int, role: str, patron: int
) -> dict[str, Any]:
    """The patron's words as a row of `words`."""
    return {
        "mention": number, "part": part, "role": role, "at": mention.posted_at,
        "patron": patron, "text": storable(mention.text), "title": storable(mention.title),
        "native_id": storable(mention.native_id), "conversation": storable(mention.conversation),
        "permalink": storable(mention.permalink), "in_reply_to": storable(mention.in_reply_to),
        "media": [
            {"url": storable(m.url), "kind": m.kind, "alt": storable(m.alt)}
            for m in mention.media
        ],
        "held": mention.held,
    }  # fmt: skip


def _received(tx: Tx, row: dict[str, Any], at: Way) -> dict[str, Any]:
    detail: dict[str, Any] = {"kind": row["kind"], "expects": row["expects_answer"]}
    if at.rule is not None:
        detail["rule"] = at.rule
    return {
        "at": tx.now, "done_at": tx.now, "what": Happened.RECEIVED, "mention": row["number"],
        "cycle": 1, "team": row["team"], "source": row["source"], "detail": detail,
    }  # fmt: skip


def _want_cards(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    for key in sorted({row["team"] for row in rows}):
        team = tx.team(key)
        silent, not_before = manner(tx, team)
        numbers = [row["number"] for row in rows if row["team"] == key]
        for room in rooms(team):
            want_new_cards(tx, numbers, room, team=key, silent=silent, not_before=not_before)
