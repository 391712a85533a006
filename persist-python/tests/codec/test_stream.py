"""A long state is saved on a thread while it is walked; what goes wrong there, or in the walk."""

import sys
import threading
from pathlib import Path

import persist
import pytest

LONG = ["some text " * 100 for _ in range(6000)]
"""Text of 6 MB: more than is kept until the walk is over."""


def savers():
    """The threads that save; their names are what Linux keeps of them."""
    tasks = Path("/proc/self/task").iterdir()
    return [task.name for task in tasks if "persist-" in (task / "comm").read_text()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_value_that_is_refused_behind_long_text_leaves_nothing(tmp_path):
    with pytest.raises(persist.UnserializableStateError, match=r"\$\[1\]"):
        persist.snapshot([LONG, threading.Lock()], tmp_path / "a.json.gz")
    assert not list(tmp_path.iterdir())
    assert not savers()


def test_an_error_of_the_store_is_that_of_a_short_state(tmp_path):
    file = tmp_path / "file"
    file.touch()
    told = []
    for state in ([], LONG):
        with pytest.raises(persist.NotFoundError) as caught:
            persist.snapshot(state, file / "a.json.gz")
        told.append((type(caught.value), str(caught.value)))
    assert told[0] == told[1]


def test_what_is_shared_behind_long_text_is_shared_again(tmp_path):
    shared = [1]
    state = persist.restore(_saved([LONG, shared, shared], tmp_path))
    assert state == [LONG, shared, shared]
    assert state[1] is state[2]
    assert list(tmp_path.iterdir()) == [tmp_path / "a.json.gz"]


def test_a_state_that_is_longer_than_what_may_wait(tmp_path):
    state = [LONG, b"bytes" * 8_000_000, "ü" * 4_000_000]
    assert persist.restore(_saved(state, tmp_path, compression="gzip", level=9)) == state


def _saved(state, folder, **options):
    persist.snapshot(state, folder / "a.json.gz", **options)
    return folder / "a.json.gz"
