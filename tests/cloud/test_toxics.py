"""A network that delays, trickles, cuts and swallows, between every verb and a real store."""

import dataclasses
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import persist
import pytest
from persist.options import AzureOptions, GCSOptions, S3Options
from servers.azurite import ACCOUNT
from servers.toxiproxy import toxiproxy

PART = 5 << 20
OLD, NEW = ["old"], ["new"]
LONG = [os.urandom(PART + 100_000)]
"""A state that is written in two parts."""

HARMLESS = {
    "latency": {"latency": 200, "jitter": 100},
    "slicer": {"average_size": 2000, "size_variation": 1000, "delay": 10},
    "bandwidth": {"rate": 5000},
    "slow_close": {"delay": 500},
}
HARMFUL = {"timeout": {"timeout": 0}, "reset_peer": {"timeout": 0}, "limit_data": {"bytes": 100}}
STREAMS = ["upstream", "downstream"]
BEFORE_AND_AFTER = {
    "snapshot": (OLD, NEW),
    "snapshot in parts": (OLD, LONG),
    "restore in parts": (LONG, LONG),
    "delete": (OLD, None),
}
PATIENCE = 120
"""Seconds after which a verb counts as hanging, where its deadline is one."""


ENDPOINTS = {
    "s3": (S3Options, lambda server: server.endpoint, ""),
    "azure": (AzureOptions, lambda server: server.endpoint, f"/{ACCOUNT}"),
    "gcs": (GCSOptions, lambda server: f"http://{server.host}", ""),
}
"""How a client is told of another endpoint than the server's."""


def everywhere(rows, others):
    """All rows on S3, and these others on the other stores, which go through the same code."""
    places = [("s3", *row) for row in rows]
    return [*places, *((mode, *row) for mode in ("azure", "gcs") for row in others)]


@pytest.fixture
def proxy(store, tmp_path):
    """A proxy before the store."""
    upstream = urlsplit(ENDPOINTS[store.mode][1](store.server)).netloc
    with toxiproxy(tmp_path, upstream).running() as running:
        yield running


@dataclass(frozen=True)
class Verbs:
    """Every verb, each with an object of its own, so that all can run at the same time."""

    store: object
    options: object

    def url(self, verb):
        return self.store.url(f"{verb}/a.json.gz")

    def key(self, verb):
        """What an error says: the prefix, where the verb takes one."""
        key = self.url(verb).removeprefix(f"{self.store.scheme}://bucket/")
        return key.rpartition("/")[0] if verb == "list" else key

    def all(self):
        """What each does; true when its answer is right."""
        way = {"storage_options": self.options}

        def lists(url):
            found = persist.list_snapshots(url.rpartition("/")[0], **way)
            return [one.path for one in found] == [url]

        return {
            "snapshot": lambda url: persist.snapshot(NEW, url, **way)["snapshot_index"] == 0,
            "snapshot in parts": lambda url: persist.snapshot(LONG, url, verify=False, **way),
            "restore": lambda url: persist.restore(url, **way) == OLD,
            "restore in parts": lambda url: persist.restore(url, **way) == LONG,
            "metadata": lambda url: persist.get_metadata(url, **way)["agent_id"] == "metadata",
            "verify": lambda url: persist.verify_snapshot(url, **way),
            "exists": lambda url: persist.snapshot_exists(url, **way),
            "delete": lambda url: persist.delete_snapshot(url, **way) is None,
            "list": lists,
        }

    def prepare(self):
        """Write the objects, past the proxy."""
        for verb in self.all():
            state = LONG if verb == "restore in parts" else OLD
            persist.snapshot(state, self.url(verb), agent_id=verb, verify=False)

    def outcomes(self):
        """What each verb answers, or its error."""

        def outcome(verb):
            try:
                return self.all()[verb](self.url(verb))
            except self.store.error as error:
                return error

        with ThreadPoolExecutor(len(self.all())) as pool:
            running = {verb: pool.submit(outcome, verb) for verb in self.all()}
            return {verb: future.result(timeout=PATIENCE) for verb, future in running.items()}

    def check(self, outcomes):
        """Each verb did what it says, or failed in a way that a retry can mend; nothing is torn."""
        for verb, outcome in outcomes.items():
            has_failed = isinstance(outcome, self.store.error)
            if has_failed:
                assert outcome.retryable, outcome
                assert outcome.store == f"{self.store.scheme}://bucket"
                assert outcome.key == self.key(verb)
                assert outcome.operation in {"read", "write", "find", "delete", "list"}
                assert outcome.operation in str(outcome)
            else:
                assert outcome, verb
            before, after = BEFORE_AND_AFTER.get(verb, (OLD, OLD))
            assert self.found(verb) in ([before, after] if has_failed else [after]), verb

    def found(self, verb):
        """The state that is in the store, past the proxy."""
        url = self.url(verb)
        return persist.restore(url) if persist.snapshot_exists(url) else None


