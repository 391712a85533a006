"""A restore goes back or changes nothing, whatever the checkpointer does meanwhile."""

import asyncio
import dataclasses

import persist
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from persist import _api, adapters
from persist._location import location

from .graphs import (
    CONFIG,
    SAVERS,
    answers,
    contents,
    diary,
    order,
    pair,
    run,
    saver_of,
    state_of,
)

OTHER = {"configurable": {"thread_id": "other"}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thread.json.gz"


async def listed(saver):
    """All that a checkpointer holds, in all its threads."""
    if type(saver).__name__ == "AsyncSqliteSaver":
        return [item async for item in saver.alist(None)]
    return contents(saver, None)


def asked(saver):
    """A thread that stopped at two interrupts and a finished branch."""
    graph = order(saver)
    graph.invoke({"items": ["a", "B", "C"], "checked": []}, CONFIG)
    return graph


def reviewed(saver):
    """The same thread later, in its subgraph."""
    graph = asked(saver)
    graph.invoke(answers(graph.get_state(CONFIG), "yes "), CONFIG)
    return graph


@pytest.mark.parametrize("kind", SAVERS)
async def test_replacing_goes_back_and_touches_no_other_thread(kind, path):
    async with saver_of(kind) as saver:
        graph = diary(saver)
        await run(graph, {"notes": ["x"]}, OTHER)
        await run(graph, {"notes": ["x"]})
        early = (await state_of(graph)).values
        await persist.asnapshot(graph, path, thread_id="thread-1")
        others = [item for item in await listed(saver) if _thread(item) == "other"]
        late = await run(graph, {"notes": ["y"]})
        await persist.arestore(path, into=graph, on_existing="replace")
        assert (await state_of(graph)).values == early != late
        assert await run(graph, {"notes": ["y"]}) == late
        found = await listed(saver)
        assert [item for item in found if _thread(item) == "other"] == others
        assert {_thread(item) for item in found} == {"thread-1", "other"}


def _thread(item):
    return item.config["configurable"]["thread_id"]


def test_a_thread_that_is_in_its_subgraph_goes_back_to_its_questions(path):
    graph = asked(InMemorySaver())
    early = graph.get_state(CONFIG, subgraphs=True)
    persist.snapshot(graph, path)
    graph.invoke(answers(early, "yes "), CONFIG)
    assert graph.get_state(CONFIG).next == ("review",)
    persist.restore(path, into=graph, on_existing="replace")
    assert graph.get_state(CONFIG).interrupts == early.interrupts
    graph.invoke(answers(early, "no "), CONFIG)
    assert graph.get_state(CONFIG).values["checked"] == ["a", "no B?", "no C?"]


@pytest.mark.parametrize("kind", SAVERS)
async def test_a_thread_that_exists_is_refused_and_stays_to_the_last_write(kind, path):
    async with saver_of(kind) as saver:
        graph = order(saver)
        await run(graph, {"items": ["a", "B"], "checked": []})
        await persist.asnapshot(graph, path)
        await run(graph, answers(await state_of(graph), "yes "))
        before = await listed(saver)
        with pytest.raises(persist.RestoreConflictError, match="thread-1") as caught:
            await persist.arestore(path, into=graph)
        assert 'on_existing="replace"' in caught.value.hint
        assert await listed(saver) == before


def damaged(path):
    data = path.read_bytes()
    middle = len(data) // 2 + 4096 // 2
    return {
        "a changed byte": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "cut off": data[:-9],
        "another file": b"PK\3\4",
        "nothing": b"",
    }


def test_a_damaged_file_leaves_the_thread_as_it_was(path):
    persist.snapshot(asked(InMemorySaver()), path)
    target = reviewed(InMemorySaver())
    before = contents(target.checkpointer)
    for what, data in damaged(path).items():
        path.write_bytes(data)
        with pytest.raises(persist.FormatError):
            persist.restore(path, into=target, on_existing="replace")
        assert contents(target.checkpointer) == before, what


def test_another_graph_keeps_its_thread(path):
    persist.snapshot(asked(InMemorySaver()), path)
    target = diary(InMemorySaver())
    target.invoke({"notes": ["x"]}, CONFIG)
    before = contents(target.checkpointer)
    with pytest.raises(persist.FingerprintMismatchError, match="nodes"):
        persist.restore(path, into=target, on_existing="replace")
    assert contents(target.checkpointer) == before


@pytest.mark.parametrize(
    "field", ["v", "id", "ts", "channel_values", "channel_versions", "versions_seen"]
)
@pytest.mark.parametrize("value", ["left out", None])
def test_a_checkpoint_that_langgraph_could_not_go_on_from_is_no_state(field, value, path):
    target = asked(InMemorySaver())
    before = contents(target.checkpointer)
    captured = adapters.capture(target)
    checkpoint = captured.state["checkpoints"][-1]["checkpoint"]
    del checkpoint[field]
    if value is None:
        checkpoint[field] = None
    _api._save(dataclasses.replace(captured), location(path), {}, {})
    with pytest.raises(persist.FormatError, match="not what the adapter 'langgraph' writes"):
        persist.restore(path, into=target, on_existing="replace")
    assert contents(target.checkpointer) == before


class Failing(InMemorySaver):
    """Fails at the Nth write into a thread, or at every write into any."""

    is_dead = False
    left = 0

    def put(self, config, *arguments):
        self._count(config)
        return super().put(config, *arguments)

    def put_writes(self, config, writes, task_id, task_path=""):
        self._count(config)
        super().put_writes(config, writes, task_id, task_path)

    def _count(self, config):
        if self.left > 0 and _is_first(config):
            self.left -= 1
            if self.left == 0:
                message = "the database is busy"
                raise OSError(message)
        if self.is_dead:
            message = "the database is read-only"
            raise OSError(message)


def _is_first(config):
    return config["configurable"]["thread_id"] == "thread-1"


async def restored(path, target, *, is_async):
    if is_async:
        return await persist.arestore(path, into=target, on_existing="replace")
    return persist.restore(path, into=target, on_existing="replace")


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_write_that_fails_once_leaves_the_thread_as_it_was(is_async, path):
    persist.snapshot(reviewed(InMemorySaver()), path, granularity="history")
    target = asked(Failing())
    before = contents(target.checkpointer, None)
    nth = 1
    while True:
        target.checkpointer.left = nth
        try:
            await restored(path, target, is_async=is_async)
        except OSError:
            assert contents(target.checkpointer, None) == before
            nth += 1
        else:
            break
    assert nth > len(list(persist.load_state(path)["checkpoints"]))
    assert target.get_state(CONFIG).next == ("review",)


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_checkpointer_that_takes_no_writes_keeps_its_thread(is_async, path):
    persist.snapshot(reviewed(InMemorySaver()), path)
    target = asked(Failing())
    before = contents(target.checkpointer, None)
    target.checkpointer.is_dead = True
    with pytest.raises(OSError, match="read-only"):
        await restored(path, target, is_async=is_async)
    assert contents(target.checkpointer, None) == before


def test_a_value_that_the_checkpointer_refuses_leaves_the_thread_as_it_was(path):
    target = asked(InMemorySaver())
    captured = adapters.capture(target)
    captured.state["checkpoints"][-1]["checkpoint"]["channel_values"]["items"] = 2**70
    _api._save(captured, location(path), {}, {})
    before = contents(target.checkpointer, None)
    with pytest.raises(TypeError, match="64-bit"):
        persist.restore(path, into=target, on_existing="replace")
    assert contents(target.checkpointer, None) == before


def test_branches_still_keep_their_order_after_a_failed_restore(path):
    source, target = pair(InMemorySaver()), pair(Failing())
    for graph in (source, target):
        graph.invoke({"notes": ["0"]}, CONFIG)
    persist.snapshot(source, path)
    target.checkpointer.left = 1
    with pytest.raises(OSError, match="busy"):
        persist.restore(path, into=target, on_existing="replace")
    target.invoke(Command(resume="a"), CONFIG)
    assert target.get_state(CONFIG).values == {"notes": ["0", "a", "b"]}


class Slow(InMemorySaver):
    """Waits for ever at the second checkpoint of the thread."""

    def __init__(self):
        super().__init__()
        self.is_slow, self.seen, self.is_waiting = False, 0, asyncio.Event()

    async def aput(self, config, *arguments):
        if self.is_slow and _is_first(config):
            self.seen += 1
            if self.seen == 2:
                self.is_slow = False
                self.is_waiting.set()
                await asyncio.Event().wait()
        return await super().aput(config, *arguments)


async def test_a_cancelled_restore_leaves_the_thread_as_it_was(path):
    persist.snapshot(reviewed(InMemorySaver()), path)
    target = asked(Slow())
    before = contents(target.checkpointer, None)
    target.checkpointer.is_slow = True
    task = asyncio.create_task(persist.arestore(path, into=target, on_existing="replace"))
    await target.checkpointer.is_waiting.wait()
    assert contents(target.checkpointer) != before
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert contents(target.checkpointer, None) == before


class Moving(InMemorySaver):
    """Does something to the thread once it has been read."""

    move = None

    def list(self, *arguments, **options):
        yield from list(super().list(*arguments, **options))
        self._once()

    async def alist(self, *arguments, **options):
        for item in list(super().list(*arguments, **options)):
            yield item
        self._once()

    def _once(self):
        move, self.move = self.move, None
        if move is not None:
            move(self)


def wrote(saver):
    head = next(InMemorySaver.list(saver, CONFIG))
    saver.put_writes(head.config, [("checked", ["late"])], "task", "")


def deleted(saver):
    saver.delete_thread("thread-1")


async def saved(graph, path, *, is_async, **options):
    if is_async:
        return await persist.asnapshot(graph, path, thread_id="thread-1", **options)
    return persist.snapshot(graph, path, thread_id="thread-1", **options)


@pytest.mark.parametrize("move", [reviewed, wrote, deleted])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("granularity", ["thread", "history"])
async def test_a_thread_that_moves_is_not_saved_half_old_half_new(
    move, is_async, granularity, path
):
    graph = asked(Moving())
    graph.checkpointer.move = move
    with pytest.raises(persist.ConcurrentMutationError, match="thread-1") as caught:
        await saved(graph, path, is_async=is_async, granularity=granularity)
    assert caught.value.retryable
    assert not path.exists()


async def test_a_thread_that_moved_can_be_saved_when_it_stands_still(path):
    graph = asked(Moving())
    graph.checkpointer.move = wrote
    with pytest.raises(persist.ConcurrentMutationError):
        await saved(graph, path, is_async=False)
    await saved(graph, path, is_async=False)
    target = order(InMemorySaver())
    persist.restore(path, into=target)
    assert ("task", "checked", ["late"]) in contents(target.checkpointer)[0].pending_writes
