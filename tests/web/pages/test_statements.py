"""A bill as a page: its states, and that nothing of it acts on the reader."""

import re

import pytest

from larouter.store.statements import Line, Owner
from larouter.store.usage import Used
from tests.web.pages.fakes import ADMIN_KEY, FakeBills, FakeServices, a_statement, an_app


def client_of(bill):
    client = an_app(FakeServices(bills=FakeBills(bill))).test_client()
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    return client


def text_of(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_it_tells_what_is_to_pay():
    page = text_of(client_of(a_statement()).get("/statements/notes/2026-11").text)

    assert "To pay $0.030123456 rounded to cents: $0.03" in page
    assert "November 2026, days of Europe/Berlin" in page
    assert "13 11 answered" in page
    assert "Stayed on this machine 9" in page
    assert "Saved $0.018876544" in page
    assert "would have cost from anthropic/claude-opus-5-5 : $0.049000000" in page
    assert "this month is not over" in page


def test_what_is_not_exact_is_marked():
    page = text_of(client_of(a_statement()).get("/statements/prj_1/2026-11").text)

    for words in ("estimated", "unknown", "still open", "no known price"):
        assert words in page
    assert "att_7 openai/big -$0.005000000" in page
    assert "input 1.25, output 10" in page
    assert "a page" not in page


def test_calls_without_a_price_are_marked_also_where_they_are_not_kept():
    used = Used(calls=1, unpriced=2)
    bill = a_statement(doubts=[], total=used, models=[Line("custom/odd", used)], is_whole=False)
    page = text_of(client_of(bill).get("/statements/notes/2026-11").text)

    assert "2 calls have no known price" in page
    assert "Not all calls of this month are kept" in page


def test_a_month_of_nothing_is_told_kindly():
    bill = a_statement(total=Used(), doubts=[], days=[], tiers=[], models=[], providers=[])
    page = text_of(client_of(bill).get("/statements/notes/2026-11").text)

    assert "Nothing was asked in November 2026." in page
    assert "To pay" not in page


def test_one_turns_to_other_months():
    page = client_of(a_statement()).get("/statements/notes/2026-10").text

    assert 'href="/statements/prj_1/2026-09"' in page
    assert 'href="/statements/prj_1/2026-11"' in page
    assert "2026-12" not in re.sub("<article.*", "", page, flags=re.DOTALL)


def test_more_than_the_baseline_is_no_saving():
    total = Used(calls=1, cost_nusd=5 * 10**9, baseline_nusd=10**9)
    page = text_of(client_of(a_statement(total=total)).get("/statements/notes/2026-11").text)

    assert "More than the baseline $4.0" in page


def test_names_are_text():
    evil = "</h2><script>alert(1)</script>"
    used = Used(calls=1)
    bill = a_statement(
        owner=Owner("prj_1", evil, "UTC", True), models=[Line(evil, used)],
        bearers=[Line(evil, used)],
    )  # fmt: skip
    client = client_of(bill)

    for path in ("/statements", "/statements/prj_1/2026-11"):
        assert "<script>alert" not in client.get(path).text


@pytest.mark.parametrize(
    ("path", "words"),
    [("/statements/nobody/2026-11", "There is no project"),
     ("/statements/notes/11", "month is written as"),
     ("/statements/notes/2026-13", "month is written as")],
)  # fmt: skip
def test_what_is_not_there_is_told(path, words):
    answer = client_of(a_statement()).get(path)

    assert answer.status_code == 404
    assert words in answer.text


def test_the_list_leads_to_each():
    page = client_of(a_statement()).get("/statements").text

    assert 'href="/statements/prj_1/2026-11"' in page


@pytest.mark.parametrize("path", ["/statements", "/statements/notes/2026-11"])
def test_nobody_reads_it_who_is_not_signed_in(path):
    client = an_app(FakeServices()).test_client()

    page = client.get(path)
    fragment = client.get(path, headers={"HX-Request": "true"})

    assert "Sign in to LARouter" in page.text
    assert "notes" not in page.text
    assert fragment.headers["HX-Redirect"] == "/sign-in"


def test_its_headers_are_those_of_every_page():
    answer = client_of(a_statement()).get("/statements/notes/2026-11")

    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "style=" not in answer.text
