"""Going back really goes back; what fails changes nothing; what moves is noticed."""

import persist
import pytest
from graphs import CONFIG, Agent, Approval, Model, add
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver


@pytest.fixture
def case():
    return Agent()


@pytest.fixture
def early(case, tmp_path):
    """A thread, and a snapshot of what it was one turn before."""
    graph = case.build(InMemorySaver())
    case.first(graph)
    path = tmp_path / "early.json.gz"
    persist.snapshot(graph, path)
    case.rest(graph)
    return graph, path


def contents(graph, config=CONFIG):
    values = graph.get_state(config).values
    return [message.content for message in values.get("messages", ())], values.get("turns")


def test_an_older_head_goes_back_when_it_may_replace(early, case):
    graph, path = early
    late = contents(graph)
    persist.restore(path, into=graph, on_existing="replace")
    assert contents(graph) != late
    case.rest(graph)
    assert contents(graph) == late


def test_an_older_head_is_refused_where_a_thread_is(early):
    graph, path = early
    late, checkpoints = contents(graph), len(list(graph.checkpointer.list(CONFIG)))
    with pytest.raises(persist.RestoreConflictError, match="thread-1"):
        persist.restore(path, into=graph)
    assert (contents(graph), len(list(graph.checkpointer.list(CONFIG)))) == (late, checkpoints)


def test_an_older_head_can_live_beside_the_thread(early):
    graph, path = early
    late = contents(graph)
    persist.restore(path, into=graph, thread_id="copy")
    other = {"configurable": {"thread_id": "copy"}}
    assert contents(graph) == late
    assert contents(graph, other)[1] == 1
    graph.invoke({"messages": [("user", "x")], "turns": 5}, other)
    assert contents(graph) == late


class Failing(InMemorySaver):
    """A checkpointer whose Nth write fails."""

    left = None

    def put(self, *arguments, **options):
        self._count()
        return super().put(*arguments, **options)

    def put_writes(self, *arguments, **options):
        self._count()
        return super().put_writes(*arguments, **options)

    def _count(self):
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.left = None
                message = "the database is gone"
                raise OSError(message)


@pytest.mark.parametrize("nth", [1, 2, 3, 5, 8])
def test_a_failed_restore_leaves_the_thread_as_it_was(nth, tmp_path):
    case = Approval()
    source = case.build(InMemorySaver())
    case.first(source)
    persist.snapshot(source, tmp_path / "a.json.gz", granularity="history")
    target = case.build(Failing())
    target.invoke({"messages": [("user", "Something else")]}, CONFIG)
    before = [_identity(item) for item in target.checkpointer.list(CONFIG)]
    target.checkpointer.left = nth
    try:
        persist.restore(tmp_path / "a.json.gz", into=target, on_existing="replace")
    except OSError:
        assert [_identity(item) for item in target.checkpointer.list(CONFIG)] == before
        assert target.get_state(CONFIG).interrupts
    else:
        assert target.checkpointer.left is not None, "no write failed"


def _identity(item):
    return item.config, item.parent_config, item.metadata, sorted(map(repr, item.pending_writes))


class Moving(InMemorySaver):
    """A checkpointer whose thread goes on between two reads."""

    graph = None

    def list(self, *arguments, **options):
        yield from list(super().list(*arguments, **options))
        if self.graph is not None:
            graph, self.graph = self.graph, None
            graph.invoke({"messages": [("user", "Wait")], "turns": 1}, CONFIG)


def test_a_thread_that_moves_during_the_capture_is_an_error(case, tmp_path):
    graph = case.build(Moving())
    case.first(graph)
    graph.checkpointer.graph = graph
    with pytest.raises(persist.ConcurrentMutationError, match="thread-1") as caught:
        persist.snapshot(graph, tmp_path / "a.json.gz", thread_id="thread-1")
    assert caught.value.retryable
    assert not (tmp_path / "a.json.gz").exists()


@tool
def subtract(a: int, b: int) -> int:
    """Subtract."""
    return a - b


def test_another_agent_is_refused_with_its_differences(early, tmp_path):
    _, path = early
    other = create_agent(Model(), [add, subtract], checkpointer=InMemorySaver())
    with pytest.raises(persist.FingerprintMismatchError) as caught:
        persist.restore(path, into=other)
    text = " ".join(caught.value.differences)
    assert "subtract" in text
    assert "turns" in text
    assert contents(other) == ([], None)
    with pytest.warns(UserWarning, match="subtract"):
        persist.restore(path, into=other, strict=False)
    assert contents(other)[0][0] == "Hi"


def test_the_thread_is_named_when_there_are_several(early, tmp_path):
    graph, _ = early
    graph.invoke({"messages": [("user", "x")], "turns": 1}, {"configurable": {"thread_id": "b"}})
    with pytest.raises(persist.StateNotOnAgentError, match="2 threads") as caught:
        persist.snapshot(graph, tmp_path / "a.json.gz")
    assert "thread_id=" in caught.value.hint
    with pytest.raises(persist.StateNotOnAgentError, match="'c'"):
        persist.snapshot(graph, tmp_path / "a.json.gz", thread_id="c")


def test_a_graph_without_a_checkpointer_has_no_state_to_save(case, tmp_path):
    with pytest.raises(persist.StateNotOnAgentError, match="checkpointer"):
        persist.snapshot(case.build(None), tmp_path / "a.json.gz")


def test_without_its_code_the_snapshot_says_what_to_pass(early):
    with pytest.raises(persist.NeedsContextError) as caught:
        persist.restore(early[1])
    assert "into=" in caught.value.hint
    state = persist.load_state(early[1])
    assert state["thread_id"] == "thread-1"
