"""A bill in a real browser: to be read, and to be printed."""

import pytest
from playwright.sync_api import expect

from larouter.store.usage import Used
from tests.browser.test_overview import browser, faults_of, opened, pytestmark
from tests.web.pages.fakes import FakeBills, FakeServices, a_statement

__all__ = ["browser", "pytestmark"]

EMPTY = a_statement(total=Used(), doubts=[])


@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("bill", [a_statement(), EMPTY], ids=["full", "empty"])
def test_everyone_can_read_it(browser, theme, width, bill):
    services = FakeServices(bills=FakeBills(bill))
    viewport = {"width": width, "height": 820}
    with opened(browser, services, color_scheme=theme, viewport=viewport) as page:
        page.get_by_role("link", name="Statements").click()
        page.get_by_role("link", name="notes").click()
        expect(page.get_by_role("heading", name="notes")).to_be_visible()

        assert faults_of(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_it_is_black_on_white_and_alone(browser):
    with opened(browser, FakeServices(), color_scheme="dark") as page:
        page.goto(f"{page.url}statements/notes/2026-11")
        expect(page.get_by_role("button", name="Print")).to_be_visible()
        page.emulate_media(media="print")

        expect(page.get_by_role("navigation", name="Pages")).to_be_hidden()
        expect(page.get_by_role("button", name="Print")).to_be_hidden()
        colours = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.querySelector('.sheet')).backgroundColor,"
            " getComputedStyle(document.querySelector('.sheet')).color]"
        )
        assert colours == ["rgb(255, 255, 255)", "rgb(255, 255, 255)", "rgb(0, 0, 0)"]
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
