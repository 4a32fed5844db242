"""Drives the Chromium and chromedriver of this machine (Debian's packages); downloads neither.

Where there is none, tests are skipped with a word, but never in CI (STAFFBOT_CI).
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

T = TypeVar("T")

PATIENCE = 45.0
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--lang=en-GB",
)


def chromium() -> tuple[str, str]:
    """Chromium and chromedriver; skips the test where one is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser and driver:
        return browser, driver
    if os.environ.get("STAFFBOT_CI"):
        pytest.fail("CI has to have Chromium: apt-get install chromium chromium-driver")
    pytest.skip("no Chromium here: apt-get install chromium chromium-driver")


@contextmanager
def browsing(profile: Path) -> Iterator[webdriver.Chrome]:
    """A fresh browser with a profile of its own."""
    browser, driver = chromium()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


class Page:
    """The page as somebody sees it. Every call waits in a thread until it can be done."""

    def __init__(self, chrome: webdriver.Chrome) -> None:
        self.chrome = chrome

    async def do(self, work: Callable[[webdriver.Chrome], T]) -> T:
        return await asyncio.to_thread(work, self.chrome)

    async def open(self, address: str, *, width: int = 1280, height: int = 860) -> None:
        mobile = width < 500
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        await self.do(lambda c: c.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size))
        await self.do(lambda c: c.get(address))
        await self.until("return document.body.dataset.ready === 'yes'")

    async def scheme(self, name: str) -> None:
        """light or dark"""
        features = [{"name": "prefers-color-scheme", "value": name}]
        await self.do(
            lambda c: c.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        )

    async def script(self, code: str, *given: Any) -> Any:
        return await self.do(lambda c: c.execute_script(code, *given))

    async def until(self, code: str, *given: Any) -> Any:
        """What the script answers, once that is something."""

        def wait(chrome: webdriver.Chrome) -> Any:
            return WebDriverWait(chrome, PATIENCE, poll_frequency=0.05).until(
                lambda c: c.execute_script(code, *given),
                f"never true: {code}",
            )

        return await self.do(wait)

    async def says(self, css: str, text: str) -> None:
        """Wait until an element of that kind says it."""
        code = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".some((one) => one.innerText.includes(arguments[1]))"
        )
        await self.until(code, css, text)

    async def click(self, css: str) -> None:
        """Press it as a person would, once it is there: fails where something covers it."""

        def press(chrome: webdriver.Chrome) -> None:
            wait = WebDriverWait(chrome, PATIENCE, 0.05, ignored_exceptions=(WebDriverException,))

            def pressed(c: webdriver.Chrome) -> bool:
                c.find_element(By.CSS_SELECTOR, css).click()
                return True

            wait.until(pressed, f"cannot be pressed: {css}")

        await self.do(press)

    async def type(self, css: str, *keys: str) -> None:
        await self.do(lambda c: c.find_element(By.CSS_SELECTOR, css).send_keys(*keys))

    async def keys(self, *keys: str) -> None:
        """Type to whatever has the focus."""
        await self.do(lambda c: _focused(c).send_keys(*keys))

    async def focused(self) -> str:
        """What has the focus: its label or text."""
        return str(
            await self.script(
                "const a = document.activeElement;"
                "return a.getAttribute('aria-label') || a.labels?.[0]?.innerText || a.innerText"
            )
        )

    async def picture(self, path: Path) -> None:
        await self.do(lambda c: c.save_screenshot(str(path)))

    async def complaints(self) -> list[str]:
        """What the browser's console says: errors of ours, and what the policy kept out."""
        log = await self.do(lambda c: c.get_log("browser"))  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in log]


def _focused(chrome: webdriver.Chrome) -> WebElement:
    return chrome.switch_to.active_element


__all__ = ["Keys", "Page", "browsing", "chromium"]
