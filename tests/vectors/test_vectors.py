"""The vectors, read by Persist and by the second reader, and made again."""

import json
from pathlib import Path

import persist
import pytest
from loading import load

HERE = Path(__file__).parent
INDEX = json.loads((HERE / "vectors.json").read_text())


second = load(HERE.parent / "reader" / "persist_v1.py")


def judge_persist(path):
    try:
        persist.verify_snapshot(path)
    except persist.FormatError as error:
        return error.kind
    is_protected = "metadata_hash" in persist.get_metadata(path)
    return "full" if is_protected else "metadata unprotected"


def judge_second(path):
    try:
        snapshot = second.read(path.read_bytes())
    except second.Refused as refused:
        return refused.kind
    return "full" if snapshot.is_protected else "metadata unprotected"


@pytest.mark.parametrize("name", INDEX)
@pytest.mark.parametrize("judge", [judge_persist, judge_second])
def test_a_vector_is_judged_right(name, judge):
    assert judge(HERE / f"{name}.bin") in INDEX[name]["expect"], INDEX[name]["what"]


def test_the_vectors_are_those_that_the_generator_makes():
    made = load(HERE / "generate.py").vectors()
    assert {path.stem for path in HERE.glob("*.bin")} == set(INDEX) == set(made)
    for name, (data, what, expect) in made.items():
        assert (HERE / f"{name}.bin").read_bytes() == data, name
        assert INDEX[name] == {"what": what, "expect": expect}


def test_the_second_reader_reads_what_persist_writes():
    state = {"a": [1, 2.5, "é\0"], "b": {"c": None}, "long": list(range(5000))}
    for compression in ("gzip", "none"):
        data = persist.dumps(state, compression=compression, tags={"a": "b"})
        snapshot = second.read(data)
        assert json.loads(snapshot.state) == state
        assert snapshot.is_native == (compression == "gzip")


def test_the_second_reader_reads_a_state_of_many_blocks(tmp_path):
    state = [{"n": n, "text": "hello " * 20} for n in range(20_000)]
    persist.snapshot(state, tmp_path / "a.json.gz")
    snapshot = second.read((tmp_path / "a.json.gz").read_bytes())
    assert json.loads(snapshot.state) == state
