"""The command as people type it, with stores of the clouds; and what none of it ever shows."""

import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path

import persist
import pytest
from servers.azurite import ACCOUNT, KEY
from servers.certificates import service_account
from servers.seaweedfs import SECRET

COMMAND = Path(sysconfig.get_path("scripts")) / "persist"
GUIDES = Path(__file__).parents[2] / "docs/guides"
STATE, OTHER = {"turns": [1, 2]}, {"turns": [1, 2, 3]}


@pytest.fixture
def shell(store, tmp_path):
    """Types a command in an empty folder: its output, after a look at its exit code."""

    def typed(*arguments, code=0, says="", **variables):
        env = {**os.environ, "RUST_LOG": "trace", **variables}
        done = subprocess.run(
            [COMMAND, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=env,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert says in done.stderr
        for secret in (SECRET, KEY, "canary", "Y2FuYXJ5", "Signature="):
            assert secret not in done.stdout + done.stderr
        return done.stdout

    return typed


def test_every_command_takes_urls(store, shell, tmp_path):
    one, two, prefix = store.url("a.json.gz"), store.url("b.json.gz"), store.url("")
    persist.snapshot(STATE, one, agent_id="bot")
    persist.snapshot(OTHER, two, agent_id="bot")
    assert json.loads(shell("show", one, "--json"))["agent_id"] == "bot"
    assert [row["path"] for row in json.loads(shell("list", prefix, "--json"))] == [one, two]
    assert one in shell("list", prefix)
    assert all(row["valid"] for row in json.loads(shell("verify", prefix, "--json")))
    changes = json.loads(shell("diff", one, two, "--json"))
    assert {"path": ".agent_state.turns[2]", "after": 3} in changes
    assert json.loads(shell("export", one)) == STATE
    packed = store.url("packed.json.zst")
    assert json.loads(shell("convert", one, packed, "--json")) == [packed]
    assert persist.restore(packed) == STATE
    assert json.loads(shell("copy", one, "here.json.gz", "--json")) == ["here.json.gz"]
    assert persist.restore(tmp_path / "here.json.gz") == STATE
    shell("copy", "here.json.gz", two, code=7, says="exists")
    shell("copy", "--force", "here.json.gz", two)
    assert persist.restore(two) == STATE
    assert json.loads(shell("delete", "--yes", "--json", two)) == [two]
    shell("show", two, code=1, says="no such key")
    assert len(json.loads(shell("copy", prefix, "copies", "--json"))) == 2
    assert persist.restore(tmp_path / "copies/packed.json.zst") == STATE
    shell("delete", "--yes", "--recursive", prefix)
    shell("list", prefix, code=1, says="no snapshots")
    shell("verify", f"{store.scheme}://nosuchbucket/a.json.gz", code=1, says="no such bucket")


NAMES = {
    "AWS_ACCESS_KEY_ID": "access_key_id",
    "AWS_SECRET_ACCESS_KEY": "secret_access_key",
    "AWS_REGION": "region",
    "AWS_ENDPOINT_URL": "endpoint",
    "AZURE_STORAGE_CONNECTION_STRING": "connection_string",
    "STORAGE_EMULATOR_HOST": "endpoint",
}
"""The options that say what the variables say."""


def test_every_command_takes_the_options_of_its_store(store, shell, monkeypatch):
    url, other, prefix = store.url("a.json.gz"), store.url("b.json.zst"), store.url("")
    persist.snapshot(STATE, url, agent_id="bot")
    way = [
        part for name, value in store.variables.items() for part in ("-O", f"{NAMES[name]}={value}")
    ]
    for name in store.variables:
        monkeypatch.delenv(name)
    shell("show", url, code=2)
    assert json.loads(shell("show", url, "--json", *way))["agent_id"] == "bot"
    assert url in shell("list", prefix, *way)
    assert "ok" in shell("verify", url, *way)
    assert json.loads(shell("export", url, *way)) == STATE
    shell("export", url, "-o", "state.json", *way)
    shell("export", url, "-o", store.url("state.json"), *way)
    shell("convert", url, other, *way)
    shell("diff", url, other, *way)
    shell("copy", url, "here.json.gz", *way)
    shell("copy", "here.json.gz", store.url("c.json.gz"), *way)
    shell(
        "copy",
        "here.json.gz",
        store.url("d.json.gz"),
        *[w.replace("-O", "--to-option") for w in way],
    )
    assert 'newest snapshot of "bot"' in shell("health", prefix, *way)
    assert shell("watch", prefix, "--once", *way) == ""
    shell("alerts", "export", "-o", store.url("alerts.yml"), *way)
    shell("delete", "--yes", url, *way)


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_copy_between_stores_takes_the_options_of_both(azure, shell, monkeypatch, store):
    url, there = store.url("a.json.gz"), f"az://bucket/{store.prefix}/a.json.gz"
    persist.snapshot(STATE, url)
    connection = f"connection_string={azure.variables()['AZURE_STORAGE_CONNECTION_STRING']}"
    shell("copy", url, there, "-O", connection, "-O", "deadline=10", "-O", "storage_class=Cool")
    shell("copy", url, there, "--force", "--to-option", connection)
    monkeypatch.setenv(
        *connection.replace("connection_string", "AZURE_STORAGE_CONNECTION_STRING").split("=", 1)
    )
    assert persist.restore(there) == STATE


def test_an_unknown_option_is_refused_with_the_known_ones(store, shell):
    says = 'no store of this command has an option "zone"'
    shell("list", store.url(""), "-O", "zone=x", code=2, says=says)
    shell("list", store.url(""), "-O", "zone=x", code=2, says="deadline, endpoint")
    shell("list", ".", "-O", "region=x", code=2, says="the local disk")
    shell("copy", ".", store.url("a"), "--to-option", "zone=x", code=2, says=says)
    shell("list", store.url(""), "-O", "deadline=soon", code=2, says='deadline is "soon"')
    shell("list", store.url(""), "-O", "canary", code=2, says="NAME=VALUE")


# fake-gcs-server checks no credentials.
@pytest.mark.parametrize("store", ["s3", "azure"], indirect=True)
def test_a_refusal_has_its_code(store, shell):
    wrong = {
        name: value.replace(SECRET, "wrongsecretcanary").replace(KEY[:20], "Y2FuYXJ5Y2FuYXJ5Y2Fu")
        for name, value in store.variables.items()
    }
    persist.snapshot(STATE, store.url("a.json.gz"))
    for verb in ("show", "list", "verify"):
        shell(verb, store.url("a.json.gz"), code=6, says="could not", **wrong)


BUCKETS = {
    "s3": "my-ai-snapshots-bucket",
    "azure": "my-ai-snapshots-container",
    "gcs": "my-ai-snapshots-gcs",
}


def test_the_commands_of_the_guides_run_as_typed(store, tmp_path):
    text = (GUIDES / f"{store.mode}.md").read_text()
    (bash,) = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    bucket = BUCKETS[store.mode]
    store.server.make_bucket(bucket)
    url = f"{store.scheme}://{bucket}/agents/support.json.gz"
    persist.snapshot(["x"], url)
    # What the guide leaves to the reader: where the server of this test is, and its key.
    given = store.variables
    if store.mode == "s3":
        given = {"AWS_ENDPOINT_URL": store.server.endpoint}
    if store.mode == "azure":
        bash = bash.replace("=account ", f"={ACCOUNT} ").replace("_KEY=key", f"_KEY={KEY}")
        given = {"AZURE_STORAGE_ENDPOINT": store.server.endpoint}
    if store.mode == "gcs":
        (tmp_path / "service-account.json").write_text(json.dumps(service_account()))
    variables = {**given, "PATH": f"{COMMAND.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-ec", bash],
        env=variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"ok   {url}" in done.stdout
