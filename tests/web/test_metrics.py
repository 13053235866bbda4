"""`GET /metrics`: what Prometheus reads, and who may."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_text

from larouter.core.account import Outcome
from larouter.core.chat import Usage
from larouter.core.meters import Meters

CLOUD = "anthropic/claude-opus-5-5"
OPEN = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def count(house):
    """Count an answered call."""

    def count(model=CLOUD, *, project="default", cost=2_500_000, took_ms=700, **outcome):
        usage = Usage(input=100, cache_read=20, output=7)
        facts = {"state": "settled", "usage": usage, "first_ms": 90, **outcome}
        id = house.services.projects.get(project).id
        house.services.meters.settled(id, "FRONTIER", model, Outcome(**facts), cost, took_ms)

    return count


def samples(house, accept=""):
    answer = house.admin("GET", "/metrics", headers={"Accept": accept})
    assert answer.status_code == 200
    read = read_open if accept else read_text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in read(answer.text)
        for sample in family.samples
    }


def find(found, name, **labels):
    """The only sample of that name with these labels."""
    (value,) = [
        value
        for (sample, given), value in found.items()
        if sample == name and labels.items() <= dict(given).items()
    ]
    return value


@pytest.mark.parametrize("accept", ["", OPEN])
def test_what_was_counted_is_told(house, count, accept):
    count()
    count(state="failed", usage=Usage(), cost=0, status=502, first_ms=None)

    found = samples(house, accept)

    labels = {"project": "default", "tier": "FRONTIER", "provider": "anthropic",
              "model": "claude-opus-5-5"}  # fmt: skip
    assert find(found, "larouter_requests_total", outcome="answered", **labels) == 1
    assert find(found, "larouter_requests_total", outcome="failed", **labels) == 1
    assert find(found, "larouter_attempts_total", state="failed", **labels) == 1
    assert find(found, "larouter_tokens_total", kind="input", **labels) == 100
    assert find(found, "larouter_tokens_total", kind="cache_read", **labels) == 20
    assert find(found, "larouter_cost_dollars_total", **labels) == 0.0025
    assert find(found, "larouter_unpriced_total", **labels) == 0
    del labels["project"]
    duration = "larouter_request_duration_seconds"
    assert find(found, f"{duration}_bucket", le="0.5", **labels) == 0
    assert find(found, f"{duration}_bucket", le="1.0", **labels) == 2
    assert find(found, f"{duration}_bucket", le="+Inf", **labels) == 2
    assert find(found, f"{duration}_count", **labels) == 2
    assert find(found, f"{duration}_sum", **labels) == 1.4
    assert find(found, "larouter_first_byte_seconds_count", **labels) == 1


def test_how_it_stands_is_told(house):
    found = samples(house)

    assert find(found, "larouter_ledger_queue") == 0
    assert find(found, "larouter_ledger_spilled") == 0
    assert find(found, "larouter_books_wrong") == 0
    assert find(found, "larouter_start_time_seconds") == house.services.started_ms / 1000
    assert find(found, "larouter_breaker_open", model="claude-opus-5-5") == 0
    assert find(found, "larouter_calls_in_flight", model="smollm2-135m") == 0
    assert find(found, "larouter_engine_state", model="smollm2-135m", state="stopped") == 1
    assert find(found, "larouter_engine_state", model="smollm2-135m", state="ready") == 0
    # No engine runs, so nobody knows what one holds.
    assert not [name for name, _ in found if name == "larouter_engine_memory_bytes"]


def test_what_changes_is_seen(house):
    services, gateway = house.services, house.services.gateway
    model = services.catalog.models["claude-opus-5-5"]
    gateway.pace.begin(model)
    gateway.in_flight[services.projects.get("default").id] = 3
    gateway.in_flight["prj_gone"] = 1
    for _ in range(5):
        gateway.breaker.failed(model.key)

    found = samples(house)

    assert find(found, "larouter_calls_in_flight", model="claude-opus-5-5") == 1
    assert find(found, "larouter_breaker_open", model="claude-opus-5-5") == 1
    assert find(found, "larouter_requests_in_flight", project="default") == 3


def test_a_refused_request_is_counted_by_the_ledger(house):
    house.chat("nobody/knows")

    assert find(samples(house), "larouter_requests_total", outcome="refused", provider="") == 1


def test_a_name_that_somebody_made_up_is_no_label(house, count):
    for number in range(50):
        count(f"anthropic/made-up-{number}")

    found = samples(house)

    assert not [key for key in found if "made-up" in str(key)]
    assert find(found, "larouter_requests_total", model="other") == 50


def test_what_a_deleted_project_did_stays_counted(house, count):
    for name in ("one", "two"):
        house.admin("POST", "/api/projects", {"name": name})
        count(project=name)
        house.admin("DELETE", f"/api/projects/{name}")

    assert find(samples(house), "larouter_requests_total", project="(deleted)") == 2


def test_a_project_s_name_cannot_break_the_text(house, count):
    name = 'a"b\\c{d="e"} 1'
    house.admin("POST", "/api/projects", {"name": name})
    count(project=name)

    assert find(samples(house), "larouter_requests_total", project=name) == 1


def test_only_the_admin_reads_it(house):
    assert house.ask("GET", "/metrics").status_code == 401
    assert house.ask("GET", "/metrics", bearer=False).status_code == 401


def test_the_type_is_what_was_asked_for(house):
    plain = house.admin("GET", "/metrics")
    opened = house.admin("GET", "/metrics", headers={"Accept": OPEN})

    assert plain.content_type.startswith("text/plain")
    assert opened.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert opened.text.endswith("# EOF\n")


def test_sums_that_differ_in_their_project_alone_are_one_histogram(house, count):
    house.admin("POST", "/api/projects", {"name": "other"})
    count()
    count(project="other")

    found = samples(house)

    assert find(found, "larouter_request_duration_seconds_count", model="claude-opus-5-5") == 2
    assert isinstance(house.services.meters, Meters)
