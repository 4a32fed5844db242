"""The clock: snooze, wait, wake, still, take over, away, opening hours, own settings, health."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from staffbot import answers
from staffbot.desk import availability, closures, health, pausing, preferences, resending
from staffbot.dispatch.jobs import Handler, Job
from staffbot.doorchange import parse_door_change
from staffbot.doorsign import door_lines, said_of
from staffbot.errors import Refused
from staffbot.hours import Hours
from staffbot.messages import Bullets, Heading, Message, Part, Reply, say
from staffbot.times import parse_clock, parse_moment
from staffbot.words import count, duration, listed


def _snooze(job: Job) -> Reply:
    """Until a moment, or until the patron writes."""
    until = job.need("until")
    if until.casefold() in ("patron", "the patron", "patron writes", "the patron writes"):
        return _wait(job)
    return job.answer(pausing.snooze(job.tx, job.number, job.person, _moment(job, until)))


def _moment(job: Job, text: str) -> datetime:
    return parse_moment(text, now=job.tx.now, hours=job.tx.hours(job.team.key))


def _wait(job: Job) -> Reply:
    return job.answer(pausing.wait(job.tx, job.number, job.person))


def _wake(job: Job) -> Reply:
    return job.answer(pausing.wake(job.tx, job.number, job.person))


def _still(job: Job) -> Reply:
    return job.answer(pausing.still_on_it(job.tx, job.number, job.person))


def _takeover(job: Job) -> Reply:
    return job.answer(availability.take_over(job.tx, job.number, job.person))


def _away(job: Job) -> Reply:
    until = job.need("until")
    if until.casefold() in ("off", "no", "back"):
        return _back(job)
    return job.answer(availability.away(job.tx, job.person, _moment(job, until)))


def _back(job: Job) -> Reply:
    return job.answer(availability.back(job.tx, job.person))


def _hours(job: Job) -> Reply:
    """Shown, or changed by `close ...` or `open ...`."""
    verb, _, rest = job.get("change").partition(" ")
    if verb.casefold() in ("close", "closed", "shut", "open"):
        return _announce(job, rest, opens=verb.casefold() == "open")
    teams = (_team_of_hours(job),) if verb else job.teams
    parts: list[Part] = []
    for key in teams:
        if len(teams) > 1:
            parts.append(Heading(text=job.tx.team(key).name))
        lines = door_lines(job.tx.hours(key), now=job.tx.now)
        parts.append(Bullets(lines=tuple((line,) for line in lines)))
    return Message(text=_open_or_closed(job, teams), parts=tuple(parts))


def _open_or_closed(job: Job, teams: Sequence[str]) -> str:
    """Whether the doors are open now; of several teams each is named, as they may differ."""
    now = {key: job.tx.hours(key).is_open(job.tx.now) for key in teams}
    if len(job.tx.settings.teams) == 1:
        return f"The library is {'open' if now[teams[0]] else 'closed'} now."
    said = [f"{job.tx.team(key).name} is {'open' if now[key] else 'closed'}" for key in teams]
    return f"{listed(said)} now."


def _team_of_hours(job: Job) -> str:
    try:
        return job.other_team(job.get("change")).key
    except Refused as refused:
        root = job.tx.settings.root
        change = f'To change the hours, type /{root} hours close today "burst pipe".'
        raise Refused(f"{refused} {change}") from None


def _announce(job: Job, text: str, *, opens: bool) -> Reply:
    settings = job.tx.settings

    def hours(team: str | None) -> Hours:
        return job.tx.hours(team or job.teams[0])

    change = parse_door_change(
        text, opens=opens, now=job.tx.now, hours=hours,
        teams={team.key: team.name for team in settings.teams},
    )  # fmt: skip
    # Its own verb and reason are said by the desk, which adds who announced it.
    when = said_of(change.closure, hours(change.team), now=job.tx.now)
    when = when.removeprefix("open ").removeprefix("closed ")
    announcement = closures.Announcement(
        team=change.team, starts_at=change.starts_at, ends_at=change.ends_at, opens=opens,
        reason=change.reason, said=when.removesuffix(f" ({change.reason})"),
    )  # fmt: skip
    return job.answer(closures.announce(job.tx, announcement, job.person))


def _settings(job: Job) -> Reply:
    said = job.get("setting")
    name, _, value = said.partition(" ")
    match name.casefold():
        case "":
            return _my_settings(job)
        case "nags" | "reminders":
            return job.answer(preferences.nag_by(job.tx, job.person, value.strip().casefold()))
        case "platform":
            return job.answer(preferences.prefer(job.tx, job.person, value.strip().casefold()))
        case "sign" | "signature":
            if not value.strip():
                raise Refused(
                    f"With which name? {_set(job, 'sign Ana')}, or {_set(job, 'sign off')}."
                )
            none = value.strip().casefold() in ("off", "none")
            return job.answer(preferences.sign(job.tx, job.person, "" if none else value))
        case "quiet":
            start, end = _quiet_hours(job, value)
            return job.answer(preferences.be_quiet(job.tx, job.person, start, end))
        case _:
            raise Refused(
                f"“{name[:40]}” is no setting. You can set: nags direct, nags channel, "
                "quiet 12:00-13:00, quiet off, "
                f"sign and your name, sign off, platform and its name: "
                f"/{job.tx.settings.root} settings quiet 12:00-13:00."
            )


def _set(job: Job, what: str) -> str:
    return f"/{job.tx.settings.root} settings {what}"


def _quiet_hours(job: Job, value: str) -> tuple[str, str]:
    if value.strip().casefold() in ("off", "none", "no"):
        return "", ""
    # A hyphen or a dash, as phones write it, or a word.
    start, *rest = re.split(r"\s*(?:[-\u2013]|to|until)\s*", value.strip(), maxsplit=1)
    if not rest:
        raise Refused(f"Quiet hours have a beginning and an end: {_set(job, 'quiet 12:00-13:00')}.")
    return _clock(start), _clock(rest[0])


def _clock(text: str) -> str:
    """`9pm` or `9` as 21:00 and 9:00; what is no time of day is left for the desk to refuse."""
    minutes = parse_clock(f"{text}:00" if text.isdigit() else text)
    return text if minutes is None else f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _my_settings(job: Job) -> Reply:
    mine = preferences.preferences(job.tx, job.person)
    by = "by direct message" if mine.nags_by == "direct" else "in the channel"
    quiet = f"{mine.quiet_from} to {mine.quiet_until}" if mine.quiet_from else "none"
    signed = f"“{mine.signature}”" if mine.signature else "no name"
    root = job.tx.settings.root
    return say(
        "These are your settings.",
        f"Reminders: {by} (/{root} settings nags direct, or nags channel)",
        f"Quiet hours: {quiet} (/{root} settings quiet 12:00-13:00, or quiet off)",
        f"Your answers to patrons are signed with {signed} (/{root} settings sign Ana, or sign off)",
        f"Direct messages on: {mine.preferred_platform or 'whichever platform knows you'}",
    )


def _health(job: Job) -> Reply:
    report = health.report(job.tx)
    unsent = report.oldest_unsent
    lines = [f"{one.said} (for {duration(report.at - one.began_at)})" for one in report.troubles]
    told = {one.subject for one in report.troubles}
    for source in report.sources:
        # Not yet for so long that everybody is told of it, but whoever asks wants to know.
        if source.failing_since is not None and f"source:{source.name}" not in told:
            shown = job.tx.settings.source(source.name).shown_as
            why = f": {source.error}" if source.error else ""
            since = duration(report.at - source.failing_since)
            lines.append(f"{shown} cannot be read just now{why} (for {since})")
    if report.unwritable:
        lines.insert(0, f"Nothing can be stored just now: {report.unwritable}.")
    if unsent is not None and report.stuck:
        lines.append(f"The oldest post has been waiting for {duration(unsent)}.")
    if not lines:
        return say("All is well.", f"{count(len(report.sources), 'source')} read.")
    return answers.troubles(lines)


def _resend(job: Job) -> Reply:
    return job.answer(resending.resend(job.tx, job.number or None, job.person))


HANDLERS: dict[str, Handler] = {
    "snooze": _snooze,
    "wait": _wait,
    "wake": _wake,
    "still": _still,
    "takeover": _takeover,
    "away": _away,
    "back": _back,
    "hours": _hours,
    "settings": _settings,
    "health": _health,
    "resend": _resend,
}
