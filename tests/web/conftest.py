"""The whole app in this process, over a data folder of its own; nobody listens."""

import pytest

from larouter.bootstrap import bootstrap
from larouter.config import read_settings
from larouter.web import create_app
from tests.homes import furnished


@pytest.fixture
def open_house(tmp_path):
    """Build services from settings; they are closed at the end of the test."""
    opened = []
    furnished(tmp_path)

    def build(**settings):
        services = bootstrap(read_settings({"LAROUTER_HOME": str(tmp_path), **settings}))
        opened.append(services)
        return House(services)

    yield build
    for services in opened:
        services.close()


@pytest.fixture
def house(open_house):
    return open_house()


class House:
    """The app and who asks it."""

    def __init__(self, services):
        self.services = services
        self.bearer = services.projects.ensure_default()
        self.client = create_app(services).test_client()

    def ask(self, method, path, body=None, *, bearer=None, headers=None, **options):
        """Ask as the project `default`, as somebody else, or (False) as nobody."""
        bearer = self.bearer if bearer is None else bearer
        given = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        if body is not None:
            options["json"] = body
        return self.client.open(
            path, method=method, headers={**given, **(headers or {})}, **options
        )

    def admin(self, method, path, body=None, **options):
        return self.ask(method, path, body, bearer=self.services.admin_key, **options)

    def chat(self, model="auto", **fields):
        body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **fields}
        return self.ask("POST", "/v1/chat/completions", body)
