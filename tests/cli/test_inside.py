"""The app inside a command."""

import pytest
from filelock import FileLock

from larouter.cli import calls
from larouter.cli.inside import opened
from larouter.config import read_settings
from larouter.core.errors import Unavailable


def test_the_app_answers_the_admin(alone):
    with opened(read_settings({"LAROUTER_HOME": str(alone.home)})) as (client, key):
        answer = client.get("/api/projects", headers={"Authorization": f"Bearer {key}"})

    assert answer.status_code == 200


def test_the_folder_is_its_own_meanwhile(alone, monkeypatch):
    monkeypatch.setattr(calls, "_BUSY_S", 0.1)
    settings = read_settings({"LAROUTER_HOME": str(alone.home)})

    with (
        FileLock(settings.home / "serve.lock"),
        pytest.raises(Unavailable, match="starting or stopping"),
        opened(settings),
    ):
        pass
