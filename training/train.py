"""Train the shipped classifier: `python -m training.train` (see training/README.md).

    rows ─► teacher's numbers ─► encoder ─► features ─► leave sources out: calibrate, report
                                                     └► fit on everything ─► data/learned.npz

`--encoder FILE` takes a trained encoder from an earlier run; `--quick` skips what is left out.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from larouter.classify.learned import Learned
from larouter.classify.learned.encoder import Encoder
from training import report, stored, wishes
from training.characters import table
from training.features import Features, features_of
from training.network import Plan, Targets, Trained, softmax, train
from training.noise import noisy
from training.rows import Row, load, paraphrases
from training.targets import TAGS, languages_of, targets_of

HERE = Path(__file__).parent
FOLDS = 5
MEASURED = ("dev", "paraphrase")
"""The rows that nothing is learnt from."""
_NOISE_WEIGHT = 0.35


def main() -> None:
    options = _options()
    began = time.monotonic()
    rows = load()
    print(f"{len(rows)} rows", flush=True)
    arrays = _encoder_arrays(rows, options.encoder, options.cache)
    encoder = Encoder(arrays)
    rows += noisy([row for row in rows if row.file in {"own", "authored"}]) + paraphrases()
    languages = languages_of(rows)
    targets = _weighted(targets_of(rows, languages), rows)
    whole, apart = _wishes(rows)
    features = features_of(rows, encoder, lambda row: apart.get(row.source, whole))
    print(f"features of {len(rows)} rows, {time.monotonic() - began:.0f} s", flush=True)
    plan = Plan()
    settings = {"heat": 1.0, "border": 0.4, "need": (1.0, 0.0)}
    if not options.quick:
        said, left_out = _left_out(rows, features, targets, plan)
        settings = report.calibrated(rows, said, left_out)
        scores = report.scored(rows, said, left_out, settings)
        print(json.dumps({name: scores[name] for name in scores if name[:4] != "lang"}, indent=1))
    everything = np.array([at for at, row in enumerate(rows) if row.file not in MEASURED])
    final = train(features, targets, everything, plan)
    arrays |= stored.layer_arrays(final)
    arrays |= {
        "tags": np.array(TAGS), "languages": np.array(languages),
        "heat": np.float64(settings["heat"]), "border": np.float64(settings["border"]),
        "need": np.array(settings["need"]), "wishes": np.frombuffer(whole, np.uint8),
    }  # fmt: skip
    sha256 = stored.write(arrays)
    _agree(final, features, rows)
    if not options.quick:
        lines = report.guard_lines(rows, said, left_out, settings)
        (stored.FILE.parent / "guard.json").write_text(json.dumps(lines) + "\n", "utf-8")
        told = {"sha256": sha256, "rows": len(rows), "settings": settings, "left_out": scores}
        (HERE / "report.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    print(f"{stored.FILE.stat().st_size / 1e6:.1f} MB, {time.monotonic() - began:.0f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--encoder", type=Path, help="arrays of an earlier run")
    parser.add_argument("--cache", type=Path, default=Path("teacher.npz"))
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


def _encoder_arrays(rows: list[Row], file: Path | None, cache: Path) -> dict[str, Any]:
    if file is not None and file.exists():
        with np.load(file, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    # Imported here: a trained encoder needs neither the teacher nor a framework.
    from larouter.classify.learned.pieces import Pieces
    from larouter.classify.learned.text import read
    from training import encoder as teaching

    classes = table()
    texts = teaching.texts_of(rows)
    vectors = teaching.taught(texts, cache)
    keys, start = teaching.vocabulary(classes)
    numbers = teaching.numbered([read(text, classes) for text in texts], Pieces(keys))
    counts = np.bincount(numbers[numbers > 0] - 1, minlength=len(keys)).astype(float)
    weights = teaching.fit(numbers, vectors, teaching.axes(start, counts))
    arrays = stored.encoder_arrays(keys, classes, weights)
    if file is not None:
        np.savez(file, **arrays)
    return arrays


def _weighted(targets: Targets, rows: list[Row]) -> Targets:
    """Twins count less than what they are twins of."""
    is_noise = np.array([row.file == "noise" for row in rows])
    for weight in (targets.tier_weight, targets.need_weight, targets.tag_weight,
                   targets.language_weight):  # fmt: skip
        weight[is_noise] = _NOISE_WEIGHT
    return targets


def folds(rows: list[Row]) -> list[list[str]]:
    """Whole sources, dealt out so that the folds are alike in size."""
    sizes: dict[str, int] = {}
    for row in rows:
        if row.file in {"own", "authored"}:
            sizes[row.source] = sizes.get(row.source, 0) + 1
    dealt: list[list[str]] = [[] for _ in range(FOLDS)]
    filled = [0] * FOLDS
    for source in sorted(sizes, key=lambda name: (-sizes[name], name)):
        at = filled.index(min(filled))
        dealt[at].append(source)
        filled[at] += sizes[source]
    return dealt


def _wishes(rows: list[Row]) -> tuple[bytes, dict[str, bytes]]:
    """What tells a wish from its matter; and for each source that it was learnt from, what it is
    without that source's fold: so the network meets only wishes that were found unseen."""
    apart = {}
    for fold in folds(rows):
        others = wishes.table(row for row in rows if row.source not in fold)
        apart |= dict.fromkeys(fold, others)
    return wishes.table(rows), apart


def _left_out(rows: list[Row], features: Features, targets: Targets, plan: Plan) -> tuple[Any, Any]:
    """What the network says of each realistic row when it never saw the row's source."""
    sources = np.array([row.source for row in rows])
    files = np.array([row.file for row in rows])
    said = np.zeros((len(rows), 6 + targets.tags.shape[1] + targets.languages.shape[1]))
    known = np.zeros(len(rows), bool)
    for at, fold in enumerate(folds(rows)):
        apart = np.isin(sources, fold)
        seen = np.flatnonzero(~apart & ~np.isin(files, MEASURED))
        model = train(features, targets, seen, plan)
        judged = np.flatnonzero(apart | ((files == "dev") if at == 0 else False))
        said[judged] = model.predict(features, judged)
        known[judged] = True
        print(f"left out {', '.join(fold)}", flush=True)
    return said, known


def _agree(final: Trained, features: Features, rows: list[Row]) -> None:
    """The product, with its weights rounded, says what the trained network says."""
    product = Learned(stored.FILE)
    some = np.arange(0, len(rows), len(rows) // 1_000)
    trained = softmax(final.predict(features, some)[:, :5] / product.heat)
    shipped = [product.judge(rows[at].request).probabilities for at in some]
    apart = np.abs(trained - np.array(shipped)).max(1)
    print(f"rounding moves a probability by {np.median(apart):.4f}, at most {apart.max():.3f}")
    assert np.median(apart) < 0.02, "the product does not compute what was trained"


if __name__ == "__main__":
    main()
