"""Makes the pages of variables and of spans; with --check, says whether they are up to date."""

import sys
from pathlib import Path

from persist import _persist
from persist._observability import VARIABLES
from persist._tracing import SPANS
from persist.codec._models import MODELS

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs/reference"

STORES = [
    ["`AWS_*`", "Amazon S3", "region, keys, profile, endpoint and roles"],
    ["`AZURE_*`", "Azure Blob Storage", "account, keys, connection string and identities"],
    [
        "`GOOGLE_*`, `GCE_METADATA_HOST`, `STORAGE_EMULATOR_HOST`",
        "Google Cloud Storage",
        "credentials and endpoint",
    ],
    ["`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`", "all three", "the proxy in front of the store"],
]
COMMAND = [
    ["`NO_COLOR`", "no colours at a terminal"],
    ["`CLICOLOR_FORCE`", "colours elsewhere, too"],
]
ABOUT_VARIABLES = """\
Every variable that Persist reads. In Python they are read at the first use of Persist, so they can
be set with `os.environ` after the import. What else OpenTelemetry's SDK for Rust reads, as the
limits of a span, keeps its meaning."""
ABOUT_KEYS = """\
## Keys of models

`restore` reads the one of a class when a snapshot holds a model of it; `secrets=` comes first. The
file cannot name another."""
ABOUT_STORES = """\
## Stores of the clouds

They are read at each call; see [stores of the clouds](../guides/cloud.md)."""
ABOUT_SPANS = """\
A span that failed has the status `ERROR` and the attribute `error.type`: the `kind` of the error.
No attribute holds a part of a state. The `persist` command is one span, named as it is called:
`persist verify`."""


def table(*rows: list[str]) -> str:
    """A table of Markdown; the first row is its head."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def environment() -> str:
    """Return the page of variables."""
    told = {
        name: [f"`{name}`", default, text] for name, default, text in _persist.variables_table()
    }
    for name, (default, text) in VARIABLES.items():
        told.setdefault(name, [f"`{name}`", default, text])
    keys: dict[str, set[str]] = {}
    for row in MODELS.values():
        for variable in row.secrets.values():
            keys.setdefault(variable, set()).add(f"`{row.name}`")
    return "\n\n".join(
        [
            "# Environment\n\n<!-- Made by scripts/gen_environment_page.py. -->",
            ABOUT_VARIABLES,
            "## Logs, traces and metrics",
            table(["variable", "default", "meaning"], *told.values()),
            ABOUT_KEYS,
            table(
                ["variable", "model"],
                *(
                    [f"`{name}`", ", ".join(sorted(models))]
                    for name, models in sorted(keys.items())
                ),
            ),
            ABOUT_STORES,
            table(["variables", "store", "meaning"], *STORES),
            "## The command",
            table(["variable", "meaning"], *COMMAND) + "\n",
        ]
    )


def spans() -> str:
    """Return the page of spans."""
    names = {**SPANS, **dict(_persist.spans_table())}
    rows = ([f"`{name}`", text] for name, text in names.items())
    return "\n\n".join(
        [
            "# Spans\n\n<!-- Made by scripts/gen_environment_page.py. -->",
            ABOUT_SPANS,
            table(["span", "what it measures"], *rows) + "\n",
        ]
    )


def main() -> None:
    """Write the pages, or say whether they are up to date."""
    for name, page in (("environment.md", environment()), ("spans.md", spans())):
        path = REFERENCE / name
        if "--check" not in sys.argv:
            path.write_text(page)
        elif not path.exists() or path.read_text() != page:
            message = f"error: docs/reference/{name} is not up to date; run `make gen`"
            raise SystemExit(message)


if __name__ == "__main__":
    main()
