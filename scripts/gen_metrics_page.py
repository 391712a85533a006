"""Makes the page of metrics, alerts and panels; with --check, says whether it is up to date."""

import json
import sys
from pathlib import Path

from persist import _persist

ROOT = Path(__file__).parent.parent
PATH = ROOT / "docs/reference/metrics.md"
ALERTS = ROOT / "persist-cli/assets/alerts.yml"
DASHBOARD = ROOT / "persist-cli/assets/dashboard.json"
KINDS = {
    "Counter": "counter",
    "Gauge": "gauge",
    "Seconds": "histogram, seconds",
    "Bytes": "histogram, bytes",
    "Ratio": "histogram",
}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def alerts() -> list[list[str]]:
    """Name and summary of each rule."""
    lines = [line.strip() for line in ALERTS.read_text().splitlines()]
    names = [line.partition(": ")[2] for line in lines if line.startswith("- alert: ")]
    words = [line.partition(": ")[2] for line in lines if line.startswith("summary: ")]
    return [[f"`{name}`", text] for name, text in zip(names, words, strict=True)]


def page() -> str:
    """Return the page."""
    metrics = [
        [f"`{name}`", KINDS[kind], ", ".join(f"`{label}`" for label in labels), text]
        for name, kind, labels, text in _persist.metrics_table()
    ]
    panels = [panel["title"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    return "\n\n".join(
        [
            "# Metrics\n\n<!-- Made by scripts/gen_metrics_page.py. -->",
            "Labels hold words of Persist alone, never an id, a path or a text of a user.",
            table(["metric", "kind", "labels", "meaning"], metrics),
            "The [variables](environment.md#logs-traces-and-metrics) switch them on.",
            "## Alerts\n\n`persist alerts export` writes the rules.",
            table(["alert", "says"], alerts()),
            "## Dashboard\n\n`persist dashboards export` writes it. Its panels:",
            "\n".join(f"- {title}" for title in panels) + "\n",
        ]
    )


def main() -> None:
    """Write the page, or say whether it is up to date."""
    if "--check" not in sys.argv:
        PATH.write_text(page())
    elif PATH.read_text() != page():
        raise SystemExit("error: docs/reference/metrics.md is not up to date; run `make gen`")


if __name__ == "__main__":
    main()
