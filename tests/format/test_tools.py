"""The tools that people have open every file that Persist writes."""

import gzip
import json
import shutil
import subprocess

import persist
import pytest

STATE = {"messages": [{"text": f"hello é {n}"} for n in range(3)], "big": ["x" * 1000] * 3000}


def run(*command, data=None):
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    return done.stdout


@pytest.fixture
def path(tmp_path):
    return lambda ending: tmp_path / f"agent.json.{ending}"


def test_zcat_and_jq_read_a_gzip_snapshot(path):
    metadata = persist.snapshot(STATE, path("gz"), agent_id="bot")
    text = run("zcat", path("gz"))
    assert json.loads(run("jq", ".metadata", data=text)) == metadata
    assert json.loads(run("jq", ".agent_state", data=text)) == STATE
    run("gzip", "-t", path("gz"))
    run("pigz", "-t", path("gz"))


def test_pythons_gzip_reads_it(path):
    persist.snapshot(STATE, path("gz"))
    assert json.loads(gzip.decompress(path("gz").read_bytes()))["agent_state"] == STATE


def test_node_reads_it(path):
    if shutil.which("node") is None:
        return  # Node.js is not among what the project needs.
    persist.snapshot(STATE, path("gz"))
    script = (
        "const file = require('fs').readFileSync(process.argv[1]);"
        "process.stdout.write(require('zlib').gunzipSync(file))"
    )
    assert json.loads(run("node", "-e", script, str(path("gz"))))["agent_state"] == STATE


def test_zstd_and_jq_read_a_zstd_snapshot(path):
    metadata = persist.snapshot(STATE, path("zst"))
    text = run("zstd", "-dc", path("zst"))
    assert json.loads(run("jq", ".metadata", data=text)) == metadata
    run("zstd", "-t", path("zst"))


def test_a_file_that_was_packed_again_is_read(path):
    persist.snapshot(STATE, path("gz"))
    path("gz").write_bytes(run("pigz", "-c", data=run("zcat", path("gz"))))
    assert persist.restore(path("gz")) == STATE
    persist.snapshot(STATE, path("zst"))
    path("zst").write_bytes(run("zstd", "-c", data=run("zstd", "-dc", path("zst"))))
    assert persist.restore(path("zst")) == STATE
