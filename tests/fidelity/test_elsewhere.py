"""A fresh process finds what another has saved, and goes on with it."""

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from loading import load
from persist import testing

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


elsewhere = load(Path(__file__).with_name("elsewhere.py"))
cases, parts = elsewhere.cases, elsewhere.parts
REFUSED = parts.REFUSED | {
    "numpy object array",
    "object of a class",
    "function",
    "lock",
    "generator",
}


def classes(inner):
    """Classes of users, with any values."""
    return st.one_of(
        st.sampled_from([*cases.Color, *cases.Size, *cases.Rights]),
        st.builds(cases.Point, testing.scalars(), st.lists(inner, max_size=2).map(tuple)),
        st.builds(cases.Frozen, inner, st.builds(cases.Point, inner)),
        st.builds(lambda lead, more: cases.Team(lead=lead, more=more), employees(), inner),
    )


def employees():
    return st.builds(cases.Employee, fullName=st.text(max_size=5), badge=st.binary(max_size=5))


def is_the_same_by_pickle(array):
    """Pickle forgets the order of the bytes of dates."""
    return pickle.loads(pickle.dumps(array)).dtype == array.dtype


STRATEGIES = {
    "drawn values": testing.values(classes),
    "drawn arrays": testing.arrays().filter(is_the_same_by_pickle),
    "drawn messages": testing.messages(),
}


def draw(strategy):
    """Some values, the same in each run."""
    drawn = []

    @settings(max_examples=100, phases=[Phase.generate], deadline=None)
    @given(strategy)
    def keep(value):
        drawn.append(value)

    keep()
    return drawn


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What was refused and why, which of that has a file, and what a new process says of the rest.

    It takes long, and is done once for all processes of the test run.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    answer = shared / "elsewhere.json"
    with FileLock(shared / "elsewhere.lock"):
        if not answer.exists():
            answer.write_text(json.dumps(tell(tmp_path_factory.mktemp("first"))))
    return json.loads(answer.read_text())


def tell(folder):
    refused = elsewhere.save(folder)
    elsewhere.save_drawn(folder, {name: draw(each) for name, each in STRATEGIES.items()})
    rows = elsewhere.rows
    keys = {
        variable: rows.CANARY for row in rows.ROWS.values() for variable in row.secrets.values()
    }
    done = subprocess.run(
        [sys.executable, elsewhere.__file__, folder],
        env={**os.environ, **keys},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    files = [name for name in refused if elsewhere.file_of(folder, name).exists()]
    return {"files": files, "refused": refused, "found": json.loads(done.stdout.splitlines()[-1])}


@pytest.fixture(scope="module")
def found(told):
    """What a fresh process says of each case."""
    return told["found"]


def test_what_is_refused_is_refused_before_there_is_a_file(told):
    assert told["refused"].keys() == REFUSED
    assert told["files"] == []
    assert told["found"].keys().isdisjoint(REFUSED)


@pytest.mark.parametrize("name", sorted({*elsewhere.VALUES, *STRATEGIES} - REFUSED))
def test_a_value_is_the_same_in_a_fresh_process(name, found):
    assert found[name] == elsewhere.SAME, found[name]


@pytest.mark.parametrize("name", sorted(parts.PARTS.keys() - REFUSED))
def test_a_part_of_a_chain_does_the_same_in_a_fresh_process(name, found):
    expected = elsewhere.ALLOWED if name in parts.NEED_ALLOW else elsewhere.SAME
    assert found[name] == expected, found[name]


@pytest.mark.parametrize("name", sorted(parts.REFUSED))
def test_what_is_refused_of_a_chain_is_named(name, told):
    assert re.search(r"could not capture \$.* \([\w.]+\): ", told["refused"][name])


@pytest.mark.parametrize("name", elsewhere.rows.ROWS)
def test_a_model_is_the_same_with_the_key_of_the_environment(name, found):
    assert found[name] == elsewhere.SAME, found[name]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What comes out of the agents when nothing breaks in, as JSON has it."""
    return json.loads(json.dumps(elsewhere.whole(tmp_path_factory.mktemp("whole"))))


@pytest.mark.parametrize("name", elsewhere.OUTSIDE)
def test_an_agent_with_state_outside_goes_on_in_a_fresh_process(name, found, whole):
    assert found[name] == whole[name]
