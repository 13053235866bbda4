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
        {"HTTP_AUTHORIZATION": f"Bearer {BEARER}", "HTTP_X_API_KEY": "another"},
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


def test_without_a_bearer_keyless_means_the_default_project():
    assert auth(keyless=True).project({}) == DEFAULT


def test_keyless_still_refuses_a_wrong_bearer():
    with pytest.raises(Unauthorized):
        auth(keyless=True).project({"HTTP_X_API_KEY": "lr_wrong"})


def test_keyless_makes_nobody_an_admin():
    with pytest.raises(Unauthorized, match="admin key"):
        auth(keyless=True).require_admin({})


def test_the_admin_key_administers():
    auth().require_admin({"HTTP_AUTHORIZATION": f"Bearer {ADMIN_KEY}"})


def test_a_project_is_no_admin():
    with pytest.raises(Unauthorized, match="admin key"):
        auth().require_admin({"HTTP_AUTHORIZATION": f"Bearer {BEARER}"})


def test_where_both_may_the_admin_is_no_project():
    assert auth().project_or_admin({"HTTP_X_API_KEY": ADMIN_KEY}) is None
    assert auth().project_or_admin({"HTTP_X_API_KEY": BEARER}) == DEFAULT
