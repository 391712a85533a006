"""Every variable that the documentation names is read somewhere."""

import re
from pathlib import Path

from persist import _persist
from persist.codec._models import MODELS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
SOURCES = [path for room in ROOT.glob("persist-*") for path in room.glob("**/src/**/*.rs")]
SOURCES += list(ROOT.glob("persist-python/python/**/*.py"))
NAME = re.compile(r"\b(?:PERSIST_[A-Z0-9_]+|OTEL_[A-Z0-9_]+|RUST_LOG)\b")


def names(paths):
    return {name for path in paths for name in NAME.findall(path.read_text())}


def test_what_is_documented_is_read():
    assert names(PAGES)
    assert names(PAGES) <= names(SOURCES)


def test_what_is_read_is_documented():
    assert names(SOURCES) <= names(PAGES)


def test_the_page_of_variables_has_each_of_them_with_its_meaning():
    rows = (ROOT / "docs/reference/environment.md").read_text().splitlines()
    told = {row.split("`")[1]: row for row in rows if row.startswith("| `")}
    assert names(SOURCES) <= set(told)
    for name, default, meaning in _persist.variables_table():
        assert told[name] == f"| `{name}` | {default} | {meaning} |"


def test_the_key_of_every_model_is_documented():
    rows = (ROOT / "docs/reference/environment.md").read_text().splitlines()
    keys = {variable for model in MODELS.values() for variable in model.secrets.values()}
    assert keys <= {row.split("`")[1] for row in rows if row.startswith("| `")}
    for model in MODELS.values():
        assert not model.secrets or any(f"`{model.name}`" in row for row in rows), model.name
