"""How many requests each verb makes: the guide's table of costs, counted before each store."""

import os
import re
from pathlib import Path

import persist
import pytest
from persist.options import AzureOptions, GCSOptions, S3Options
from servers.spoiling import Spoiling

GUIDE = Path(__file__).parents[2] / "docs/guides/cloud.md"
PART, PIECE = 5 << 20, 4 << 20
LONG = [os.urandom(2 * PART + 100_000)]
"""A state that is written in three parts."""
PARTS = 3

COLUMNS = {"s3": 1, "azure": 2, "gcs": 3}
OPTIONS = {"s3": S3Options, "azure": AzureOptions, "gcs": GCSOptions}


def promised(mode):
    """What the guide says of each verb: the first column's text, and a formula of P and N."""
    rows = re.findall(r"^\| (.*(?:`|the same).*) \|$", GUIDE.read_text(), re.MULTILINE)
    cells = [row.split(" | ") for row in rows]
    return {cell[0]: cell[COLUMNS[mode]] for cell in cells if len(cell) == 1 + len(COLUMNS)}


def endpoint_of(mode, server):
    if mode == "gcs":
        return f"http://{server.host}"
    return server.endpoint.removesuffix("/devstoreaccount1")


@pytest.fixture
def counting(request, store, monkeypatch):
    """A proxy before the store that counts; the environment names it."""
    server = request.getfixturevalue(store.mode)
    upstream = endpoint_of(store.mode, server)
    with Spoiling(upstream).running() as proxy:
        for name, value in server.variables().items():
            there, here = upstream.partition("://")[2], proxy.url.partition("://")[2]
            monkeypatch.setenv(name, value.replace(there, here))
        yield proxy


def test_the_table_of_costs_is_true(store, counting):
    way = {"storage_options": OPTIONS[store.mode](multipart_threshold=PART, part_size=PART)}
    url, long, copied = (store.url(name) for name in ("a.json.gz", "long.json.gz", "b.json.gz"))
    writes = {"verify": False, **way}
    verbs = {
        "`snapshot` up to the threshold": lambda: persist.snapshot(["x"], url, **way),
        "`snapshot` in parts": lambda: persist.snapshot(LONG, long, **writes),
        "the same with `overwrite=False` or `if_match=`": lambda: persist.snapshot(
            LONG, store.url("new.json.gz"), overwrite=False, **writes
        ),
        "`get_metadata`": lambda: persist.get_metadata(long, **way),
        "`snapshot_exists`": lambda: persist.snapshot_exists(long, **way),
        "`restore`, `load_state`, `verify_snapshot` up to 1 MiB": lambda: persist.restore(url),
        "the same of a longer object": lambda: persist.restore(long, **way),
        "`copy_snapshot` up to 1 MiB": lambda: persist.copy_snapshot(url, copied),
        "`list_snapshots` of a page": lambda: list(persist.list_snapshots(store.url(""))),
        "`delete_snapshot`": lambda: persist.delete_snapshot(url, **way),
    }
    counted = {}
    for name, verb in verbs.items():
        counting.seen.clear()
        verb()
        counted[name] = len(counting.seen)
    (size,) = [one.size for one in persist.list_snapshots(long)]
    known = {"P": PARTS, "N": -(-size // PIECE)}
    said = {name: eval(formula, {}, known) for name, formula in promised(store.mode).items()}
    assert counted == said
