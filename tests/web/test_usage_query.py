"""What a query asks for, and what is told of one that makes no sense."""

from datetime import date, datetime

import pytest
from werkzeug.datastructures import MultiDict

from larouter.core.errors import BadRequest
from larouter.store.usage import Days, Moments, UsageReport, Used, Wanted
from larouter.web.usage_query import check_known, read_stretch, read_wanted
from tests.catalogs import CATALOG

TODAY = date(2026, 11, 23)


def ms(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


NOW = ms("2026-11-23T12:07:00+00:00")


def stretch(default="all", **given):
    arguments = {name.strip("_"): text for name, text in given.items()}
    return read_stretch(arguments, today=TODAY, now_ms=NOW, default=default)


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        ({"period": "daily"}, "2026-11-23", "2026-11-23"),
        ({"period": "weekly"}, "2026-11-17", "2026-11-23"),
        ({"period": "monthly"}, "2026-10-25", "2026-11-23"),
        ({"month": "2026-11"}, "2026-11-01", "2026-11-30"),
        ({"month": "2028-02"}, "2028-02-01", "2028-02-29"),
        ({"week": "2026-W47"}, "2026-11-16", "2026-11-22"),
        ({"week": "2026-W53"}, "2026-12-28", "2027-01-03"),
        ({"from_": "2026-11-02", "to": "2026-11-09"}, "2026-11-02", "2026-11-09"),
        ({"from_": "2026-11-02", "to": "2026-11-02"}, "2026-11-02", "2026-11-02"),
        ({"from_": "2026-11-02"}, "2026-11-02", "2026-11-23"),
        ({"to": "2026-11-09"}, "", "2026-11-09"),
    ],
)
def test_days_are_read(given, first, last):
    found = stretch(**given)

    assert found.span == Days(first, last)
    assert found.ends() == (first or None, last)
    assert found.period == given.get("period")


def test_without_a_word_it_is_everything_or_the_default():
    assert (stretch().span, stretch().ends(), stretch().period) == (Days(), (None, None), "all")
    assert stretch(default="daily").span == Days("2026-11-23", "2026-11-23")


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (
            "2026-11-01T08:00:00Z", "2026-11-01T09:15:00+01:00",
            ("2026-11-01T08:00:00Z", "2026-11-01T08:15:00Z"),
        ),
        # To the quarter of an hour in which they lie, so that two stretches that touch add up.
        (
            "2026-11-01T08:14:59Z", "2026-11-01T08:44:01.5Z",
            ("2026-11-01T08:00:00Z", "2026-11-01T08:30:00Z"),
        ),
        # A plus sign in an address is a space.
        (
            "2026-11-01T08:00:00 05:45", "2026-11-01T08:00:00-0330",
            ("2026-11-01T02:15:00Z", "2026-11-01T11:30:00Z"),
        ),
        ("2026-11-23T12:00:00Z", None, ("2026-11-23T12:00:00Z", "2026-11-23T12:15:00Z")),
        (None, "2026-11-23T12:00:00Z", ("1970-01-01T00:00:00Z", "2026-11-23T12:00:00Z")),
    ],
)  # fmt: skip
def test_moments_are_read(since, until, found):
    asked = stretch(**{k: v for k, v in (("from_", since), ("to", until)) if v is not None})

    assert asked.ends() == found
    assert asked.span == Moments(*map(ms, found))


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"period": "yearly"}, "period"),
        ({"period": "daily", "month": "2026-11"}, "month"),
        ({"month": "2026-11", "from_": "2026-11-01"}, "from"),
        ({"month": "2026-13"}, "month"),
        ({"month": "0000-11"}, "month"),
        ({"month": "11/2026"}, "month"),
        ({"week": "2026-W54"}, "week"),
        ({"week": "9999-W53"}, "week"),
        ({"week": "47"}, "week"),
        ({"from_": "2026-02-30"}, "from"),
        ({"from_": "yesterday"}, "from"),
        ({"to": "2026-11-01T08:00:00"}, "to"),
        ({"from_": "2026-11-01 08:00"}, "from"),
        ({"to": "9999-12-31T23:59:59Z"}, "to"),
        ({"from_": "2026-11-09", "to": "2026-11-08"}, "from"),
        ({"from_": "2026-11-24"}, "from"),
        ({"from_": "2026-11-01", "to": "2026-11-01T08:00:00Z"}, "to"),
        ({"from_": "2026-11-01T08:00:00Z", "to": "2026-11-02"}, "from"),
        ({"from_": "2026-11-01T08:01:00Z", "to": "2026-11-01T08:14:00Z"}, "from"),
        ({"from_": ""}, "from"),
    ],
)
def test_a_stretch_that_makes_no_sense_is_refused(given, param):
    with pytest.raises(BadRequest) as refused:
        stretch(**given)

    assert refused.value.param == param


def wanted(**given):
    return read_wanted(MultiDict(given), Days(), "prj_1", CATALOG)


def test_filters_are_read():
    model = next(iter(CATALOG.models.values()))

    found = wanted(
        model=[model.id, "some/other"],
        tier="frontier",
        provider="openai",
        bearer=["brr_1", "brr_1"],
    )

    assert found == Wanted(
        project_id="prj_1",
        models=(model.key, "some/other"),
        tiers=("FRONTIER",),
        providers=("openai",),
        bearers=("brr_1",),
    )


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"model": "nobody"}, "model"),
        ({"tier": ""}, "tier"),
        ({"provider": "x" * 301}, "provider"),
        ({"bearer": "a\nb"}, "bearer"),
        ({"bearer": [f"brr_{number}" for number in range(21)]}, "bearer"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(given, param):
    with pytest.raises(BadRequest) as refused:
        wanted(**given)

    assert refused.value.param == param


KNOWN = (["SIMPLE", "FRONTIER"], ["openai", "local"])


def report(calls=0):
    empty = dict.fromkeys(
        ("by_model", "by_tier", "by_provider", "by_day", "by_project", "by_bearer")
    )
    return UsageReport(total=Used(calls=calls), **{name: {} for name in empty})


@pytest.mark.parametrize("given", [{"tier": "FRONTEIR"}, {"provider": "openia"}])
def test_a_name_that_nobody_knows_is_told_where_nothing_was_found(given):
    with pytest.raises(BadRequest) as refused:
        check_known(wanted(**given), report(), *KNOWN)

    assert refused.value.param == next(iter(given))
    # What was used once is known, whatever the catalogue says today.
    check_known(wanted(**given), report(calls=1), *KNOWN)


def test_a_name_that_is_known_may_have_nothing():
    check_known(wanted(tier="frontier", provider="openai"), report(), *KNOWN)
    check_known(wanted(tier="-"), report(), *KNOWN)
