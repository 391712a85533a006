"""A value of 100 MB is saved and comes back in memory that is bounded, each in a fresh process."""

import subprocess
import sys

import pytest

MB = 1_000_000
LENGTH = 100 * MB
MORE = 64 << 20
"""What may come on top, whatever the length: blocks on their way, threads, what Python keeps."""

MAKE = {
    "bytes": "os.urandom(LENGTH)",
    "bytearray": "random_bytearray()",
    "an array": "numpy.frombuffer(os.urandom(LENGTH), 'f4').reshape(1000, -1)",
    "text": "os.urandom(LENGTH // 2).hex()",
    "the artifact of a tool": "os.urandom(LENGTH)",
    "an array in a dataclass": "numpy.frombuffer(os.urandom(LENGTH), 'f4')",
    "bytes in models": "os.urandom(LENGTH)",
}
PLACE = {
    "the artifact of a tool": "[ToolMessage('a', tool_call_id='1', artifact=value)]",
    "an array in a dataclass": "ToolMessage('', tool_call_id='', artifact=Note(value))",
    "bytes in models": "{'a': Model(a=Note(Model(a=value)))}",
}
PICK = {
    "the artifact of a tool": "state[0].artifact",
    "an array in a dataclass": "state.artifact.held",
    "bytes in models": "state['a'].a.held.a",
}

SAVE = """
value = {make}
state = {place}
before = memory("VmRSS")
persist.snapshot(state, "{name}", level={level}, secrets_policy="allow")
print(memory("VmHWM") - before)
pathlib.Path("sum").write_text(sum_of(value))
"""
RESTORE = """
before = memory("VmRSS")
persist.verify_snapshot("{name}")
print(memory("VmHWM") - before)
pathlib.Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
state = persist.restore("{name}")
print(memory("VmHWM") - before)
assert sum_of({pick}) == pathlib.Path("sum").read_text()
"""
PRELUDE = """
import dataclasses, os, numpy, pathlib, persist, pydantic, zlib
from langchain_core.messages import ToolMessage
LENGTH = {length}
@persist.register
@dataclasses.dataclass
class Note:
    held: object
@persist.register
class Model(pydantic.BaseModel):
    a: object
def memory(name):
    with open("/proc/self/status") as lines:
        (line,) = [line for line in lines if line.startswith(name)]
    return int(line.split()[1]) * 1024
def sum_of(value):
    data = value.encode() if isinstance(value, str) else value
    return f"{{type(value)}} {{getattr(value, 'shape', None)}} {{zlib.crc32(data)}}"
def random_bytearray():
    made = bytearray(LENGTH)
    for start in range(0, LENGTH, 1_000_000):
        made[start : start + 1_000_000] = os.urandom(1_000_000)
    return made
held = Model(a=Note(numpy.zeros(3)))
persist.loads(persist.dumps([ToolMessage("a", tool_call_id="1", artifact=held)]))
"""


def taken(folder, script):
    """How much memory a fresh process took for each part, beside what it held before."""
    program = PRELUDE.format(length=LENGTH) + script
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@pytest.mark.parametrize("kind", MAKE)
def test_the_memory_for_a_long_value_is_bounded(kind, tmp_path):
    place = PLACE.get(kind, "{'a': value}")
    names = {"name": "a.json.zst", "level": 1, "pick": PICK.get(kind, "state['a']")}
    (saved,) = taken(tmp_path, SAVE.format(make=MAKE[kind], place=place, **names))
    assert saved < MORE
    verified, restored = taken(tmp_path, RESTORE.format(**names))
    assert verified < MORE
    # The value itself; an array and a bytearray are copied once more, when all of it is there.
    times = 1 if "byte" in kind and kind != "bytearray" else 2
    assert restored < 1.1 * times * LENGTH + MORE


def test_a_file_that_is_not_packed_is_in_memory_once_beside_the_value(tmp_path):
    names = {"name": "a.json", "level": None, "pick": "state[0]"}
    (saved,) = taken(tmp_path, SAVE.format(make=MAKE["bytes"], place="[value]", **names))
    assert saved < MORE
    _, restored = taken(tmp_path, RESTORE.format(**names))
    assert restored < 2.4 * LENGTH + MORE
