"""A thread goes from any checkpointer to any other, and goes on there."""

import json
import subprocess
import sys
from pathlib import Path

import persist
import pytest
from graphs import CONFIG, SCENARIOS, Agent, Approval

KINDS = ["memory", "sqlite", "postgres"]
PAIRS = [("memory", kind) for kind in KINDS] + [(kind, "memory") for kind in KINDS[1:]]
PAIRS += [("sqlite", "postgres"), ("postgres", "sqlite")]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("granularity", ["thread", "history"])
def test_a_thread_goes_on_in_another_checkpointer(
    scenario, source, target, granularity, new_saver, tmp_path
):
    case = scenario()
    original = case.build(new_saver(source))
    case.first(original)
    persist.snapshot(original, tmp_path / "a.json.gz", granularity=granularity)
    restored = persist.restore(tmp_path / "a.json.gz", into=case.build(new_saver(target)))
    assert case.rest(restored) == case.rest(original)


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
async def test_asynchronous_checkpointers_too(source, target, new_async_saver, tmp_path):
    case = Agent()
    original = case.build(await new_async_saver(source))
    hello = {"messages": [("user", "Hi")], "turns": 1, "seen": {"a"}}
    await original.ainvoke(hello, CONFIG)
    await persist.asnapshot(original, tmp_path / "a.json.gz")
    into = case.build(await new_async_saver(target))
    restored = await persist.arestore(tmp_path / "a.json.gz", into=into)
    more = {"messages": [("user", "And?")], "turns": 1, "seen": {"b"}}
    one, other = await original.ainvoke(more, CONFIG), await restored.ainvoke(more, CONFIG)
    assert [m.content for m in one["messages"]] == [m.content for m in other["messages"]]
    assert (one["turns"], one["seen"]) == (other["turns"], other["seen"]) == (2, {"a", "b"})


async def test_an_asynchronous_checkpointer_can_be_looked_at_and_written_into_memory(
    new_async_saver,
):
    graph = Approval().build(await new_async_saver("sqlite"))
    await graph.ainvoke({"messages": [("user", "Hi")]}, CONFIG)
    found = await persist.ainspect(graph)
    assert (found.adapter, found.refused) == ("langgraph", ())
    into = Approval().build(await new_async_saver("memory"))
    restored = await persist.aloads(await persist.adumps(graph), into=into)
    assert (await restored.aget_state(CONFIG)).interrupts


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_synchronous_call_inside_the_loop_says_what_to_await(
    kind, new_async_saver, tmp_path
):
    graph = Approval().build(await new_async_saver(kind))
    await graph.ainvoke({"messages": [("user", "Hi")]}, CONFIG)
    with pytest.raises(persist.NeedsContextError) as caught:
        persist.snapshot(graph, tmp_path / "a.json.gz")
    assert "asnapshot" in caught.value.hint
    assert not (tmp_path / "a.json.gz").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_history_brings_every_checkpoint_with_its_parent(kind, new_saver, tmp_path):
    case = Agent()
    original = case.build(new_saver("memory"))
    case.first(original)
    case.rest(original)
    persist.snapshot(original, tmp_path / "a.json.gz", granularity="history")
    restored = persist.restore(tmp_path / "a.json.gz", into=case.build(new_saver(kind)))
    one, other = (list(graph.get_state_history(CONFIG)) for graph in (original, restored))
    assert [_shown(state) for state in one] == [_shown(state) for state in other]
    assert len(one) > 6
    earlier = next(state for state in other if state.metadata["step"] == 1)
    gone_on = restored.invoke(None, earlier.config)
    assert [m.content for m in gone_on["messages"]] == [
        m.content for m in original.invoke(None, one[other.index(earlier)].config)["messages"]
    ]


def _shown(state):
    messages = [(m.type, m.content) for m in state.values.get("messages", ())]
    return state.config, state.parent_config, state.next, state.metadata, messages


def run(step, folder, place):
    command = [sys.executable, Path(__file__).with_name("process.py"), step, folder, place]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What comes out of the scenarios without a break."""
    return run("whole", tmp_path_factory.mktemp("whole"), "memory")


@pytest.mark.parametrize(("source", "target"), [("sqlite", "postgres"), ("postgres", "memory")])
def test_a_fresh_process_goes_on_where_the_first_stopped(source, target, place_of, whole, tmp_path):
    run("first", tmp_path, place_of(source, "first"))
    assert run("second", tmp_path, place_of(target, "second")) == whole
