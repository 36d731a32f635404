"""The live page, in a real browser."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from serving import Served, served
from snapshots import beginning, disagreement, hostile, usual

from browser import Page, browser
from mailtap.report.statistics import rate
from prerequisites import need_chromium

PHONE = {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}
TROUBLES = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(need_chromium(), tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def site() -> Iterator[Served]:
    with served(usual()) as one:
        yield one


@pytest.fixture
def page(chromium: Page, site: Served) -> Page:
    chromium.send("Emulation.clearDeviceMetricsOverride")
    chromium.send("Emulation.setEmulatedMedia", media="", features=[])
    visit(chromium, site)
    return chromium


def visit(page: Page, site: Served) -> None:
    page.events.clear()
    page.send("Page.navigate", url=site.url)
    wait(page, "document.getElementById('connection')?.textContent === 'Live'")


def wait(page: Page, condition: str) -> None:
    deadline = time.monotonic() + 15
    while not page.run(condition):
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)


def press(page: Page, key: str, code: int) -> None:
    for kind in ("rawKeyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code)


def test_it_asks_its_own_server_only_and_nothing_is_blocked_or_fails(
    page: Page, site: Served
) -> None:
    requested = [
        event["params"]["request"]["url"]
        for event in page.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert set(requested) <= {
        site.url + path for path in ("", "style.css", "script.js", "events")
    } | {"data:,"}
    assert [event for event in page.events if event["method"] in TROUBLES] == []


def test_it_shows_what_changes_as_it_changes(page: Page, site: Served) -> None:
    assert page.run("document.querySelector('h1').textContent.includes('58.3%')")
    both = replace(usual().both_decoded, consistent=rate(12_345, 100_000))
    site.show(replace(usual(), both_decoded=both))
    wait(page, "document.querySelector('h1').textContent.includes('12.3%')")


def test_text_of_others_is_text(chromium: Page) -> None:
    with served(hostile()) as site:
        visit(chromium, site)
        time.sleep(1)  # for whatever would be loaded or run
        assert chromium.run("document.title") == "MailTap live"
        assert chromium.run("document.querySelectorAll('img').length") == 0
        assert chromium.run("document.scripts.length") == 1
        assert chromium.run("document.body.textContent.includes('onerror=')")
        assert [event for event in chromium.events if event["method"] in TROUBLES] == []


def test_it_begins_before_anything_came(chromium: Page) -> None:
    with served(beginning()) as site:
        visit(chromium, site)
        assert chromium.run("document.querySelector('h1').textContent") == (
            "No session is matched with a label yet"
        )
        site.show(usual())
        wait(chromium, "document.querySelector('h1').textContent.includes('58.3%')")


def test_a_session_opens_by_keyboard_and_the_next_one_by_arrow(page: Page) -> None:
    page.run("document.querySelector('button.open').focus()")
    page.press("Enter")
    assert page.run("document.getElementById('detail').open")
    shown = "document.getElementById('detail-body').textContent"
    assert page.run(f"{shown}.includes('CHhAvVGS1DHFjwGM0')")
    assert page.run("document.getElementById('newer').disabled")
    for fact in ("stage reachedenvelope", "250 2.1.5 Ok", "client's payload bytes1,700"):
        assert page.run(f"{shown}.replaceAll('\\n', '').includes({json.dumps(fact)})"), fact
    press(page, "ArrowRight", 39)
    assert page.run(f"{shown}.includes('CHhAvVGS1DHFjwGM1')")
    press(page, "ArrowLeft", 37)
    assert page.run(f"{shown}.includes('CHhAvVGS1DHFjwGM0')")
    press(page, "Escape", 27)
    assert not page.run("document.getElementById('detail').open")
    wait(page, "document.activeElement === document.querySelector('button.open')")


def test_a_session_stays_open_and_the_focus_where_it_was_while_the_list_moves(
    page: Page, site: Served
) -> None:
    page.run("document.querySelectorAll('button.open')[3].focus()")
    page.press("Enter")
    newer = (disagreement(-1), *usual().disagreements)
    site.show(replace(usual(), disagreements=newer))
    wait(page, "document.querySelectorAll('button.open').length === 25")
    assert page.run("document.getElementById('detail-body').textContent.includes('GM3')")
    page.run("for (const _ of Array(9)) document.getElementById('newer').click()")
    assert page.run("document.getElementById('detail-body').textContent.includes('GM-1')")
    press(page, "Escape", 27)
    wait(page, "document.activeElement === document.querySelector('button.open')")
    focused = page.run("document.activeElement.id")
    site.show(replace(usual(), disagreements=newer[:10]))
    wait(page, "document.querySelectorAll('button.open').length === 10")
    assert page.run("document.activeElement.id") == focused


def test_a_list_stays_scrolled_where_it_was(page: Page, site: Served) -> None:
    page.run("document.querySelector('.list').scrollTop = 50")
    site.show(replace(usual(), disagreements=usual().disagreements[1:]))
    wait(page, "document.querySelectorAll('button.open').length === 23")
    assert page.run("document.querySelector('.list').scrollTop") == 50


def test_pause_holds_the_page_still(page: Page, site: Served) -> None:
    page.run("document.getElementById('pause').focus()")
    page.press("Enter")
    assert page.run("document.getElementById('connection').textContent") == "Paused"
    site.show(replace(usual(), waiting=4_711))
    time.sleep(2)
    assert not page.run("document.body.textContent.includes('4,711')")
    page.press("Enter")
    wait(page, "document.body.textContent.includes('4,711')")


def test_the_page_says_that_its_server_went_away(chromium: Page) -> None:
    with served(usual()) as site:
        visit(chromium, site)
    wait(chromium, "document.getElementById('connection').textContent.startsWith('Connection')")


def test_everything_that_can_be_used_is_reached_by_keyboard(page: Page) -> None:
    """And shows that it has the focus."""
    page.run("document.body.focus()")
    reached = set()
    for _ in range(40):
        page.press("Tab")
        reached.add(page.run("document.activeElement.id || document.activeElement.ariaLabel"))
        assert page.run(
            "document.activeElement === document.body"
            " || getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        )
    usable = page.run(
        "[...document.querySelectorAll('main button, .controls > #pause, .scroll[tabindex]')]"
        ".map(one => one.id || one.ariaLabel)"
    )
    assert set(usable) <= reached


@pytest.mark.parametrize(
    "shown", [usual(), hostile(), beginning()], ids=["usual", "hostile", "beginning"]
)
def test_it_fits_a_phone(chromium: Page, shown: object) -> None:
    chromium.send("Emulation.setDeviceMetricsOverride", **PHONE)
    with served(shown) as site:  # type: ignore[arg-type]
        visit(chromium, site)
        assert chromium.run("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page: Page, scheme: str) -> None:
    """Contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.send("Emulation.setEmulatedMedia", media="", features=features)
    for selector in ("body", ".quiet", "button.open", "#pause", ".notice"):
        ink, paper = page.run(
            "(() => { const one = document.querySelector(" + repr(selector) + ");"
            "const solid = (e) => { const c = getComputedStyle(e).backgroundColor;"
            "return c === 'rgba(0, 0, 0, 0)' && e.parentElement ? solid(e.parentElement) : c; };"
            "return [getComputedStyle(one).color, solid(one)]; })()"
        )
        lighter, darker = sorted((luminance(ink), luminance(paper)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (selector, ink, paper)


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2) of `rgb(r, g, b)`."""
    parts = [int(part) / 255 for part in color.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
