"""Pictures of the page, for the README and for eyes; nothing compares them.

Taken where STAFFBOT_SCREENSHOTS names a folder, as `make screenshots` does (git ignores it).
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tests.browser import Page

SIZES = {"desktop": (1280, 860), "phone": (375, 812)}


async def take(page: Page, address: str, name: str, prepare: str = "") -> None:
    """The page in light and dark, on a desk and on a phone; `prepare` is a script to run before."""
    where = os.environ.get("STAFFBOT_SCREENSHOTS")
    if not where:
        return
    folder = Path(where)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            await page.scheme(scheme)
            await page.open(address, width=width, height=height)
            if prepare:
                await page.script(prepare)
            await asyncio.sleep(0.7)  # what comes in fades in
            await page.picture(folder / f"{name}-{size}-{scheme}.png")
    await page.scheme("light")
