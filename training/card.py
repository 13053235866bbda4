"""Write what was measured into the model card: `python -m training.card`, after a training.

The tables of docs/classifier.md are between two marks; everything else there is written by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CARD = HERE.parent / "docs/classifier.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_SHARES = ("accuracy", "macro_f1", "kappa", "hard_to_local", "frontier_to_local", "easy_to_cloud")
_HEAD = (
    "| part | rows | accuracy | macro-F1 | kappa | hard sent local | FRONTIER sent local"
    " | easy sent to a cloud |\n|---|---|---|---|---|---|---|---|"
)
_WHOLE = {
    "all": "all realistic rows",
    "authored": "of them, by the authors nearest to real traffic",
    "not English": "not English",
    "noise": "all, as another hand types them",
}


def main() -> None:
    report = json.loads((HERE / "report.json").read_text("utf-8"))
    card = CARD.read_text("utf-8")
    before, _, rest = card.partition(BEGIN)
    _, _, after = rest.partition(END)
    CARD.write_text(f"{before}{BEGIN}\n\n{measured(report)}\n{END}{after}", "utf-8")


def measured(report: dict[str, Any]) -> str:
    """The tables, as Markdown."""
    scores, settings = report["left_out"], report["settings"]
    alike = scores["paraphrase"]
    parts = {name: scores[name] for name in scores if isinstance(scores[name], dict)}
    tags = {name[4:]: name for name in parts if name.startswith("tag ")}
    languages = {name[9:]: name for name in parts if name.startswith("language ")}
    sources = {name: name for name in parts if name.startswith("own-")}
    by_rows = sorted(languages, key=lambda name: -parts[languages[name]]["n"])
    return "\n".join(
        [
            f"SHA-256 of the weights: `{report['sha256']}`.",
            "",
            _table({title: parts[name] for name, title in _WHOLE.items()}),
            "\nBy kind of request:\n",
            _table({title: parts[name] for title, name in tags.items()}),
            "\nBy source left out:\n",
            _table({title: parts[name] for title, name in sources.items()}),
            "\nBy language, where there are at least twenty rows:\n",
            _table({name: parts[languages[name]] for name in by_rows}),
            "",
            "Calibration on the same rows (expected calibration error, 15 bins): "
            f"tier {scores['ece']['tier']:.3f}, `need_strong` {scores['ece']['need_strong']:.3f}.",
            f"Of {int(alike['n'])} paraphrases, {alike['same']:.1%} got the tier of what they"
            " paraphrase.",
            f"A chance of a cloud's tier of {settings['border']:.2f} is enough to go there.",
            "",
            "| source of outcomes | APGR |\n|---|---|",
            *(f"| {name} | {value:.3f} |" for name, value in scores["apgr_dev"].items()),
            "",
        ]
    )


def _table(parts: dict[str, dict[str, float]]) -> str:
    lines = [
        f"| {title} | {int(part['n']):,} | "
        + " | ".join(f"{part[name]:.3f}" for name in _SHARES)
        + " |"
        for title, part in parts.items()
    ]
    return "\n".join([_HEAD, *lines])


if __name__ == "__main__":
    main()
