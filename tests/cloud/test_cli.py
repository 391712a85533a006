"""The command on every store."""

import json
import os
import subprocess
import sys
from pathlib import Path

import persist
import pytest


@pytest.fixture
def run():
    """Runs the command and returns what it wrote."""
    program = str(Path(sys.executable).with_name("persist"))

    def run(*arguments, code=0):
        done = subprocess.run(
            [program, *arguments], env=os.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


def test_every_verb_of_the_command(store, run, tmp_path):
    for name in ("a.json.gz", "b/c.json.gz"):
        persist.snapshot({"turns": 3}, store.url(name), agent_id="bot")
    listed = json.loads(run("list", store.url(""), "--json"))
    assert [row["path"] for row in listed] == [store.url("a.json.gz"), store.url("b/c.json.gz")]
    assert json.loads(run("show", store.url("a.json.gz"), "--json"))["agent_id"] == "bot"
    assert run("verify", store.url("")).count("ok") == 2
    assert json.loads(run("export", store.url("a.json.gz"))) == {"turns": 3}
    run("convert", store.url("a.json.gz"), store.url("d.json.zst"))
    assert ".compression_algorithm" in run("diff", store.url("a.json.gz"), store.url("d.json.zst"))
    run("copy", store.url("b"), str(tmp_path / "copied"))
    assert persist.restore(tmp_path / "copied/c.json.gz") == {"turns": 3}
    run("copy", str(tmp_path / "copied/c.json.gz"), store.url("e.json.gz"))
    assert "exists already" in run(
        "copy", str(tmp_path / "copied/c.json.gz"), store.url("e.json.gz"), code=7
    )
    run("delete", "--yes", "--recursive", store.url(""))
    assert "there are no snapshots" in run("list", store.url(""), code=1)


def test_a_missing_bucket_says_so(store, run):
    assert "no such bucket" in run("list", f"{store.scheme}://nosuchbucket/x", code=1)
