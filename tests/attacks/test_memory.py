"""Small files whose state would fill the memory as objects are refused, in bounded memory."""

import subprocess
import sys
import zlib
from pathlib import Path

import persist
import pytest
from loading import load

HERE = Path(__file__).parent
BOUND = 2 << 30
WEIGHT = 36_000_000
"""Of each bomb; a small file may weigh 2^25."""
HUMAN = (
    b'{"lc":1,"type":"constructor","id":["langchain","schema","messages","HumanMessage"],'
    b'"kwargs":{"content":""}},'
)
# A piece that is repeated, and what that weighs.
BOMBS = {
    "arrays": (b"[],", 8),
    "objects": (b'{"":0},', 9),
    "messages": (HUMAN, 31),
    "sets": (b'{"$persist":"set","v":[]},', 17),
    "queues": (b'{"$persist":"deque","v":{"maxlen":null,"items":[]}},', 26),
}
SHAPES = [*((name, "native") for name in BOMBS), ("arrays", "foreign"), ("messages", "foreign")]
PROGRAM = """
import resource, sys, persist
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
for verb in sys.argv[2:]:
    try:
        getattr(persist, verb)(sys.argv[1])
    except persist.LimitExceededError as error:
        print("weighs" if "weighs" in str(error) else error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def packed(text, bits=31):
    """Deflated so badly that the ratio of the lengths is no reason to refuse it."""
    compress = zlib.compressobj(1, zlib.DEFLATED, bits)
    return compress.compress(text) + compress.flush()


vectors = load(HERE.parent / "vectors" / "generate.py")
vectors.pack = packed


def bomb(name, shape):
    """A file of less than 2 MiB that unpacks to many of these, with every digest right."""
    piece, weight = BOMBS[name]
    count = max(1, 2**20 // len(piece))
    part = piece * count
    texts = [b"[", *[part] * (WEIGHT // (count * weight) + 1), b"0]"]
    state = b"".join(texts)
    if shape == "foreign":
        return vectors.original(state)
    members = {text: vectors.member(text, packed(text, -15)) for text in set(texts)}
    return vectors.native(state, texts=texts, blocks=[members[text] for text in texts])


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_a_bomb_is_refused_before_it_is_built(name, shape, tmp_path):
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(bomb(name, shape))
    assert path.stat().st_size < 2 << 20
    verbs = ["restore"] if name != "arrays" else ["verify_snapshot", "load_state", "restore"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, path, *verbs],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    *kinds, peak = done.stdout.split()
    assert kinds == ["weighs"] * len(verbs), done
    assert int(peak) * 1024 < BOUND


def test_the_writer_refuses_what_no_reader_would_take(tmp_path):
    path = tmp_path / "a.json.gz"
    state = [[] for _ in range(2**22)]
    with pytest.raises(persist.LimitExceededError, match="compresses too well") as caught:
        persist.snapshot(state, path)
    assert "none" in caught.value.hint
    assert not path.exists()
    path = tmp_path / "a.json"
    persist.snapshot(state, path)
    assert persist.restore(path) == state
    state.pop()
    persist.snapshot(state, tmp_path / "b.json.gz")
    assert len(persist.restore(tmp_path / "b.json.gz")) == 2**22 - 1
