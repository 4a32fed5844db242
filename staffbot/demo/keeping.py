"""What the demo keeps between two starts beside its database: its keys, its clock, its place in the
story. The clock may run fast, and must not go back at a new start."""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from staffbot.errors import ConfigError


@dataclass(slots=True, kw_only=True)
class Kept:
    """The file `demo.json` of the data folder."""

    path: Path
    hook_secret: str
    identity_key: str
    told: int = 0
    clock_at: str = ""

    @classmethod
    def open(cls, data: Path) -> Kept:
        """What a start before this one kept, or new keys. Raises ConfigError."""
        path = data / "demo.json"
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists():
                return cls(path=path, **json.loads(path.read_text()))
            key = base64.b64encode(secrets.token_bytes(32)).decode()
            kept = cls(path=path, hook_secret=f"whsec_{key}", identity_key=secrets.token_hex(32))
            kept.save()
        except (OSError, ValueError, TypeError) as problem:
            reason = f"the demo cannot keep its data there ({type(problem).__name__}: {path})."
            raise ConfigError.at("--data", reason, "staffbot demo --data /tmp/demo") from problem
        return kept

    def save(self) -> None:
        """Whole or not at all: a demo may be killed too."""
        content = asdict(self)
        del content["path"]
        fresh = self.path.with_suffix(".new")
        handle = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(content, file)
        fresh.replace(self.path)


class FastClock:
    """A clock that runs `speed` times as fast, and goes on from where it stood at the last end."""

    def __init__(
        self, speed: float, kept_at: str = "", elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        now = datetime.now(UTC)
        self._speed = speed
        self._began_at = max(now, datetime.fromisoformat(kept_at)) if kept_at else now
        self._elapsed = elapsed
        self._began = elapsed()

    def __call__(self) -> datetime:
        return self._began_at + timedelta(seconds=(self._elapsed() - self._began) * self._speed)
