"""The page of the local door in headless Chromium: what a person sees, presses, types and hears."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from staffbot.messages import say
from staffbot.model import Media
from tests.browser import Keys, Page, browsing
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.local_stage import OTHER, Served, served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

CARD = "#messages article[data-mention='1']"


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with browsing(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, FakeDesk()) as channel:
        yield channel


@pytest.fixture
async def page(chrome: webdriver.Chrome) -> AsyncIterator[Page]:
    shown = Page(chrome)
    await shown.complaints()
    yield shown
    complaints = await shown.complaints()
    # Nothing listens any more: a page that stays open would go on asking.
    await shown.do(lambda c: c.get("about:blank"))
    assert complaints == []


async def test_a_card_comes_in_and_is_claimed_with_one_press(here: Served, page: Page) -> None:
    await page.open(here.address)
    await page.says("#empty", "Nothing has come in yet.")
    await here.card(here.desk.tell("Is there Wi-Fi in the garden?"))
    await page.says(f"{CARD} blockquote", "Is there Wi-Fi in the garden?")
    await page.says("#spoken", "Mention 1 is unclaimed.")
    assert "garden" not in await page.script("return document.getElementById('spoken').innerText")
    await page.click(f"{CARD} [data-control=claim]")
    await page.says("#answers article", "You have 1.")
    await here.card(1)
    await page.says(f"{CARD} .facts", "Claimed by Ana Silva")
    assert await page.script("return document.querySelectorAll('#messages article').length") == 1


async def test_somebody_else_is_told_who_has_it_and_dismisses_that(
    here: Served, page: Page
) -> None:
    await here.card(here.desk.tell("Is there Wi-Fi?"))
    here.desk.mentions[1].owner = "Ana Silva"
    await page.open(here.address)
    await page.script(
        "const me = document.getElementById('me'); me.value = 'ben';"
        "me.dispatchEvent(new Event('change'))"
    )
    await page.click(f"{CARD} [data-control=claim]")
    await page.says("#answers article", "Ana Silva has 1.")
    await page.click("#answers .close")
    await page.until("return document.getElementById('answers').hidden")
    assert here.desk.asked[-1] == ("press", "ben", "claim", "1", "")
    await page.script("localStorage.clear()")


async def test_what_can_be_typed_is_marked_without_backticks(here: Served, page: Page) -> None:
    await page.open(here.address)
    await page.type("#line", "clam", Keys.ENTER)
    await page.says("#answers code", "/lib claim")
    await page.says("#answers .text", "There is no command “clam”. Did you mean /lib claim?")
    await page.says("#spoken", "Did you mean /lib claim?")


async def test_a_form_is_a_dialog_and_is_sent_back(here: Served, page: Page) -> None:
    await here.card(here.desk.tell("Is there Wi-Fi?"))
    here.desk.mentions[1].owner = "Ana Silva"
    await here.card(1)
    await page.open(here.address)
    await page.click(f"{CARD} [data-control=done]")
    await page.says("#dialog h2", "Close 1")
    await page.click("#dialog input[value=idea]")
    await page.type("#dialog textarea", "Told her about the garden.")
    await page.click("#dialog button.primary")
    await page.says("#answers article", "Mention 1 is closed.")
    values = {"outcome": "answered", "topics": ["idea"], "note": "Told her about the garden."}
    assert here.desk.asked[-1] == ("submit", "ana", "done", "1", repr(values))


async def test_a_form_that_is_refused_keeps_what_was_written(here: Served, page: Page) -> None:
    await here.card(here.desk.tell("Is there Wi-Fi?"))
    here.desk.mentions[1].owner = "Ana Silva"
    await here.card(1)
    await page.open(here.address)
    await page.click(f"{CARD} [data-control=done]")
    await page.says("#dialog h2", "Close 1")
    await page.click("#dialog input[value=idea]")
    await page.type("#dialog textarea", "Told her about the garden.")
    here.desk.refuses = "Ben Okafor has 1 since 10:02."
    await page.click("#dialog button.primary")
    await page.says("#dialog .complaint", "Ben Okafor has 1 since 10:02.")
    here.desk.refuses = ""
    await page.click("#dialog button.primary")
    await page.says("#answers article", "Mention 1 is closed.")
    values = {"outcome": "answered", "topics": ["idea"], "note": "Told her about the garden."}
    assert here.desk.asked[-2:] == [("submit", "ana", "done", "1", repr(values))] * 2


async def test_all_of_it_can_be_done_by_keyboard(here: Served, page: Page) -> None:
    await here.card(here.desk.tell("Is there Wi-Fi?"))
    await page.open(here.address)
    await page.keys(Keys.TAB)
    assert await page.focused() == "Skip to the command line"
    await page.keys(Keys.ENTER)
    assert await page.focused() == "Command"
    await page.keys("cl")
    await page.says("#completions", "take a mention")
    await page.keys(Keys.TAB)
    await page.keys(" 1", Keys.ENTER)
    await page.says("#answers article", "You have 1.")
    # History, as in any command line.
    await page.keys(Keys.ARROW_UP)
    assert await page.script("return document.getElementById('line').value") == "claim 1"
    # A menu opens and closes by key, and gives the focus back.
    await page.script("document.querySelector(arguments[0]).focus()", f"{CARD} summary")
    await page.keys(Keys.ENTER)
    await page.until("return document.querySelector('details[open]') !== null")
    await page.keys(Keys.TAB)
    await page.keys(Keys.ESCAPE)
    await page.until("return document.querySelector('details[open]') === null")
    assert await page.focused() == "Assign"


async def test_the_focus_stays_when_a_card_says_something_else(here: Served, page: Page) -> None:
    await here.card(here.desk.tell("Is there Wi-Fi?"))
    await page.open(here.address)
    await page.script("document.querySelector(arguments[0]).focus()", f"{CARD} [data-control=more]")
    here.desk.mentions[1].text = "Is there Wi-Fi in the garden?"
    await here.card(1)
    await page.says(f"{CARD} blockquote", "garden")
    assert await page.focused() == "More"
    await page.script(
        "document.querySelector(arguments[0]).focus()", f"{CARD} [data-control=claim]"
    )
    here.desk.mentions[1].owner = "Ben Okafor"
    await here.card(1)
    await page.says(f"{CARD} .facts", "Claimed by Ben Okafor")
    # That button is gone, so the card itself has the focus: not the top of the page.
    assert await page.script("return document.activeElement.dataset.mention") == "1"


async def test_every_control_has_a_name_and_a_focus_that_shows(here: Served, page: Page) -> None:
    await here.card(here.desk.tell("Is there Wi-Fi?"))
    await here.chat.direct("ana", say("For you."), "told:1:ana")
    await page.open(here.address)
    await page.says("#directs", "For you.")
    nameless = await page.script(
        "return [...document.querySelectorAll('button, a[href], input, select, textarea, summary')]"
        ".filter((one) => one.offsetParent !== null)"
        ".filter((one) => !(one.textContent || one.ariaLabel || one.labels?.length))"
        ".map((one) => one.outerHTML)"
    )
    assert nameless == []
    await page.script("document.getElementById('me').focus()")
    await page.keys(Keys.TAB)
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert await page.script(outline) == "solid"


async def test_it_fits_a_phone(here: Served, page: Page) -> None:
    long = "Donaudampfschifffahrtsgesellschaftskapitänsmütze" * 4
    photo = Media(url="https://x.example/" + "a" * 300, alt=long)
    await here.card(here.desk.tell(long, name=long, media=(photo,)))
    await page.open(here.address, width=375, height=760)
    await page.says(CARD, "Unclaimed")
    page_width, window, timeline = await page.script(
        "return [document.documentElement.scrollWidth, innerWidth,"
        " document.getElementById('timeline').scrollWidth]"
    )
    assert page_width <= window == 375
    assert timeline <= 375
    small = await page.script(
        "return [...document.querySelectorAll('#messages .controls > button, #tabs button')]"
        ".filter((one) => one.offsetParent && one.offsetHeight < 44).map((one) => one.innerText)"
    )
    assert small == []
    await here.chat.direct("ana", say("For you."), "told:1:ana")
    await page.says("#tabs", "1 new")
    await page.click("#tabs [data-pane=direct]")
    await page.says("#directs", "For you.")
    assert await page.script("return document.getElementById('channel').offsetParent === null")


async def test_many_rooms_push_nothing_off_a_phone(here: Served, page: Page) -> None:
    await here.card(here.desk.tell("Is there Wi-Fi?"))
    await page.open(here.address, width=390, height=760)
    await page.says(CARD, "Unclaimed")
    await page.script(
        "const bar = document.getElementById('rooms');"
        "for (let n = 0; n < 4; n += 1) bar.append(bar.firstElementChild.cloneNode(true))"
    )
    beyond = await page.script(
        "return [...document.querySelectorAll('.top, .timeline, article, #command button, #me')]"
        ".filter((one) => one.getBoundingClientRect().right > innerWidth)"
        ".map((one) => one.className || one.tagName)"
    )
    assert beyond == []
    assert await page.script(
        "const bar = document.getElementById('rooms'); return bar.scrollWidth > bar.clientWidth"
    ), "the bar itself scrolls"


async def test_what_a_patron_writes_stays_text(here: Served, page: Page) -> None:
    hostile = (
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    )
    link = Media(url="javascript:document.title='owned'", alt=hostile)
    await here.card(here.desk.tell(hostile, name=hostile, media=(link,)))
    await page.open(here.address)
    await page.says(f"{CARD} blockquote", hostile)
    found = await page.script(
        "const card = document.querySelector(arguments[0]);"
        "return [card.querySelectorAll('img, script, iframe, style').length,"
        " card.querySelectorAll('a[href^=javascript]').length, document.title]",
        CARD,
    )
    assert found == [0, 0, "Riverside Library: staffbot"]


async def test_nothing_but_what_was_shipped_can_run(here: Served, page: Page) -> None:
    await page.open(here.address)
    kept_out = await page.script(
        "window.ran = false;"
        "try { const s = document.createElement('script'); s.textContent = 'window.ran = true';"
        " document.head.append(s); } catch { }"
        "try { document.body.insertAdjacentHTML('beforeend', '<b id=injected></b>'); } catch { }"
        "return [window.ran, document.getElementById('injected')]"
    )
    assert kept_out == [False, None]
    complaints = await page.complaints()
    assert complaints  # the policy says what it kept out
    assert all("Content Security Policy" in said or "Trusted" in said for said in complaints)


async def test_rooms_and_a_lost_connection(tmp_path: Path, page: Page) -> None:
    desk = FakeDesk()
    async with served(tmp_path, desk) as first:
        port = int(first.address.rsplit(":", 1)[1].rstrip("/"))
        await first.card(desk.tell("In the first room"))
        await page.open(first.address)
        await first.card(desk.tell("In the other room"), OTHER)
        await page.says("#rooms", "1 new")
        await page.click("#rooms button:nth-child(2)")
        await page.says("#messages blockquote", "In the other room")
        await page.click("#rooms button:nth-child(1)")
        await page.says("#messages blockquote", "In the first room")
    await page.until("return !document.getElementById('offline').hidden")
    async with served(tmp_path, desk, port=port) as second:
        await second.card(desk.tell("While nobody was looking"))
        await page.says("#messages blockquote", "While nobody was looking")
        await page.until("return document.getElementById('offline').hidden")
        assert (
            await page.script("return document.querySelectorAll('#messages article').length") == 2
        )
    await page.script("localStorage.clear()")
    # Chromium notes the refused connections in between; that is all it may have noted.
    assert all("ERR_" in said for said in await page.complaints())
