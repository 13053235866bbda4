"""The page of local models in a real browser."""

import pytest
from playwright.sync_api import expect

from larouter.core.machine import Card
from tests.browser.test_overview import browser, faults_of, opened, pytestmark
from tests.machines import a_machine
from tests.web.pages.fakes import FakeServices

__all__ = ["browser", "pytestmark"]


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 800)])
def test_everyone_can_read_it(browser, theme, width):
    services = FakeServices(machine=a_machine(16, cards=(Card(name="RTX 9"),)))
    viewport = {"width": width, "height": 820}
    with opened(browser, services, color_scheme=theme, viewport=viewport) as page:
        page.get_by_role("link", name="Models").click()
        expect(page.get_by_role("heading", name="Models on this machine")).to_be_visible()
        page.locator("#model-gemma-4-12b summary").click()
        expect(page.get_by_text("8 layers × 32,768 tokens × 2,048 bytes")).to_be_visible()

        assert faults_of(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth") <= width
