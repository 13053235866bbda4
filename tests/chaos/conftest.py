"""How often to kill: `pytest tests/chaos --kills 50` is what `make chaos` does."""


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, help="how often tests/chaos kills a server; few times")
