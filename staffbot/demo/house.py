"""The library of the demo: its staff, its sources, its hours. Settings made in code, no file."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from staffbot.demo.story import NETWORKS
from staffbot.model import Role, Room
from staffbot.seams import Door, Network
from staffbot.secret import Secret
from staffbot.settings import (
    DoorSettings,
    Listener,
    OpeningHours,
    Settings,
    SourceSettings,
    StaffMember,
    StoreSettings,
    Storm,
    Target,
    Team,
    TeamRoom,
)

ROOM = Room(platform="local", id="team")
STAFF = (
    StaffMember(key="ana", name="Ana Silva", ids={"local": "ana"}),
    StaffMember(key="ben", name="Ben Okafor", ids={"local": "ben"}),
    StaffMember(key="sam", name="Sam Reyes", sensitive=True, ids={"local": "sam"}),
    StaffMember(key="mia", name="Mia Lang", role=Role.MANAGER, ids={"local": "mia"}),
    StaffMember(key="desk", name="Front desk", shared=True, ids={"local": "desk"}),
)


def settings(
    data: Path,
    *,
    hook_secret: str,
    identity_key: str,
    door: Door,
    network: Network,
    page: Mapping[str, object],
) -> Settings:
    """The demo's settings; `page` are the options of the local door."""
    hook = network.options.model_validate({"secrets": [Secret(value=hook_secret)]})
    team = Team(
        key="team",
        name="Riverside team",
        rooms=(TeamRoom(room=ROOM),),
        # Always open, so that clocks run at whatever hour somebody looks at the demo.
        hours=OpeningHours(weekly="24/7", zone=local_zone()),
        targets=(Target(claim_within=timedelta(minutes=40), answer_within=timedelta(hours=2)),),
    )
    return Settings(
        library="Riverside Library",
        teams=(team,),
        staff=STAFF,
        sources=tuple(
            SourceSettings(name=name, type=network.type, label=label, options=hook)
            for name, label in NETWORKS.items()
        ),
        doors=(DoorSettings(platform=door.platform, options=door.options.model_validate(page)),),
        store=StoreSettings(
            url=Secret(value=f"sqlite:///{(data / 'staffbot.db').resolve()}"),
            identity_key=Secret(value=identity_key),
        ),
        public=Listener(port=0),
        metrics=Listener(port=0),
        # The story is no storm: each of its posts is to be seen.
        storm=Storm(mentions=60),
        data=data,
    )


def local_zone() -> ZoneInfo:
    """This machine's zone by name; UTC where it cannot be told."""
    told = os.environ.get("TZ", "").lstrip(":") or _zone_of_link() or time.tzname[0]
    try:
        return ZoneInfo(told)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _zone_of_link() -> str:
    """/etc/localtime leads to .../zoneinfo/Europe/Berlin on Linux and macOS."""
    _, _, name = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")
    return name
