"""The suite that every store must pass, on every cloud's store, against real servers."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = os.environ["HOME"]
"""Where cargo keeps what it has downloaded."""


def test_the_store_conforms(store):
    """As cargo has built it with the other tests; the environment says how the store is reached."""
    command = ["cargo", "test", "--quiet", "--workspace", "--all-features"]
    profile = os.environ.get("PERSIST_CARGO_PROFILE", "dev")
    command += ["--profile", profile, "--example", "check_store", "--", store.url("check/")]
    env = {**os.environ, "HOME": HOME}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
