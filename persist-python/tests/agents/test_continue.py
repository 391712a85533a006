"""The proof: a fresh process restores, and its model sees what it would have seen anyway."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("scripted.py")


def run(kind, step, path):
    command = [sys.executable, str(SCRIPT), kind, step, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", ["agent", "interrupt", "conversation", "messages", "history"])
def test_a_fresh_process_continues_where_the_first_stopped(kind, tmp_path):
    path = tmp_path / "agent.json.gz"
    run(kind, "first", path)
    seen = run(kind, "second", path)
    assert seen == run(kind, "whole", path)
    assert len(seen) > 0
