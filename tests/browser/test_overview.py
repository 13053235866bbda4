"""The first page in a real browser: what people see, with nothing off this machine asked for."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from larouter.core.report import Today
from larouter.web import session
from tests.web.pages.fakes import ADMIN_KEY, FakeServices, a_line, a_server, an_alert

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LINES = [
    a_line("done", degraded="not-downloaded"),
    a_line("paid", tier="FRONTIER", is_local=False, cost_nusd=9_100_000, model="openai/big"),
    a_line("priceless", tier="COMPLEX", is_local=False, cost_nusd=None, model="google/some"),
    a_line("failed", tier="MODERATE", state="failed", status=504, error="upstream_timeout"),
    a_line("refused", tier="-", state="refused", status=404, model=None, error="model_not_found"),
    a_line("open", tier="HEARTBEAT", state="open", duration_ms=None),
]
FIGURES = Today(requests=6, succeeded=4, local=3, cost_nusd=9_100_000, unpriced=1, median_ms=412)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, services: FakeServices, *, signed_in: bool = True, **options
) -> Iterator[Page]:
    """A page at `/`. Leaving it fails if anything went wrong that a person would not see."""
    with a_server(services) as app:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 820}} | options))
        page, faults = context.new_page(), []
        page.on(
            "console",
            lambda said: faults.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda sent: (
                None
                if sent.url.startswith((f"http://{services.address}/", "data:"))
                else faults.append(f"left the machine: {sent.url}")
            ),
        )
        try:
            if signed_in:
                with app.app_context():
                    page.goto(f"http://{services.address}/sign-in/{session.issue_code()}")
                page.get_by_role("button", name="Sign in").click()
                expect(page.get_by_role("heading", name="Overview")).to_be_visible()
            else:
                page.goto(f"http://{services.address}/")
            yield page
        finally:
            context.close()
    assert faults == []


def faults_of(page: Page) -> str:
    result = Axe().run(page)
    return result.generate_report() if result.violations_count else ""


@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lines", [LINES, []], ids=["rows", "empty"])
def test_everyone_can_read_it(browser, theme, width, lines):
    services = FakeServices()
    services.reports.lines = lines
    services.reports.figures = FIGURES if lines else Today()
    viewport = {"width": width, "height": 820}
    with opened(browser, services, color_scheme=theme, viewport=viewport) as page:
        expect(page.get_by_text("Live", exact=True)).to_be_visible()

        assert faults_of(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth") <= width


ALERTS = [
    an_alert(9, mark=0, is_blocked=True),
    an_alert(8, budget_id=8, budget="everything", project=None),
    an_alert(7, budget_id=None, mark=0, spent=12_400_000_000, cap=2_000_000_000),
    an_alert(6, budget_id=6, budget="one more"),
]
TROUBLE = "LARouter cannot write to its database, so nothing is sent until it can."


@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everyone_can_read_the_banner(browser, theme, width):
    services = FakeServices()
    services.alarm.said = TROUBLE
    services.reports.alerted = ALERTS
    viewport = {"width": width, "height": 820}
    with opened(browser, services, color_scheme=theme, viewport=viewport) as page:
        expect(page.get_by_text("Live", exact=True)).to_be_visible()

        expect(page.get_by_role("alert")).to_contain_text(TROUBLE)
        expect(page.get_by_label("Alerts").locator(".notice")).to_have_count(4)
        assert faults_of(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_alert_comes_is_read_out_and_is_dismissed_without_a_reload(browser):
    services = FakeServices()
    with opened(browser, services) as page:
        page.evaluate("window.isSamePage = true")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        expect(page.get_by_label("Alerts")).to_be_hidden()
        services.reports.alerted = [an_alert(9, budget_id=9, budget="new"), an_alert()]
        services.feed.say(a_line("fresh"))

        expect(page.get_by_text("bakery: new has passed 80 %", exact=True)).to_be_visible()
        heard = page.get_by_role("status").filter(has_text="Alert: bakery: new has passed 80 %")
        expect(heard).to_have_count(1)
        page.get_by_role("button", name="Dismiss: bakery: new has passed 80 %").click()
        expect(page.get_by_label("Alerts").locator(".notice")).to_have_count(1)
        page.get_by_role("button", name="Dismiss: bakery: daily budget").press("Enter")
        expect(page.get_by_label("Alerts")).to_be_hidden()
        assert services.alerts.asked == [9, 3]
        assert page.evaluate("window.isSamePage")


def test_trouble_that_is_over_leaves_the_page(browser):
    services = FakeServices()
    services.alarm.said = TROUBLE
    with opened(browser, services) as page:
        expect(page.get_by_role("alert")).to_contain_text(TROUBLE)
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        services.alarm.said = None
        services.feed.say(a_line("fresh"))

        expect(page.locator("#trouble")).to_be_hidden()


def test_alerts_are_dismissed_without_scripts(browser):
    services = FakeServices()
    services.reports.alerted = ALERTS
    with opened(browser, services, java_script_enabled=False) as page:
        page.get_by_role("button", name="Dismiss all").click()

        expect(page.locator(".notice")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everyone_can_sign_in(browser, theme):
    with opened(browser, FakeServices(), signed_in=False, color_scheme=theme) as page:
        assert faults_of(page) == ""
        expect(page.get_by_label("Or enter the admin key")).to_be_focused()
        page.keyboard.type(ADMIN_KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_new_request_slides_in_without_a_reload(browser):
    services = FakeServices()
    services.reports.lines = [a_line(f"old{n}") for n in range(50)]
    with opened(browser, services) as page:
        page.evaluate("window.isSamePage = true")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        services.reports.figures = Today(requests=51, succeeded=51, local=51, median_ms=3)
        services.feed.say(a_line("fresh", reason="the newest of all"))

        first = page.locator("tbody tr.request").first
        expect(first).to_contain_text("the newest of all")
        expect(page.locator("tr.request")).to_have_count(50)
        expect(page.get_by_label("Today in figures")).to_contain_text("51")
        assert page.evaluate("window.isSamePage")


def test_the_first_request_takes_the_place_of_the_hint(browser):
    services = FakeServices()
    with opened(browser, services) as page:
        expect(page.get_by_text("No requests yet")).to_be_visible()
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        services.feed.say(a_line("first"))

        expect(page.locator("tr.request")).to_have_count(1)
        expect(page.get_by_text("No requests yet")).to_be_hidden()


def test_a_request_that_ends_stays_in_its_place(browser):
    services = FakeServices()
    services.reports.lines = [a_line("newer"), a_line("running", state="open", duration_ms=None)]
    with opened(browser, services) as page:
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        services.feed.say(a_line("running", duration_ms=1234))

        expect(page.locator("tr.request")).to_have_count(2)
        expect(page.locator("tr.request").nth(1)).to_contain_text("1.23 s")


def test_the_theme_turns_without_a_reload_and_stays(browser):
    with opened(browser, FakeServices(), color_scheme="light") as page:
        page.evaluate("window.isSamePage = true")
        page.get_by_role("button", name="Theme: Dark").click()

        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.get_by_role("button", name="Theme: Dark")).to_have_attribute(
            "aria-pressed", "true"
        )
        assert page.evaluate("window.isSamePage")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_address_is_copied(browser):
    services = FakeServices()
    permissions = ["clipboard-read", "clipboard-write"]
    with opened(browser, services, permissions=permissions) as page:
        page.get_by_role("button", name="Copy").first.click()

        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == f"http://{services.address}/v1"


def test_examples_change_by_keyboard(browser):
    with opened(browser, FakeServices()) as page:
        page.get_by_label("curl").focus()
        page.keyboard.press("ArrowRight")

        expect(page.locator("#connect-python")).to_be_visible()
        expect(page.locator("#connect-curl")).to_be_hidden()


def test_it_works_without_scripts(browser):
    services = FakeServices()
    services.reports.lines = LINES
    with opened(browser, services, java_script_enabled=False) as page:
        expect(page.get_by_text("Reload the page to see new ones.")).to_be_visible()
        expect(page.locator("tr.request")).to_have_count(len(LINES))
        page.get_by_text("Python", exact=True).click()
        expect(page.locator("#connect-python")).to_be_visible()
        page.get_by_role("button", name="Theme: Dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in to LARouter")).to_be_visible()


def test_the_launchers_file_opens_the_page_signed_in(browser, tmp_path):
    services = FakeServices()
    with a_server(services) as app:
        with app.app_context():
            code = session.issue_code()
        file = tmp_path / "open.html"
        file.write_text(
            f'<form method="post" action="http://{services.address}/sign-in">'
            f'<input name="code" value="{code}"><button>Go</button></form>',
        )
        context = browser.new_context()
        page = context.new_page()
        page.goto(file.as_uri())
        page.get_by_role("button", name="Go").click()

        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        context.close()