@pytest.fixture
def verbs(store, proxy):
    """Every verb through the proxy, with little patience."""
    return Verbs(store, hasty(store, proxy))


def hasty(store, proxy, **more):
    options, _, path = ENDPOINTS[store.mode]
    return options(
        endpoint=f"http://{proxy.address}{path}",
        multipart_threshold=PART,
        part_size=PART,
        **{"deadline": 1, "request_timeout": 1, "max_retries": 2} | more,
    )


@pytest.mark.parametrize(
    ("store", "kind", "stream"),
    everywhere(
        itertools.product(HARMLESS, STREAMS), [("latency", "downstream"), ("slicer", "upstream")]
    ),
    indirect=["store"],
)
def test_a_slow_network_changes_nothing(store, proxy, kind, stream):
    verbs = Verbs(store, hasty(store, proxy, deadline=60, request_timeout=60))
    verbs.prepare()
    with proxy.toxic(kind, stream, **HARMLESS[kind]):
        outcomes = verbs.outcomes()
    assert not [one for one in outcomes.values() if isinstance(one, Exception)]
    verbs.check(outcomes)


@pytest.mark.parametrize(
    ("store", "kind", "stream"),
    everywhere(
        itertools.product(HARMFUL, STREAMS), [("timeout", "downstream"), ("reset_peer", "upstream")]
    ),
    indirect=["store"],
)
def test_a_broken_network_is_an_error_that_a_retry_can_mend(verbs, proxy, kind, stream):
    verbs.prepare()
    with proxy.toxic(kind, stream, **HARMFUL[kind]):
        outcomes = verbs.outcomes()
    assert all(isinstance(one, verbs.store.error) for one in outcomes.values()), outcomes
    verbs.check(outcomes)
    mended(verbs)


def test_a_network_that_is_down_is_an_error_that_a_retry_can_mend(verbs, proxy):
    verbs.prepare()
    with proxy.down():
        outcomes = verbs.outcomes()
    assert all(isinstance(one, verbs.store.error) for one in outcomes.values()), outcomes
    verbs.check(outcomes)
    mended(verbs)


@pytest.mark.parametrize(
    ("store", "length", "stream"),
    everywhere(
        itertools.product([700, 5_000, 300_000, 3_000_000], STREAMS),
        [(5_000, "downstream"), (300_000, "upstream")],
    ),
    indirect=["store"],
)
def test_connections_that_break_anywhere_tear_nothing(verbs, proxy, length, stream):
    verbs.prepare()
    with proxy.toxic("limit_data", stream, bytes=length):
        verbs.check(verbs.outcomes())
    mended(verbs)


def mended(verbs):
    """Everything works again."""
    verbs.prepare()
    patient = dataclasses.replace(verbs.options, deadline=60, request_timeout=60, max_retries=10)
    again = Verbs(verbs.store, patient)
    outcomes = again.outcomes()
    assert not [one for one in outcomes.values() if isinstance(one, Exception)]
    again.check(outcomes)
