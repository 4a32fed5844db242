"""One command within its transaction: who asks, which verb, what was said, which mention is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from staffbot import answers
from staffbot.commands import Call, Clear, May, Verb, refusal, usage
from staffbot.desk.ledger import Tx, find
from staffbot.desk.meant import resolve
from staffbot.desk.people import everyone, name_of, people_called
from staffbot.desk.reading import teams_of
from staffbot.desk.resending import refuse_staff
from staffbot.errors import Refused
from staffbot.messages import Message, Reply
from staffbot.model import Actor, AlreadyClaimed, Answer, Person
from staffbot.settings import Team
from staffbot.words import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`number` is 0 for a verb that is about no single mention."""

    tx: Tx
    actor: Actor
    person: Person
    verb: Verb
    said: Mapping[str, str] = field(default_factory=dict)
    number: int = 0

    def get(self, name: str) -> str:
        return self.said.get(name, "").strip()

    def need(self, name: str) -> str:
        """What was said for a slot; Refused with how the verb is typed where nothing was."""
        value = self.get(name)
        if not value:
            raise Refused(usage(self.verb, self.tx.settings.root))
        return value

    @property
    def teams(self) -> tuple[str, ...]:
        """The teams that are meant where none is named."""
        return teams_of(self.tx, self.person, self.actor)

    @property
    def team(self) -> Team:
        """The team by whose zone the asker is answered: the mention's, the room's or their own."""
        mention = find(self.tx, self.number) if self.number else None
        return self.tx.team(mention.team if mention is not None else self.teams[0])

    def answer(self, answer: Answer) -> Message:
        if isinstance(answer, AlreadyClaimed):
            return answers.taken(answer, now=self.tx.now, zone=self.team.hours.zone)
        return answers.of(answer)

    def other_person(self, text: str) -> Person:
        """The staff member who is meant. Raises Refused where it is nobody, or unclear."""
        if text.casefold() in ("me", "myself"):
            return self.person
        # Slack writes a person as <@U1|ana>.
        id, _, label = text.partition("|")
        called = people_called(self.tx, id)
        text = label.rstrip(">") or text.strip("<@!>")
        if len(called) == 1:
            return called[0]
        if called:
            names = listed([one.name for one in called])
            raise Refused(f"“{text[:60]}” may be {names}. Give the full name.")
        names = _some([one.name for one in everyone(self.tx)])
        raise Refused(
            f"Nobody called “{text[:60]}” is known here. Known are {names}; whoever presses or types "
            "anything in the team's channel is known from then on."
        )

    def other_team(self, text: str) -> Team:
        """The team of that key or name. Raises Refused where there is none."""
        wanted = text.casefold()
        for team in self.tx.settings.teams:
            if wanted in (team.key.casefold(), team.name.casefold()):
                return team
        names = ", ".join(team.name for team in self.tx.settings.teams)
        raise Refused(f"There is no team called “{text[:60]}”. The teams are: {names}.")


def _some(names: list[str], most: int = 12) -> str:
    left = len(names) - most
    return listed([*names[:most], f"{left} more"] if left > 0 else names)


Handler = Callable[[Job], Reply]


def job_of(tx: Tx, actor: Actor, person: Person, call: Call, *, mention: int | None = None) -> Job:
    """Look up which mention is meant, and whether this person may. Raises Refused."""
    verb = call.verb
    number = mention or 0
    named = call.said.get("mention", "")
    about_one = any(slot.name == "mention" for slot in verb.slots)
    if about_one and not number and (named or verb.clear is not Clear.UNASKED):
        number = resolve(tx, person, named, actor, verb.clear)
    job = Job(tx=tx, actor=actor, person=person, verb=verb, said=call.said, number=number)
    _permit(job)
    return job


def _permit(job: Job) -> None:
    """The registry's rule, at each action; the desk asks again within its use case."""
    if job.verb.may is May.LEAD and (why := refuse_staff(job.tx, job.person)):
        raise Refused(why)
    if job.verb.may in (May.STAFF, May.LEAD) or not job.number:
        return
    mention = find(job.tx, job.number)
    if mention is None or (job.verb.may is May.TRUSTED and not mention.private):
        return
    owner = name_of(job.tx, mention.owner) if mention.owner else ""
    why = refusal(
        job.verb.may, job.person, job.number, mention.owner, owner, allowed=job.verb.allowed
    )
    if why is not None:
        raise Refused(why)
