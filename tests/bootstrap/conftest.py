"""A house that is built and closed again."""

import pytest

from larouter.bootstrap import bootstrap
from larouter.config import read_settings


@pytest.fixture
def build(tmp_path):
    built = []

    def make(**settings):
        services = bootstrap(read_settings({"LAROUTER_HOME": str(tmp_path), **settings}))
        built.append(services)
        return services

    yield make
    for services in built:
        services.close()
