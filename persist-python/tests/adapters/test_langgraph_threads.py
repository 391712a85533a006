"""A thread goes from one checkpointer to another, synchronous or not, and goes on there."""

import asyncio
import itertools
import operator
import uuid
from typing import Annotated, TypedDict

import persist
import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Overwrite, interrupt

from .graphs import (
    CONFIG,
    SAVERS,
    Notes,
    Outer,
    answers,
    contents,
    diary,
    nested,
    order,
    pair,
    run,
    saver_of,
    state_of,
)

OTHER = {"configurable": {"thread_id": "another"}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thread.json.gz"


def moved(original, path, target, **options):
    """The thread of a graph in another graph."""
    persist.snapshot(original, path, **options)
    return persist.restore(path, into=target)


@pytest.mark.parametrize(("source", "target"), list(itertools.product(SAVERS, SAVERS)))
async def test_branches_interrupts_and_subgraphs_go_to_any_checkpointer(
    source, target, path, tmp_path
):
    async with saver_of(source) as one, saver_of(target, tmp_path / "db") as other:
        original = order(one)
        await run(original, {"items": ["a", "B", "c", "D"], "checked": []})
        assert len((await state_of(original)).interrupts) == 2
        await persist.asnapshot(original, path)
        restored = await persist.arestore(path, into=order(other))
        states = await state_of(original), await state_of(restored)
        assert states[0].interrupts == states[1].interrupts
        assert states[0].values == states[1].values
        for graph, state in zip((original, restored), states, strict=True):
            await run(graph, answers(state, "yes "))
            last = await run(graph, answers(await state_of(graph), "no "))
            assert last["report"] == "['a', 'yes B?', 'c', 'yes D?'] ['saw 4', 'no fine?']"
            assert (await state_of(graph)).next == ()


async def test_a_question_in_a_subgraph_can_be_answered_after_the_restore(path):
    original, restored = order(InMemorySaver()), order(InMemorySaver())
    original.invoke({"items": ["a"], "checked": []}, CONFIG)
    moved(original, path, restored)
    asked = restored.get_state(CONFIG, subgraphs=True).tasks[0].state
    assert (asked.next, asked.values["notes"]) == (("ask",), ["saw 1"])
    done = restored.invoke(Command(resume="sure"), CONFIG)
    assert done["report"] == "['a'] ['saw 1', 'sure']"


@pytest.mark.parametrize("kind", SAVERS)
async def test_the_head_of_a_delta_channel_holds_its_whole_value(kind, path, tmp_path):
    async with saver_of(kind) as one, saver_of(kind, tmp_path / "db") as other:
        original = diary(one)
        for text in "xyz":
            await run(original, {"notes": [text]})
        await persist.asnapshot(original, path)
        restored = await persist.arestore(path, into=diary(other))
        before = await state_of(original)
        assert len(before.values["notes"]) == 6
        assert (await state_of(restored)).values == before.values
        one_says, other_says = [await run(g, {"notes": ["w"]}) for g in (original, restored)]
        assert one_says == other_says


@pytest.mark.parametrize("granularity", ["thread", "history"])
@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_delta_channel_of_a_subgraph_keeps_what_was_before_the_question(
    is_hidden, granularity, path
):
    original, restored = (nested(InMemorySaver(), is_hidden=is_hidden) for _ in range(2))
    original.invoke({"text": "one"}, CONFIG)
    moved(original, path, restored, granularity=granularity)
    assert restored.invoke(Command(resume="two"), CONFIG)["text"] == "two ['saw one', 'asked']"


@pytest.mark.parametrize("granularity", ["thread", "history"])
def test_parallel_branches_keep_their_order_in_a_delta_channel(granularity, path):
    original, restored = pair(InMemorySaver()), pair(InMemorySaver())
    original.invoke({"notes": ["0"]}, CONFIG)
    moved(original, path, restored, granularity=granularity)
    for graph in (original, restored):
        graph.invoke(Command(resume="a"), CONFIG)
        assert graph.get_state(CONFIG).values == {"notes": ["0", "a", "b"]}


async def test_parallel_branches_of_a_subgraph_keep_their_order_too(path):
    def build():
        graph = StateGraph(Notes)
        graph.add_node("pair", pair(None))
        graph.add_edge(START, "pair")
        return graph.compile(checkpointer=InMemorySaver())

    original, restored = build(), build()
    original.invoke({"notes": ["0"]}, CONFIG)
    await persist.asnapshot(original, path)
    await persist.arestore(path, into=restored)
    for graph in (original, restored):
        head = graph.get_state(CONFIG).tasks[0].state
        graph.invoke(Command(resume="a"), CONFIG)
        assert graph.get_state(head).values == {"notes": ["0", "a", "b"]}


def test_what_overwrites_a_channel_still_does_after_a_question(path):
    class Notes(TypedDict):
        notes: Annotated[list[str], operator.add]

    def build():
        graph = StateGraph(Notes)
        graph.add_node("only", lambda state: {"notes": Overwrite(["only"])})
        graph.add_node("ask", lambda state: {"notes": interrupt("more?") and []})
        graph.add_edge(START, "only")
        graph.add_edge(START, "ask")
        return graph.compile(checkpointer=InMemorySaver())

    original = build()
    original.invoke({"notes": ["a"]}, CONFIG)
    restored = moved(original, path, build())
    assert restored.invoke(Command(resume="no"), CONFIG) == {"notes": ["only"]}


def test_what_waits_for_a_delta_channel_is_not_counted_twice(path):
    original, restored = pair(InMemorySaver()), pair(InMemorySaver())
    original.invoke({"notes": ["0"]}, CONFIG)
    original.invoke(Command(update={"notes": ["told"]}), CONFIG)
    moved(original, path, restored)
    assert restored.get_state(CONFIG).values == original.get_state(CONFIG).values
    for graph in (original, restored):
        graph.invoke(Command(resume="a"), CONFIG)
        assert graph.get_state(CONFIG).values == {"notes": ["0", "told", "a", "b"]}


def test_a_run_that_failed_can_be_tried_again(path):
    broken = [True]

    def build():
        def fail(state: Outer):
            if broken[0]:
                message = "no network"
                raise OSError(message)
            return {"text": f"{state['text']} sent"}

        graph = StateGraph(Outer)
        graph.add_node("write", lambda state: {"text": f"{state['text']} written"})
        graph.add_node("send", fail)
        graph.add_edge(START, "write")
        graph.add_edge("write", "send")
        return graph.compile(checkpointer=InMemorySaver())

    original = build()
    with pytest.raises(OSError, match="no network"):
        original.invoke({"text": "letter"}, CONFIG)
    restored = moved(original, path, build())
    assert restored.get_state(CONFIG).next == ("send",)
    broken.clear()
    broken.append(False)
    assert restored.invoke(None, CONFIG) == {"text": "letter written sent"}


def test_a_workflow_of_functions_remembers_its_last_result(path):
    def build():
        @entrypoint(checkpointer=InMemorySaver())
        def add(number, *, previous=None):
            total = (previous or 0) + number
            return entrypoint.final(value=f"{total} {interrupt('sure?')}", save=total)

        return add

    original, restored = build(), build()
    original.invoke(40, CONFIG)
    original.invoke(Command(resume="yes"), CONFIG)
    original.invoke(2, CONFIG)
    moved(original, path, restored)
    assert restored.invoke(Command(resume="yes"), CONFIG) == "42 yes"


def test_a_thread_can_get_another_name(path):
    original, restored = order(InMemorySaver()), order(InMemorySaver())
    original.invoke({"items": ["A"], "checked": []}, CONFIG)
    persist.snapshot(original, path)
    persist.restore(path, into=restored, thread_id="another")
    assert contents(restored.checkpointer) == []
    done = restored.invoke(Command(resume="a"), OTHER)
    assert done["checked"] == ["a"]
    assert contents(restored.checkpointer) == []


@pytest.mark.parametrize("name", [7, uuid.UUID(int=7)])
def test_a_name_that_is_no_text_is_found_as_langgraph_writes_it(name, path):
    config = {"configurable": {"thread_id": name}}
    original, restored = diary(InMemorySaver()), diary(InMemorySaver())
    original.invoke({"notes": ["x"]}, config)
    persist.snapshot(original, path, thread_id=name)
    persist.restore(path, into=restored)
    assert restored.get_state(config).values == original.get_state(config).values != {}
    persist.restore(path, into=restored, thread_id=name, on_existing="replace")
    assert [*restored.checkpointer.storage] == [str(name)]


@pytest.mark.parametrize("kind", SAVERS)
async def test_an_empty_checkpointer_has_no_thread_to_save(kind, path):
    async with saver_of(kind) as saver:
        with pytest.raises(persist.StateNotOnAgentError, match="0 threads"):
            await persist.asnapshot(diary(saver), path)
        with pytest.raises(persist.StateNotOnAgentError, match="no thread 'mine'"):
            await persist.asnapshot(diary(saver), path, thread_id="mine")
    assert not path.exists()


@pytest.mark.parametrize("checkpointer", [None, False, True])
def test_a_graph_that_keeps_no_state_itself_is_named(checkpointer, path):
    with pytest.raises(
        persist.StateNotOnAgentError, match="CompiledStateGraph has no checkpointer"
    ):
        persist.snapshot(diary(checkpointer), path)
    original = diary(InMemorySaver())
    original.invoke({"notes": ["x"]}, CONFIG)
    persist.snapshot(original, path)
    with pytest.raises(persist.NeedsContextError, match="no checkpointer to restore into"):
        persist.restore(path, into=diary(checkpointer))


class AsyncOnly(BaseCheckpointSaver):
    """A checkpointer with asynchronous calls alone, as some for Redis."""

    def __init__(self):
        super().__init__()
        self.inner = InMemorySaver()

    def get_next_version(self, current, channel):
        return self.inner.get_next_version(current, channel)

    async def aget_tuple(self, config):
        return self.inner.get_tuple(config)

    async def alist(self, config, **options):
        for item in self.inner.list(config, **options):
            yield item

    async def aput(self, *arguments):
        return self.inner.put(*arguments)

    async def aput_writes(self, config, writes, task_id, task_path=""):
        self.inner.put_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id):
        self.inner.delete_thread(thread_id)


