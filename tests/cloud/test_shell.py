"""The command as people type it, with stores of the clouds; and what none of it ever shows."""

import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path

import persist
import pytest
from servers.azurite import KEY
from servers.seaweedfs import DOCUMENTED, SECRET

COMMAND = Path(sysconfig.get_path("scripts")) / "persist"
GUIDE = Path(__file__).parents[2] / "docs/guides/s3.md"
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


def test_the_commands_of_the_guide_run_as_typed(s3, tmp_path):
    bash = re.search(r"```bash\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1]
    s3.make_bucket("my-ai-snapshots-bucket")
    variables = {"AWS_ENDPOINT_URL": s3.endpoint, "PATH": f"{COMMAND.parent}:{os.environ['PATH']}"}
    snapshot = "import persist; persist.snapshot(['x'], 's3://my-ai-snapshots-bucket/agents/support.json.gz')"
    keys = {"AWS_ACCESS_KEY_ID": DOCUMENTED[0], "AWS_SECRET_ACCESS_KEY": DOCUMENTED[1]}
    subprocess.run(["python", "-c", snapshot], env=variables | keys, check=True)
    done = subprocess.run(
        ["bash", "-ec", bash],
        env=variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ok   s3://my-ai-snapshots-bucket/agents/support.json.gz" in done.stdout
