import pytest

from larouter.core.catalog import Catalog, Model, Tier
from larouter.core.errors import BadRequest
from larouter.store.baselines import Baselines, Chosen
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from tests.store.bills import CLOUD, COST, LOCAL, MODELS, UNPRICED, Book

OTHER = Model(id="other", name="other-1", provider="cloud", price=CLOUD.price)
CATALOG = Catalog(
    date="2026-11-23",
    models={model.id: model for model in (*MODELS, OTHER)},
    tiers=(
        Tier(name="EASY", rank=0, title="Easy", models=("starter",)),
        Tier(name="HARD", rank=1, title="Hard", models=("gone", "big")),
        Tier(name="ODD", rank=2, title="Nobody's", models=()),
    ),
)


@pytest.fixture
def now():
    return [1_000]


@pytest.fixture
def catalog():
    return [CATALOG]


@pytest.fixture
def baselines(writer, now, catalog):
    return Baselines(writer, lambda: catalog[0], clock=lambda: now[0])


def test_without_a_choice_it_is_the_dearest_tier_s_model(baselines, catalog):
    assert (baselines.of("prj_1"), baselines.owner("prj_1")) == (CLOUD, None)
    assert baselines.price("prj_1") == CLOUD.price

    catalog[0] = Catalog(date="2026-11-23")

    assert (baselines.of(None), baselines.price("prj_1")) == (None, None)


def test_a_choice_is_this_machine_s_or_a_project_s(baselines, writer, catalog):
    assert baselines.choose(None, "other") == OTHER
    assert baselines.choose("prj_1", "openai/big-1") == CLOUD

    # As another process, or the next start, finds it.
    found = Baselines(writer, lambda: catalog[0])
    for kept in (baselines, found):
        assert (kept.of("prj_1"), kept.owner("prj_1")) == (CLOUD, "prj_1")
        assert (kept.of("prj_2"), kept.owner("prj_2")) == (OTHER, "")
        assert kept.choosers() == ["prj_1"]
    baselines.choose("prj_1", None)
    assert baselines.of("prj_1") == OTHER
    found.reload()
    assert found.of("prj_1") == OTHER


def test_a_model_that_left_the_catalogue_is_measured_against_no_more(baselines, catalog):
    baselines.choose("prj_1", "other")
    models = {name: model for name, model in CATALOG.models.items() if name != "other"}

    catalog[0] = Catalog(date="2026-11-24", models=models, tiers=CATALOG.tiers)

    assert (baselines.of("prj_1"), baselines.owner("prj_1")) == (CLOUD, None)
    assert baselines.choosers() == []


@pytest.mark.parametrize("name", ["nobody", UNPRICED.id])
def test_what_has_no_price_cannot_be_measured_against(baselines, name):
    with pytest.raises(BadRequest) as refused:
        baselines.choose(None, name)

    assert refused.value.param == "model"
    assert baselines.of(None) == CLOUD


def test_every_baseline_of_a_month_is_known(baselines, now):
    now[0] = 10
    baselines.choose(None, "other")
    now[0] = 20
    baselines.choose("prj_1", "big")
    now[0] = 25
    baselines.choose("prj_2", "starter")
    now[0] = 30
    baselines.choose(None, "starter")
    now[0] = 40
    baselines.choose("prj_1", None)

    def during(since, until):
        return [(row.at_ms, row.model) for row in baselines.during("prj_1", since, until)]

    assert during(0, 100) == [(0, ""), (10, "other"), (20, "big"), (40, "starter")]
    assert during(15, 40) == [(15, "other"), (20, "big")]
    assert during(50, 60) == [(50, "starter")]
    assert during(0, 10) == [(0, "")]
    # What began with the month counted from its first moment.
    assert during(20, 30) == [(20, "big")]
    assert baselines.during("prj_3", 35, 60) == [Chosen(35, "prj_3", "starter")]


def test_a_choice_counts_from_now_on(writer, run, feed, rollups, ask, baselines):
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, baseline=baselines.price,
    )  # fmt: skip
    book = Book(writer, ledger)

    book.bill(LOCAL)
    baselines.choose(book.project.id, "starter")
    book.bill(LOCAL)
    baselines.choose(book.project.id, None)
    book.bill(LOCAL)

    assert ask("SELECT baseline_nusd FROM request ORDER BY id") == [(COST,), (0,), (COST,)]
    assert ask("SELECT sum(baseline_nusd) FROM usage_day") == [(2 * COST,)]
