"""The page, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from browser import Page, browser
from fieldcapture.gateway import Share, write_gateway_export
from mailtap.cli.report import report
from prerequisites import need_chromium

EVIL = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"

MAKEUP = (
    Share("smtp", 25, "MAIL", 60),
    Share("smtp", 25, "BASE", 30),
    Share("smtp", 80, "BASE", 5),
    Share("pop3.ssl", 110, "SSL", 4),
    Share("http.imap", 8080, "HTTP", 3),
    Share(f"{EVIL}", 25, "BASE", 2),
    Share("smtp", 2525, f"{EVIL}", 1),
)

PHONE = {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    write_gateway_export(folder / "export.csv", makeup=MAKEUP)
    page = folder / "report.html"
    result = CliRunner().invoke(report, [str(folder / "export.csv"), "--html", str(page)])
    assert result.exit_code == 0, result.output
    return page


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(need_chromium(), tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(chromium: Page, path: Path) -> Page:
    chromium.send("Emulation.clearDeviceMetricsOverride")
    chromium.send("Emulation.setEmulatedMedia", media="", features=[])
    chromium.open(path)
    return chromium


def shown(page: Page, column: int) -> list[str]:
    """The visible texts of a column of the example sessions."""
    texts: list[str] = page.run(
        "[...document.querySelectorAll('#examples tbody tr')].filter(row => !row.hidden)"
        f".map(row => row.cells[{column}].textContent)"
    )
    return texts


def test_it_loads_nothing_and_nothing_in_it_is_blocked_or_fails(page: Page, path: Path) -> None:
    requested = [
        event["params"]["request"]["url"]
        for event in page.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert requested == [path.as_uri()]
    troubles = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
    assert [event for event in page.events if event["method"] in troubles] == []


def test_text_from_a_log_is_text(page: Page) -> None:
    assert page.run("document.title") == "MailTap report"
    assert page.run("document.querySelectorAll('img').length") == 0
    assert page.run("document.scripts.length") == 1
    assert page.run("document.body.textContent.includes('onerror=alert(1)')")


def test_it_leads_with_the_headline(page: Page) -> None:
    # 60 are MAIL, 4 SSL by label too, 3 carried by HTTP, and 2 mail to neither side.
    assert page.run("document.querySelector('h1').textContent") == (
        "Where both decoded, decode_as agrees with the label in 65.7% of 105 sessions"
    )


def test_the_style_sheet_and_the_heat_map_are_applied(page: Page) -> None:
    colours = page.run(
        "[...document.querySelectorAll('td.heat-9')].map(cell => "
        "getComputedStyle(cell).backgroundColor)"
    )
    assert colours
    assert "rgba(0, 0, 0, 0)" not in colours


def test_examples_of_a_cause_can_be_picked(page: Page) -> None:
    assert set(shown(page, 0)) == {"carrier", "nonstandard_port", "starttls", "unexplained"}
    page.run(
        "document.getElementById('cause').value = 'starttls';"
        "document.getElementById('cause').dispatchEvent(new Event('change'))"
    )
    assert shown(page, 0) == ["starttls"] * 4
    assert page.run("document.getElementById('shown').textContent").startswith("4 of ")


def test_examples_can_be_searched_and_sorted_by_keyboard_alone(page: Page) -> None:
    page.run("document.getElementById('search').focus()")
    page.send("Input.insertText", text="8080")
    assert shown(page, 0) == ["carrier"] * 3
    page.press("Tab")
    page.press("Tab")  # to the table, which scrolls
    page.press("Tab")
    page.press("Tab")
    page.press("Tab")  # past cause and verdict
    assert page.run("document.activeElement.textContent") == "time (UTC)"
    page.press("Enter")
    rising = shown(page, 2)
    page.press("Enter")
    assert rising == sorted(rising)
    assert shown(page, 2) == rising[::-1]
    assert page.run("document.activeElement.parentElement.ariaSort") == "descending"


def test_a_phone_scrolls_tables_and_not_the_page(page: Page) -> None:
    page.send("Emulation.setDeviceMetricsOverride", **PHONE)
    assert page.run("document.documentElement.scrollWidth") == PHONE["width"]


def test_dark_and_light(page: Page) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.run(colour)
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.send("Emulation.setEmulatedMedia", media="", features=dark)
    assert page.run(colour) != light


def test_on_paper_the_controls_are_gone(page: Page) -> None:
    page.send("Emulation.setEmulatedMedia", media="print", features=[])
    assert page.run("getComputedStyle(document.querySelector('.filter')).display") == "none"
