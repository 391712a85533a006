"""`persist watch` tells a webhook and a real Alertmanager what begins, and what is over."""

import json
import subprocess

import persist
import pytest
from observability.support import COMMAND, ask, receiver, take_away, until
from servers.prometheus import alertmanager


@pytest.fixture
def refusing():
    """A receiver that refuses the first message."""
    with receiver(refused=1) as made:
        yield made


def test_a_webhook_hears_once_that_it_begins_and_once_that_it_is_over(tmp_path, watch, refusing):
    url, taken = refusing
    store = tmp_path / "store"
    watch(store, "--every", "100ms", "--webhook", url)
    (first,) = until(lambda: list(taken))
    assert (first["status"], len(first["alerts"])) == ("firing", 1)
    assert first["alerts"][0]["labels"] == {
        "alertname": "PersistStoreFailing",
        "check": "reach",
        "store": str(store),
    }
    store.mkdir()
    until(lambda: len(taken) > 1)
    take_away(store)
    until(lambda: len(taken) > 2)
    # Rounds in between told nothing: each message is the other side of the one before.
    assert [message["status"] for message in taken] == ["firing", "resolved", "firing"]
    assert taken[1]["alerts"][0]["endsAt"] > first["alerts"][0]["startsAt"]


def test_an_agent_without_a_fresh_snapshot_is_named(tmp_path, watch, refusing):
    url, taken = refusing
    persist.snapshot([1], tmp_path / "a.json.gz", agent_id="bot")
    watch(tmp_path, "--every", "200ms", "--max-age", "1s", "--webhook", url)
    (message, *_) = until(lambda: list(taken))
    labels = message["alerts"][0]["labels"]
    assert (labels["alertname"], labels["agent_id"]) == ("PersistNoFreshSnapshot", "bot")


def test_an_alertmanager_shows_what_is_wrong_until_it_is_over(tmp_path, watch):
    store = tmp_path / "store"
    manager = alertmanager(tmp_path, "http://127.0.0.1:9/")

    def active():
        alerts = json.loads(ask(f"{manager.url}/api/v2/alerts")[1])
        return [alert["labels"]["alertname"] for alert in alerts]

    with manager.server.running():
        watch(store, "--every", "500ms", "--alertmanager", manager.url)
        assert until(active) == ["PersistStoreFailing"]
        store.mkdir()
        until(lambda: not active())


def test_a_secret_in_a_url_is_not_shown(tmp_path):
    command = [COMMAND, "watch", tmp_path / "gone", "--once", "--webhook"]
    done = subprocess.run(
        [*command, "http://user:canary@127.0.0.1:9/canary?key=canary"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 6
    assert "could not post to http://127.0.0.1:9" in done.stderr
    assert "canary" not in done.stdout + done.stderr
