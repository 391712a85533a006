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


@pytest.mark.parametrize("kind", ["agent", "interrupt", "conversation", "messages", "history"])
def test_a_fresh_process_continues_where_the_first_stopped(kind, tmp_path):
    path = tmp_path / "agent.json.gz"
    run(kind, "first", path)
    seen = run(kind, "second", path)
    assert seen == run(kind, "whole", path)
    assert len(seen) > 0


@pytest.fixture(scope="module")
def classic(tmp_path_factory):
    """What the models of all langchain-classic agents were sent, by step and kind."""
    folder = tmp_path_factory.mktemp("classic")
    steps = ("first", "into", "built", "whole")
    return {step: run(step, folder, script=CLASSIC) for step in steps}


def test_classic_agents_go_on_in_agents_of_the_same_code(classic):
    assert classic["into"] == classic["whole"]
    assert all(classic["whole"].values())


def test_classic_agents_are_built_again_or_ask_for_their_code(classic):
    expected = {
        kind: "needs_context" if kind in NEEDS_CODE else seen
        for kind, seen in classic["whole"].items()
    }
    assert classic["built"] == expected
