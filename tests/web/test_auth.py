"""Who may: bearers in every header, the admin key, and neither."""

import time

import pytest

from larouter.core.account import Project
from larouter.core.errors import Unauthorized
from larouter.store.projects import Projects
from larouter.web.auth import Auth

DEFAULT = Project(id="prj_1", name="default")
ADMIN_KEY = "lra_admin"
BEARER = "lr_right"


class FakeProjects(Projects):
    def __init__(self):
        """Nothing is read."""

    def of_bearer(self, bearer):
        return DEFAULT if bearer == BEARER else None

    def get(self, name):
        assert name == "default"
        return DEFAULT


def auth(*, keyless=False):
    return Auth(FakeProjects(), ADMIN_KEY, keyless=keyless)


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_AUTHORIZATION": f"Bearer {BEARER}"},
        {"HTTP_AUTHORIZATION": f"bearer   {BEARER} "},
        {"HTTP_X_API_KEY": BEARER},
        {"HTTP_X_GOOG_API_KEY": BEARER},
        {"HTTP_AUTHORIZATION": f"Bearer {BEARER}", "HTTP_X_API_KEY": "another"},
        {"HTTP_X_API_KEY": BEARER, "HTTP_X_GOOG_API_KEY": "another"},
        {
            "HTTP_X_GOOG_API_KEY": BEARER,
            "QUERY_STRING": "key=another",
            "PATH_INFO": "/v1beta/models",
        },
        {"QUERY_STRING": f"key={BEARER}", "PATH_INFO": "/v1beta/models"},
        {"QUERY_STRING": f"alt=sse&key={BEARER}", "PATH_INFO": "/v1beta/models/a:countTokens"},
    ],
)
def test_a_bearer_names_its_project(environ):
    assert auth().project(environ) == DEFAULT


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTP_AUTHORIZATION": ""},
        {"HTTP_AUTHORIZATION": "Bearer"},
        {"HTTP_AUTHORIZATION": f"Basic {BEARER}"},
        {"HTTP_AUTHORIZATION": BEARER},
        {"HTTP_X_API_KEY": ""},
        {"HTTP_AUTHORIZATION": "Bearer lr_wrong"},
        {"HTTP_AUTHORIZATION": "Bearer \xff\udc80"},
        {"HTTP_AUTHORIZATION": f"Bearer {ADMIN_KEY}"},
        {"HTTP_X_GOOG_API_KEY": ""},
        {"HTTP_X_API_KEY": "lr_wrong", "HTTP_X_GOOG_API_KEY": BEARER},
        # In an address a bearer ends up in logs: only Google's older clients may.
        {"QUERY_STRING": f"key={BEARER}", "PATH_INFO": "/v1/chat/completions"},
        {"QUERY_STRING": f"key={BEARER}", "PATH_INFO": "/v1/models/auto:generateContent"},
        {"QUERY_STRING": f"key={BEARER}", "PATH_INFO": "/api/usage"},
        {"QUERY_STRING": f"monkey={BEARER}", "PATH_INFO": "/v1beta/models"},
        {"QUERY_STRING": "key=", "PATH_INFO": "/v1beta/models"},
        {"QUERY_STRING": "key=lr_wrong", "PATH_INFO": "/v1beta/models"},
    ],
)
def test_anything_else_is_refused(environ):
    with pytest.raises(Unauthorized) as refused:
        auth().project(environ)

    assert (refused.value.status, refused.value.code) == (401, "invalid_api_key")


def test_only_a_wrong_bearer_is_slowed():
    started = time.monotonic()
    with pytest.raises(Unauthorized):
        auth().project({})
    no_bearer_s = time.monotonic() - started

    started = time.monotonic()
    with pytest.raises(Unauthorized):
        auth().project({"HTTP_X_API_KEY": "lr_wrong"})
    wrong_bearer_s = time.monotonic() - started

    assert no_bearer_s < 0.1 < 0.2 <= wrong_bearer_s


def test_a_refusal_does_not_repeat_the_bearer():
    with pytest.raises(Unauthorized) as refused:
        auth().project({"HTTP_X_API_KEY": "lr_secret"})

    assert "lr_secret" not in str(refused.value)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_without_a_bearer_keyless_means_the_default_project(peer):
    assert auth(keyless=True).project({"REMOTE_ADDR": peer}) == DEFAULT


@pytest.mark.parametrize("peer", [None, "", "localhost", "192.0.2.1", "::", "::ffff:10.0.0.1"])
def test_keyless_is_for_this_machine_only(peer):
    environ = {} if peer is None else {"REMOTE_ADDR": peer}

    with pytest.raises(Unauthorized, match="no bearer"):
        auth(keyless=True).project(environ)


def test_who_sits_here_needs_a_bearer_unless_it_is_keyless():
    with pytest.raises(Unauthorized):
        auth().project({"REMOTE_ADDR": "127.0.0.1"})


def test_keyless_still_refuses_a_wrong_bearer():
    with pytest.raises(Unauthorized):
        auth(keyless=True).project({"HTTP_X_API_KEY": "lr_wrong"})


def test_keyless_makes_nobody_an_admin():
    with pytest.raises(Unauthorized, match="admin key"):
        auth(keyless=True).require_admin({"REMOTE_ADDR": "127.0.0.1"})


def test_the_admin_key_administers():
    auth().require_admin({"HTTP_AUTHORIZATION": f"Bearer {ADMIN_KEY}"})


def test_a_project_is_no_admin():
    with pytest.raises(Unauthorized, match="admin key"):
        auth().require_admin({"HTTP_AUTHORIZATION": f"Bearer {BEARER}"})


def test_where_both_may_the_admin_is_no_project():
    assert auth().project_or_admin({"HTTP_X_API_KEY": ADMIN_KEY}) is None
    assert auth().project_or_admin({"HTTP_X_API_KEY": BEARER}) == DEFAULT


class Following(FakeProjects):
    """Another process has made a bearer; a refresh finds it."""

    def __init__(self):
        self.looks = 0

    def of_bearer(self, bearer):
        return DEFAULT if self.looks and bearer == BEARER else None

    def refresh(self):
        self.looks += 1


def test_a_bearer_that_another_process_has_made_counts_at_once():
    projects = Following()
    shared = Auth(projects, ADMIN_KEY, keyless=False, is_shared=True)

    assert shared.project({"HTTP_AUTHORIZATION": f"Bearer {BEARER}"}) is DEFAULT
    assert shared.project({"HTTP_AUTHORIZATION": f"Bearer {BEARER}"}) is DEFAULT
    assert projects.looks == 1


def test_where_nobody_else_is_nobody_looks_again():
    projects = Following()
    alone = Auth(projects, ADMIN_KEY, keyless=False)

    with pytest.raises(Unauthorized):
        alone.project({"HTTP_AUTHORIZATION": f"Bearer {BEARER}"})
    assert projects.looks == 0
