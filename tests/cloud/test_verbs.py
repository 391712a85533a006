"""Every verb on every store, by URL and by mode, and its async twin."""

import asyncio

import persist
import pytest
from persist.options import AzureOptions, GCSOptions, S3Options
from servers.seaweedfs import KEY, SECRET

STATE = {"messages": ["hello"], "turns": 1.5}


def test_every_verb_by_url(store):
    url = store.url("agents/a.json.gz")
    assert persist.snapshot_exists(url) is False
    saved = persist.snapshot(STATE, url, agent_id="bot", description="after hello")
    assert persist.snapshot_exists(url) is True
    metadata = persist.get_metadata(url)
    assert metadata == saved
    assert metadata.e_tag == saved.e_tag is not None
    assert persist.restore(url) == STATE
    assert persist.load_state(url) == STATE
    assert persist.verify_snapshot(url) is True
    persist.delete_snapshot(url)
    assert persist.snapshot_exists(url) is False


def test_every_verb_by_mode(store):
    key = f"{store.prefix}/by/mode.json.gz"
    place = {"storage_mode": store.mode, store.bucket_argument: "bucket"}
    persist.snapshot(STATE, key, agent_id="bot", **place)
    assert persist.get_metadata(key, **place)["agent_id"] == "bot"
    assert persist.restore(key, **place) == STATE
    assert persist.load_state(store.url("by/mode.json.gz")) == STATE
    persist.delete_snapshot(key, **place)
    with pytest.raises(store.double("NotFoundError")):
        persist.restore(key, **place)


def test_every_async_verb(store):
    async def run():
        url = store.url("async.json.gz")
        await persist.asnapshot(STATE, url, agent_id="bot")
        assert await persist.asnapshot_exists(url)
        assert (await persist.aget_metadata(url))["agent_id"] == "bot"
        assert await persist.averify_snapshot(url)
        assert await persist.arestore(url) == STATE
        assert await persist.aload_state(url) == STATE
        found = [found async for found in persist.alist_snapshots(store.url(""))]
        assert [one.path for one in found] == [url]
        copy = store.url("copy.json.gz")
        await persist.acopy_snapshot(url, copy)
        assert await persist.arestore(copy) == STATE
        await persist.adelete_snapshot(url)
        assert not await persist.asnapshot_exists(url)

    asyncio.run(run())


def test_the_sync_verbs_work_inside_an_event_loop(store):
    async def run():
        url = store.url("inside.json.gz")
        persist.snapshot(STATE, url)
        return persist.restore(url)

    assert asyncio.run(run()) == STATE


def test_what_is_missing_is_not_found(store):
    url = store.url("missing.json.gz")
    for verb in (
        persist.restore,
        persist.get_metadata,
        persist.verify_snapshot,
        persist.delete_snapshot,
    ):
        with pytest.raises(FileNotFoundError) as caught:
            verb(url)
        assert isinstance(caught.value, store.error)
        assert "missing.json.gz" in str(caught.value)
        assert f"{store.scheme}://bucket" in str(caught.value)
        assert caught.value.store == f"{store.scheme}://bucket"
        assert caught.value.key == f"{store.prefix}/missing.json.gz"


def test_a_listing_names_snapshots_in_order(store):
    names = ["a.json.gz", "b/c.json.zst", "b/d.json", "e.json.gz"]
    for name in reversed(names):
        persist.snapshot(name, store.url(name))
    found = list(persist.list_snapshots(store.url("")))
    assert [one.path for one in found] == [store.url(name) for name in names]
    assert all(one.size > 0 and one.modified is not None for one in found)
    assert [one.path for one in persist.list_snapshots(store.url("b"))] == [
        store.url("b/c.json.zst"),
        store.url("b/d.json"),
    ]
    assert [one.path for one in persist.list_snapshots(store.url("a.json.gz"))] == [
        store.url("a.json.gz")
    ]


def test_a_copy_between_stores_is_the_same_file(store, tmp_path):
    local, back = tmp_path / "a.json.gz", tmp_path / "b.json.gz"
    persist.snapshot(STATE, local, agent_id="bot")
    persist.copy_snapshot(local, store.url("a.json.gz"))
    persist.copy_snapshot(store.url("a.json.gz"), store.url("b.json.gz"), overwrite=False)
    persist.copy_snapshot(store.url("b.json.gz"), back)
    assert back.read_bytes() == local.read_bytes()
    with pytest.raises(persist.ConflictError):
        persist.copy_snapshot(local, store.url("b.json.gz"), overwrite=False)


def test_a_name_of_any_characters_comes_back(store):
    for name in ("ü ñ/日本.json.gz", "a+b&c=d.json.gz", "100%/50%25.json.gz", "q?x#y.json.gz"):
        url = store.url(name)
        persist.snapshot(name, url)
        assert persist.restore(url) == name
        assert [found.path for found in persist.list_snapshots(url)] == [url]


@pytest.mark.parametrize("key", ["", "/", "a//b.json.gz", "../x.json.gz", "a/./b.json", "a/"])
def test_a_name_that_stores_take_for_another_is_refused(store, key):
    with pytest.raises(persist.ConfigurationError):
        persist.snapshot({}, f"{store.scheme}://bucket/{key}")


OPTIONS = {
    "s3": lambda server: S3Options(
        endpoint=server.endpoint, access_key_id=KEY, secret_access_key=SECRET
    ),
    "azure": lambda server: AzureOptions(**connection(server)),
    "gcs": lambda server: GCSOptions(endpoint=f"http://{server.host}"),
}


def connection(server):
    return {"connection_string": server.variables()["AZURE_STORAGE_CONNECTION_STRING"]}


def test_every_verb_takes_options_in_place_of_the_environment(store, monkeypatch):
    for name in store.variables:
        monkeypatch.delenv(name)
    options = OPTIONS[store.mode](store.server)
    way, url, copy = {"storage_options": options}, store.url("a.json.gz"), store.url("b.json.gz")
    if store.mode != "gcs":
        with pytest.raises(persist.ConfigurationError):
            persist.health(store.url(""))
    persist.snapshot(STATE, url, agent_id="bot", **way)
    assert persist.restore(url, **way) == STATE
    assert persist.load_state(url, **way) == STATE
    assert persist.get_metadata(url, **way)["agent_id"] == "bot"
    assert persist.verify_snapshot(url, **way)
    assert persist.snapshot_exists(url, **way)
    persist.copy_snapshot(url, copy, source_options=options, target_options=options)
    found = persist.list_snapshots(store.url(""), **way)
    assert [one.path for one in found] == [url, copy]
    report = persist.health(store.url(""), **way)
    assert report.healthy, report.checks
    persist.delete_snapshot(url, **way)
    assert not persist.snapshot_exists(url, **way)
    assert not persist.snapshot_exists(store.url("").rstrip("/"), **way)


def test_health(store):
    persist.snapshot(STATE, store.url("a.json.gz"), agent_id="bot")
    report = persist.health(store.url(""))
    assert report.healthy, report.checks
    assert list(report.agents) == ["bot"]
