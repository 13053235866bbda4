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


def test_the_recommended_set_is_downloaded_with_one_button(browser):
    services = FakeServices(machine=a_machine(16))
    with opened(browser, services) as page:
        page.get_by_role("link", name="Models").click()
        page.get_by_role("button", name="Download 12.1 GB").click()
        far = page.get_by_role("progressbar", name="Gemma 4 E4B")
        expect(far).to_have_attribute("value", "0")

        services.downloads.arrived["gemma-4-e4b"] = 2_577_470_640
        expect(far).to_have_attribute("value", "50")
        page.get_by_role("button", name="Pause").first.click()
        expect(page.get_by_text("paused 50 %")).to_be_visible()
        assert faults_of(page) == ""

        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Cancel").first.click()
        expect(far).to_have_count(0)
        assert ("cancel", "gemma-4-e4b") in services.downloads.asked


def test_a_model_that_has_come_changes_the_page(browser):
    services = FakeServices(machine=a_machine(16))
    with opened(browser, services) as page:
        page.get_by_role("link", name="Models").click()
        page.get_by_role("button", name="Download 12.1 GB").click()
        expect(page.get_by_role("progressbar")).to_have_count(2)

        services.downloads.orders.clear()
        services.states.update({"gemma-4-e4b": "stopped", "gemma-4-12b": "stopped"})

        expect(page.get_by_text("Nothing to download")).to_be_visible()
