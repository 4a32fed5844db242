"""See: mine, queue, show, why, help, and what a storm holds. Nothing here writes."""

from __future__ import annotations

from staffbot import answers, queues
from staffbot.commands import find as find_verb
from staffbot.desk import reading, storm_reading
from staffbot.dispatch.jobs import Handler, Job
from staffbot.dispatch.working import storm_of
from staffbot.errors import Refused
from staffbot.messages import Reply
from staffbot.model import Happened, Mention
from staffbot.settings import Route
from staffbot.words import KINDS, a, moment


def _mine(job: Job) -> Reply:
    listing = reading.mine(job.tx, job.person)
    return queues.mine(listing, zone=job.team.hours.zone, now=job.tx.now)


def _queue(job: Job) -> Reply:
    said = job.get("team")
    everything = said.casefold() in ("all", "everything")
    if everything:
        teams: tuple[str, ...] = tuple(team.key for team in job.tx.settings.teams)
    else:
        teams = (job.other_team(said).key,) if said else job.teams
    found = reading.queue(job.tx, teams)
    return queues.queue(
        unclaimed=found.unclaimed, claimed=found.claimed, heard=found.heard,
        zone=job.tx.team(teams[0]).hours.zone, now=job.tx.now,
        team=reading.team_name(job.tx, teams[0]) if len(teams) == 1 else "",
    )  # fmt: skip


def _show(job: Job) -> Reply:
    """Private words stay out of it unless the room may show them: reading them is on the record."""
    facts = reading.card_facts(job.tx, job.number, show_words=_in_private_room(job))
    if facts is None:
        raise _unknown(job)
    return answers.show(facts, reading.history(job.tx, job.number))


def _in_private_room(job: Job) -> bool:
    return job.actor.room is not None and any(
        room.private
        for team in job.tx.settings.teams
        for room in team.rooms
        if room.room == job.actor.room
    )


def _storm(job: Job) -> Reply:
    listing = storm_reading.storm_listing(job.tx, storm_of(job))
    return queues.storm(listing, zone=job.team.hours.zone, now=job.tx.now)


def _help(job: Job) -> Reply:
    root, said = job.tx.settings.root, job.get("verb")
    if not said:
        return answers.help_all(root)
    verb = find_verb(said)
    if verb is None or verb.hidden:
        raise Refused(f"There is no command “{said[:40]}”. `/{root} help` shows them all.")
    return answers.help_one(verb, root)


def _why(job: Job) -> Reply:
    facts = reading.card_facts(job.tx, job.number)
    if facts is None:
        raise _unknown(job)
    came = moment(facts.mention.received_at, facts.zone)
    past = reading.history(job.tx, job.number, most=200)
    return answers.why(
        facts,
        (
            f"It came in {came} from the source “{facts.mention.source}”.",
            _why_team(job, facts.mention, past),
            _why_clock(job, facts.mention, past),
        ),
    )


def _why_team(job: Job, mention: Mention, past: tuple[reading.Past, ...]) -> str:
    name = job.tx.team(mention.team).name
    moves = [one for one in past if one.what is Happened.MOVED and not one.undone]
    if moves:
        return f"It is with {name} because {moves[-1].who or 'somebody'} moved it there."
    place, routes = reading.arrived_by_rule(job.tx, mention.number), job.tx.settings.routes
    if place is None or place >= len(routes):
        return (
            f"It is with {name} because no routing rule fitted: the first team gets such mentions."
        )
    return f"It is with {name} because of routing rule {place + 1}: {_rule(routes[place])}."


def _rule(route: Route) -> str:
    conditions = [
        f"source {route.source}" if route.source else "",
        f"kind {KINDS[route.kind]}" if route.kind else "",
        f"the keyword “{route.keyword}”" if route.keyword else "",
        f"language {route.language}" if route.language else "",
    ]
    return ", ".join(condition for condition in conditions if condition) or "everything"


def _why_clock(job: Job, mention: Mention, past: tuple[reading.Past, ...]) -> str:
    has = "It has a clock" if mention.expects_answer else "It has no clock"
    sets = [one for one in past if one.what is Happened.CLOCK_SET and not one.undone]
    if sets:
        return f"{has} because {sets[-1].who or 'somebody'} said so."
    source = job.tx.settings.source(mention.source)
    kind = a(KINDS[mention.kind])
    if source.expects_answer is mention.expects_answer:
        return f"{has}: the settings of “{source.name}” say so."
    if mention.expects_answer is source.expects(mention.kind, None):
        expects = "expects an answer" if mention.expects_answer else "is only heard"
        return f"{has}: {kind} {expects}."
    return f"{has}: the post itself says so."


def _unknown(job: Job) -> Refused:
    root = job.tx.settings.root
    return Refused(f"There is no mention {job.number}. `/{root} queue` shows what is open.")


HANDLERS: dict[str, Handler] = {
    "mine": _mine,
    "queue": _queue,
    "show": _show,
    "why": _why,
    "help": _help,
    "storm": _storm,
}
