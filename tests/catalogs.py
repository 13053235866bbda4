"""A small catalogue, as values and as the text of a file."""

from decimal import Decimal

from larouter.core.catalog import FREE, Catalog, Model, ModelFile, Price, Tier

LOCAL = Model(
    id="small", name="small", provider="local", title="Small", price=FREE,
    file=ModelFile(name="small.gguf"),
)  # fmt: skip
CLOUD = Model(
    id="big", name="big", provider="openai", title="Big", context=1000,
    abilities=frozenset({"tools"}),
    price=Price(input=Decimal(2), output=Decimal(10), source="a page", date="2026-11-20"),
)  # fmt: skip
CATALOG = Catalog(
    date="2026-11-23",
    models={"small": LOCAL, "big": CLOUD},
    tiers=(
        Tier(name="EASY", rank=0, title="Easy", models=("small",)),
        Tier(name="HARD", rank=1, title="Hard", models=("big",)),
    ),
    starter="small",
)

TEXT = """
date = 2026-11-23
starter = "small"

[[tier]]
name = "EASY"
title = "Easy"
models = ["small"]

[[model]]
id = "small"
provider = "local"
title = "Small"
source = "a page"
checked = 2026-11-20
file = { name = "small.gguf" }

[[model]]
id = "big"
provider = "openai"
title = "Big"
context = 1000
source = "a page"
checked = 2026-11-20

[[model.price]]
until = 2026-11-30
input = "2"
output = "10"
source = "a price list"
date = 2026-11-20

[[model.price]]
from = 2026-12-01
input = "4"
output = "20"
source = "a price list"
date = 2026-11-20
"""