def test_synchronous_code_is_told_to_await_where_there_is_no_other_call(path):
    saver = AsyncOnly()
    original = diary(saver)
    asyncio.run(original.ainvoke({"notes": ["x"]}, CONFIG))
    with pytest.raises(persist.NeedsContextError, match="AsyncOnly answers asynchronous") as caught:
        persist.snapshot(original, path)
    assert "await persist.asnapshot(" in caught.value.hint
    asyncio.run(persist.asnapshot(original, path))
    restored = diary(AsyncOnly())
    with pytest.raises(persist.NeedsContextError) as caught:
        persist.restore(path, into=restored)
    assert "persist.arestore(" in caught.value.hint
    asyncio.run(persist.arestore(path, into=restored))
    assert (
        contents(restored.checkpointer.inner)[0].checkpoint["id"]
        == (contents(saver.inner)[0].checkpoint["id"])
    )


def test_a_checkpointer_whose_loop_has_ended_is_an_error_and_nothing_waits(path, tmp_path):
    async def first():
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "db")) as saver:
            graph = diary(saver)
            await graph.ainvoke({"notes": ["x"]}, CONFIG)
            return graph

    with pytest.raises(persist.NeedsContextError, match="event loop"):
        persist.snapshot(asyncio.run(first()), path)


async def test_another_thread_may_call_an_asynchronous_checkpointer(path, tmp_path):
    async with saver_of("async-sqlite") as one, saver_of("async-sqlite", tmp_path / "db") as other:
        original, restored = diary(one), diary(other)
        await original.ainvoke({"notes": ["x"]}, CONFIG)
        await asyncio.to_thread(persist.snapshot, original, path)
        await asyncio.to_thread(lambda: persist.restore(path, into=restored))
        assert (await restored.aget_state(CONFIG)).values == {"notes": ["x", "1 before"]}


class Logged(SqliteSaver):
    """A checkpointer of a user's own."""


async def test_a_subclass_of_a_synchronous_checkpointer_works_in_asynchronous_code(path):
    async with saver_of("sqlite") as one, saver_of("sqlite") as other:
        original, restored = diary(Logged(one.conn)), diary(Logged(other.conn))
        original.invoke({"notes": ["x"]}, CONFIG)
        await persist.asnapshot(original, path)
        await persist.arestore(path, into=restored)
        assert restored.get_state(CONFIG).values == original.get_state(CONFIG).values


class Old(InMemorySaver):
    """A checkpointer from before writes had the path of their task."""

    def put_writes(self, config, writes, task_id):
        super().put_writes(config, writes, task_id)


def test_a_checkpointer_that_takes_no_task_path_can_be_the_target(path):
    original = order(InMemorySaver())
    original.invoke({"items": ["a", "B"], "checked": []}, CONFIG)
    restored = moved(original, path, order(Old()))
    done = restored.invoke(answers(restored.get_state(CONFIG), "yes "), CONFIG)
    assert sorted(done["checked"]) == ["a", "yes B?"]
