"""The banner: what nobody has seen yet, on every page, until somebody says so."""

import pytest

from tests.web.pages.fakes import ADMIN_KEY, FakeServices, an_alert, an_app

HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def services():
    return FakeServices()


@pytest.fixture
def client(services):
    client = an_app(services).test_client()
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    return client


def csrf(client):
    with client.session_transaction() as session:
        return session["csrf"]


def dismiss(client, headers=HERE, **form):
    return client.post("/alerts/seen", data={"csrf": csrf(client), **form}, headers=headers)


def test_nothing_to_tell_no_banner(client):
    page = client.get("/").text

    assert 'id="alerts"' in page
    assert 'class="notice"' not in page
    assert "Dismiss" not in page


def test_an_alert_says_what_happened_how_it_stands_and_what_to_do(client, services):
    services.reports.alerted = [an_alert()]

    page = client.get("/").text

    assert "bakery: daily budget has passed 80 %" in page
    assert "$4.10 of $5.00 spent; renews " in page
    assert "<code>larouter budgets change 7 --amount …</code>" in page
    assert 'role="status"' in page
    assert "Alert: bakery: daily budget has passed 80 %" in page


def test_of_several_marks_the_newest_is_shown(client, services):
    services.reports.alerted = [an_alert(3, mark=100), an_alert(2, mark=80), an_alert(1, mark=50)]

    page = client.get("/").text

    assert page.count('class="notice"') == 1
    assert "has passed 100 %" in page
    assert 'data-mood="bad"' in page


def test_more_than_three_are_counted(client, services):
    services.reports.alerted = [an_alert(n, budget_id=n) for n in range(9, 0, -1)]

    page = client.get("/").text

    assert page.count('class="notice"') == 4
    assert "And 6 more:" in page
    assert 'name="newest" value="9"' in page


def test_trouble_is_an_alarm(client, services):
    services.alarm.said = "LARouter cannot write to its <disk>."

    page = client.get("/").text

    alarm = page[page.index('role="alert"') :]
    assert "LARouter cannot write to its &lt;disk&gt;." in alarm[:600]


def test_names_that_somebody_chose_are_only_text(client, services):
    services.reports.alerted = [an_alert(project="<script>", budget='"><img src=x>')]

    page = client.get("/").text

    assert "<script>:" not in page
    assert "<img src=x>" not in page
    assert "&lt;script&gt;" in page


def test_one_is_dismissed(client, services):
    services.reports.alerted = [an_alert(3), an_alert(2, budget_id=8)]

    answer = dismiss(client, {**HERE, "HX-Request": "true"}, id="3")

    assert answer.status_code == 200
    assert services.alerts.asked == [3]
    assert 'id="alert-2"' in answer.text
    assert 'id="alert-3"' not in answer.text


def test_all_are_dismissed_by_a_plain_form_too(client, services):
    services.reports.alerted = [an_alert(n, budget_id=n) for n in range(9, 0, -1)]

    answer = dismiss(client, newest="9")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert services.alerts.asked == [-9]
    assert "Dismiss" not in client.get("/").text


@pytest.mark.parametrize("form", [{}, {"id": "three"}, {"newest": ""}])
def test_what_is_dismissed_has_to_be_said(client, services, form):
    assert dismiss(client, **form).status_code == 400
    assert services.alerts.asked == []


def test_a_stranger_dismisses_nothing(client, services):
    assert dismiss(client, {"Sec-Fetch-Site": "cross-site"}, id="3").status_code == 403
    assert dismiss(client, {"Origin": "http://evil.example"}, id="3").status_code == 403
    assert client.post("/alerts/seen", data={"id": "3"}, headers=HERE).status_code == 403
    assert client.post(
        "/alerts/seen", data={"id": "3", "csrf": "wrong"}, headers=HERE
    ).status_code == 403  # fmt: skip
    assert services.alerts.asked == []


def test_who_is_not_signed_in_is_sent_to_sign_in(services):
    client = an_app(services).test_client()

    answer = client.post("/alerts/seen", data={"id": "3"}, headers=HERE)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert services.alerts.asked == []
