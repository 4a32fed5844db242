"""What a storm holds, for its card and its list. Writes nothing."""

from __future__ import annotations

from sqlalchemy import func, select

from staffbot.cards import StormFacts
from staffbot.desk.ledger import Tx
from staffbot.desk.reading import Listing, listing, network_of, team_name
from staffbot.model import Status
from staffbot.tables import mentions, storms, words


def storm_facts(tx: Tx, storm: int) -> StormFacts | None:
    """The facts of a storm's card, or None where there is no such storm."""
    row = tx.conn.execute(select(storms).where(storms.c.id == storm)).one_or_none()
    if row is None:
        return None
    by_status: dict[str, int] = {}
    by_network: dict[str, int] = {}
    for source, status, many in tx.conn.execute(
        select(mentions.c.source, mentions.c.status, func.count())
        .where(mentions.c.storm == storm)
        .group_by(mentions.c.source, mentions.c.status)
    ):
        by_status[status] = by_status.get(status, 0) + many
        shown = network_of(tx, source)
        by_network[shown] = by_network.get(shown, 0) + many
    return StormFacts(
        storm=storm,
        team=team_name(tx, row.team),
        zone=tx.team(row.team).hours.zone,
        began_at=row.began_at,
        last_at=row.last_at,
        calmed_at=row.calmed_at,
        total=sum(by_status.values()),
        unclaimed=by_status.get(Status.OPEN, 0),
        claimed=by_status.get(Status.CLAIMED, 0),
        networks=sorted(by_network.items(), key=lambda pair: (-pair[1], pair[0])),
        subject=_subject(tx, storm, sum(by_status.values())),
    )


def _subject(tx: Tx, storm: int, total: int) -> str:
    """What most of a storm is about: the title that at least half of it has or answers."""
    about = func.coalesce(func.nullif(words.c.title, ""), words.c.in_reply_to)
    row = tx.conn.execute(
        select(about.label("about"), func.count().label("times"))
        .join(mentions, mentions.c.number == words.c.mention)
        .where(mentions.c.storm == storm, words.c.part == 0, mentions.c.private.is_(False))
        .where(about != "", about.not_like("http%"))
        .group_by(about)
        .order_by(func.count().desc(), about)
        .limit(1)
    ).one_or_none()
    return row.about if row is not None and 2 * row.times >= total else ""


def storm_listing(tx: Tx, storm: int) -> Listing:
    """The open mentions of a storm as lines."""
    return listing(tx, (mentions.c.storm == storm) & (mentions.c.status != Status.CLOSED))
