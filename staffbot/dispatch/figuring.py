"""Figures: the answer to who asks, and *Share here*."""

from __future__ import annotations

from staffbot.desk import figures
from staffbot.dispatch.jobs import Handler, Job
from staffbot.messages import Reply


def _stats(job: Job) -> Reply:
    return figures.asked(
        job.tx, job.person, job.get("what"), teams=job.teams, room=job.actor.room
    )  # fmt: skip


def _share(job: Job) -> Reply:
    return job.answer(
        figures.share(job.tx, job.person, job.get("what"), teams=job.teams, room=job.actor.room)
    )


HANDLERS: dict[str, Handler] = {"stats": _stats, "share stats": _share}
