"""How a command line can go on: verbs, mentions, people, teams, outcomes, topics. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from staffbot.commands import VERBS, Slot, Takes, Verb, beginning_with, going_on
from staffbot.desk.ledger import Tx
from staffbot.desk.meant import suggestions
from staffbot.desk.people import everyone
from staffbot.desk.reading import Waiting, known
from staffbot.model import Actor, Person
from staffbot.seams import Completion
from staffbot.words import OUTCOMES, ROLES, STATES, kind_on

# As many as Discord shows.
MOST = 25


def completions(tx: Tx, actor: Actor, text: str) -> tuple[Completion, ...]:
    """The whole lines that `text` can become, the likeliest first. Nothing for a stranger."""
    person = known(tx, actor)
    if person is None and (actor.room is None or tx.settings.team_of_room(actor.room) is None):
        return ()
    going = going_on(text)
    if going.verb is None:
        verbs = beginning_with(going.typed) if going.typed else VERBS
        return tuple(Completion(text=verb.name, help=verb.does) for verb in verbs)[:MOST]
    person = person or Person(key="", name=actor.name)
    found = [
        Completion(text=f"{going.before}{value}", help=help_)
        for slot in going.slots
        for value, help_ in _values(tx, person, actor, going.verb, slot, going.typed)
    ]
    return tuple(found[:MOST])


def _values(
    tx: Tx, person: Person, actor: Actor, verb: Verb, slot: Slot, typed: str
) -> list[tuple[str, str]]:
    match slot.takes:
        case Takes.MENTION:
            rows = suggestions(tx, person, actor, verb.clear).rows
            return _fitting(((str(row.mention.number), _line(row)) for row in rows), typed)
        case Takes.PERSON:
            named = ((one.name, ROLES[one.role]) for one in everyone(tx))
            return _fitting(named, typed.removeprefix("@"))
        case Takes.TEAM:
            return _fitting(((team.key, team.name) for team in tx.settings.teams), typed)
        case Takes.OUTCOME:
            return _fitting(((label, "outcome") for label in OUTCOMES.values()), typed)
        case Takes.TOPICS:
            done, _, last = typed.rpartition(",")
            topics = _fitting(((topic, "topic") for topic in tx.settings.topics), last.strip())
            return [(f"{done}, {topic}" if done else topic, help_) for topic, help_ in topics]
        case Takes.VERB:
            return _fitting(((other.name, other.does) for other in VERBS), typed)
        case Takes.MOMENT | Takes.WORDS:
            return []


def _fitting(values: Iterable[tuple[str, str]], typed: str) -> list[tuple[str, str]]:
    wanted = typed.strip().removeprefix("#").casefold()
    return [(value, help_) for value, help_ in values if value.casefold().startswith(wanted)]


def _line(row: Waiting) -> str:
    """A mention in a few words, none of them the patron's."""
    state = row.owner.name if row.owner else STATES[row.mention.status].lower()
    return f"{kind_on(row.mention.kind, row.network)}, {state}"
