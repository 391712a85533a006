"""The proof: a fresh process restores, and its model sees what it would have seen anyway."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("scripted.py")


CLASSIC = SCRIPT.with_name("classic.py")
NEEDS_CODE = {
    *("vector", "vector_token_buffer", "retrieval", "react", "zero_shot", "chat_zero_shot"),
    *("conversational", "chat_conversational", "self_ask", "docstore", "structured"),
    *("functions", "multi_functions", "tool_calling"),
}


def run(*arguments, script=SCRIPT):
    command = [sys.executable, str(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_fresh_process_continues_where_the_first_stopped(tmp_path):
    run("first", tmp_path)
    seen = run("second", tmp_path)
    assert seen == run("whole", tmp_path)
    assert all(seen.values())


@pytest.mark.slow
def test_classic_agents_go_on_in_agents_of_the_same_code_or_are_built_again(tmp_path):
    steps = ("first", "into", "built", "whole")
    seen = {step: run(step, tmp_path, script=CLASSIC) for step in steps}
    assert seen["into"] == seen["whole"]
    assert all(seen["whole"].values())
    assert seen["built"] == {
        kind: "needs_context" if kind in NEEDS_CODE else of_the_model
        for kind, of_the_model in seen["whole"].items()
    }
