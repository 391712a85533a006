"""How many requests each verb makes: the guide's table of costs and the metrics are true."""

import os
import re
from collections import Counter
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


def counted(name):
    """A metric of S3, by its operation."""
    found = re.findall(
        rf'^{name}{{operation="(\w+)"}} (\d+)', persist.metrics.render(), re.MULTILINE
    )
    return Counter({operation: int(count) for operation, count in found})


METRICS = (
    "persist_s3_requests_total",
    "persist_s3_errors_total",
    "persist_s3_latency_seconds_count",
)


def grown(does):
    """How much each metric of S3 grows, of the operations where it does."""
    before = [counted(name) for name in METRICS]
    does()
    return [dict(counted(name) - old) for name, old in zip(METRICS, before, strict=True)]


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_the_metrics_of_s3_count_what_it_was_asked(store, counting):
    persist.metrics.collector()
    way = {"storage_options": S3Options(multipart_threshold=PART, part_size=PART)}
    url, long = store.url("a.json.gz"), store.url("long.json.gz")
    verbs = {
        "write": lambda: persist.snapshot(["x"], url, **way),
        "write in parts": lambda: persist.snapshot(LONG, long, verify=False, **way),
        "read": lambda: persist.restore(url, **way),
        "read in pieces": lambda: persist.restore(long, **way),
        "find": lambda: persist.snapshot_exists(url, **way),
        "list": lambda: list(persist.list_snapshots(store.url(""), **way)),
        "delete": lambda: persist.delete_snapshot(url, **way),
    }
    for verb, does in verbs.items():
        counting.seen.clear()
        operation = verb.partition(" ")[0]
        assert grown(does) == [{operation: len(counting.seen)}, {}, {operation: len(counting.seen)}]
        assert counting.seen
    # What is missing is an answer; what fails and is sent again is not.
    missing = store.url("missing.json.gz")
    assert grown(lambda: persist.snapshot_exists(missing, **way))[1] == {}
    counting.faults.extend([503, "lost"])
    counting.seen.clear()
    requests, errors, _ = grown(lambda: persist.restore(long, **way))
    assert requests == {"read": len(counting.seen)}
    assert errors == {"read": 2}
