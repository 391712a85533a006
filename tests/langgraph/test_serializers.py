"""What the serializer of the target would change is refused by name before anything is written."""

import contextlib
import pickle
import uuid
import warnings
from typing import Annotated, Any, TypedDict

import persist
import pytest
from graphs import CONFIG, Weather
from hypothesis import HealthCheck, given, settings
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from persist import testing
from persist.codec import difference
from pydantic import BaseModel, PrivateAttr

VALUES = testing.values(max_leaves=6) | testing.messages() | testing.arrays()


class Exact:
    """A serializer that changes nothing."""

    def dumps_typed(self, value):
        return "pickle", pickle.dumps(value)

    def loads_typed(self, data):
        return pickle.loads(data[1])


class Backwards:
    """Stands for a cipher, so that these tests need none."""

    def encrypt(self, plaintext):
        return "backwards", plaintext[::-1]

    def decrypt(self, ciphername, ciphertext):
        assert ciphername == "backwards"
        return ciphertext[::-1]


def encrypted(serde):
    return EncryptedSerializer(Backwards(), serde)


SERIALIZERS = {
    "default": JsonPlusSerializer,
    "pickle": lambda: JsonPlusSerializer(pickle_fallback=True),
    "strict": lambda: JsonPlusSerializer(allowed_msgpack_modules=None),
    "allowed": lambda: JsonPlusSerializer(allowed_msgpack_modules=[Weather]),
    "encrypted": lambda: encrypted(JsonPlusSerializer()),
}
KINDS = ["memory", "sqlite"]


@contextlib.contextmanager
def saver_of(kind, serde):
    if kind == "memory":
        yield InMemorySaver(serde=serde)
    else:
        with SqliteSaver.from_conn_string(":memory:") as saver:
            saver.serde = serde
            yield saver


class State(TypedDict):
    held: Any
    more: Any


def graph(saver, state=State):
    """Holds anything, and asks about it."""
    built = StateGraph(state)
    built.add_node("ask", lambda state: {"held": interrupt(state["held"])})
    built.add_edge(START, "ask")
    return built.compile(checkpointer=saver)


def snapshot(held, *, saver=None, more=None, **options):
    """The snapshot of a thread that holds this, in its state and in what it asks."""
    agent = graph(saver or InMemorySaver(serde=Exact()))
    agent.invoke({"held": held, "more": more}, CONFIG)
    return persist.dumps(agent, **options)


def thread(saver, config=None):
    """All that a checkpointer holds, as data."""
    return [tuple(item) for item in saver.list(config)]


def told(items):
    """Of a thread, what a user put there."""
    return [
        (item.checkpoint["channel_values"], [*map(written, item.pending_writes)], item.metadata)
        for item in items
    ]


def written(write):
    """LangGraph's tuple of questions may be a list."""
    _, channel, value = write
    return channel, list(value) if channel == "__interrupt__" else value


def restored(data, saver, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return persist.loads(data, into=graph(saver), **options)


@pytest.mark.parametrize("granularity", ["thread", "history"])
@pytest.mark.parametrize("name", SERIALIZERS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_back_is_equal_or_refused_by_name(kind, name, granularity):
    @settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
    @given(held=VALUES)
    def check(held):
        source = InMemorySaver(serde=Exact())
        with saver_of(kind, SERIALIZERS[name]()) as saver:
            graph(saver).invoke({"held": "mine"}, {"configurable": {"thread_id": "bystander"}})
            before = thread(saver)
            data = snapshot(held, saver=source, granularity=granularity)
            expected = told(source.list(CONFIG))
            if granularity == "thread":
                expected = expected[:1]
            error = refusal(data, saver)
            if error is None:
                assert difference(expected, told(saver.list(CONFIG))) is None
                return
            assert error.path.startswith("$.state.checkpoints[")
            assert error.before
            assert "serde=" in error.hint
            assert difference(before, thread(saver)) is None
            is_taken = refusal(data, saver, strict=False) is None
            assert is_taken == ("strict=False" in error.hint)
            if is_taken:
                assert difference(expected, told(saver.list(CONFIG))) is not None

    check()


def refusal(data, saver, **options):
    """Restore; or the error, where it is refused."""
    try:
        restored(data, saver, **options)
    except persist.LossyTargetError as error:
        return error


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("name", SERIALIZERS)
def test_what_a_serializer_gave_it_takes(source, target, name):
    @settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
    @given(held=VALUES.filter(lambda value: type(value) is not bytearray))
    def check(held):
        serde = SERIALIZERS[name]()
        with saver_of(source, serde) as one, saver_of(target, serde) as other:
            try:
                data = snapshot(held, saver=one)
            except Exception:  # noqa: BLE001 - this serializer does not take it
                return
            restored(data, other)
            expected = told(one.list(CONFIG))[:1]
            assert difference(expected, told(other.list(CONFIG))) is None

    check()


async def load(data, agent, *, is_async):
    if is_async:
        return await persist.aloads(data, into=agent, on_existing="replace")
    return persist.loads(data, into=agent, on_existing="replace")


@pytest.mark.parametrize("is_async", [False, True])
async def test_the_error_says_where_and_what_and_nothing_changes(is_async):
    data = snapshot({"when": [(1, 2)]})
    async with AsyncSqliteSaver.from_conn_string(":memory:") as aio:
        saver = aio if is_async else InMemorySaver()
        agent = graph(saver)
        await agent.ainvoke({"held": "before"}, CONFIG)
        before = [item async for item in saver.alist(None)]
        with pytest.raises(persist.LossyTargetError) as caught:
            await load(data, agent, is_async=is_async)
        error = caught.value
        assert error.path == "$.state.checkpoints[0].checkpoint.channel_values.held.when[0]"
        assert (error.before, error.after, error.kind) == ("tuple", "list", "lossy_target")
        assert "writes[0][2][0].value.when[0] (tuple) becomes list" in error.message
        assert isinstance(error, persist.RestoreError)
        assert [item async for item in saver.alist(None)] == before
        with pytest.warns(UserWarning, match="becomes list") as told:
            restored = await persist.aloads(data, into=agent, on_existing="replace", strict=False)
        assert [warning.filename for warning in told] == [__file__]
        assert (await restored.aget_state(CONFIG)).values["held"] == {"when": [[1, 2]]}


def test_a_class_that_the_target_does_not_allow_is_refused():
    held = Weather(degrees=1, when="2026-11-26")
    data = snapshot(held, saver=InMemorySaver(serde=SERIALIZERS["allowed"]()))
    restored(data, InMemorySaver(serde=SERIALIZERS["allowed"]()))
    with pytest.raises(persist.LossyTargetError, match=r"\(graphs.Weather\) becomes dict"):
        restored(data, InMemorySaver(serde=SERIALIZERS["strict"]()))


class Broken(Exact):
    """Fails at one of the two, where a certain text is."""

    def __init__(self, call):
        self.call = call

    def dumps_typed(self, value):
        return self.checked("dumps_typed", "after" in repr(value), super().dumps_typed(value))

    def loads_typed(self, data):
        return self.checked("loads_typed", b"after" in data[1], super().loads_typed(data))

    def checked(self, call, is_there, result):
        if is_there and call == self.call:
            message = "it is broken"
            raise ZeroDivisionError(message)
        return result


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("call", ["dumps_typed", "loads_typed"])
def test_a_serializer_that_fails_is_named(call, strict):
    agent = graph(InMemorySaver(serde=Broken(call)))
    agent.invoke({"held": "before"}, CONFIG)
    before = thread(agent.checkpointer)
    data = snapshot("after")
    with pytest.raises(
        persist.LossyTargetError, match="is refused with ZeroDivisionError"
    ) as caught:
        persist.loads(data, into=agent, on_existing="replace", strict=strict)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "broken" not in str(caught.value)
    assert caught.value.after is None
    assert thread(agent.checkpointer) == before


class OfJson:
    """An old serializer, whose reading builds what the text names."""

    def dumps_typed(self, value):
        return "json", pickle.dumps(value)

    def loads_typed(self, data):
        raise AssertionError(data)


@pytest.mark.parametrize("serde", [OfJson(), encrypted(OfJson())])
def test_cve_2025_64439_json_is_never_read(serde):
    saver = InMemorySaver(serde=serde)
    restored(snapshot(("a", {"lc": 2, "type": "constructor", "id": ["os", "system"]})), saver)
    assert saver.blobs


@pytest.mark.parametrize("name", SERIALIZERS)
def test_between_twins_nothing_is_read_twice(name, monkeypatch):
    data = snapshot([1], saver=InMemorySaver(serde=SERIALIZERS[name]()))
    target = InMemorySaver(serde=SERIALIZERS[name]())
    monkeypatch.setattr(JsonPlusSerializer, "loads_typed", OfJson.loads_typed)
    restored(data, target)


def test_between_kinds_what_each_sends_in_its_own_way_is_looked_at():
    data = snapshot(bytearray(b"a"), saver=InMemorySaver())
    with saver_of("sqlite", JsonPlusSerializer()) as saver:
        with pytest.raises(persist.LossyTargetError, match=r"held \(bytearray\) becomes bytes"):
            restored(data, saver)
        assert thread(saver) == []


@persist.register
class Marked(BaseModel):
    """Has something that is new each time it is built."""

    text: str
    _mark: uuid.UUID = PrivateAttr(default_factory=uuid.uuid4)


def test_what_is_new_at_each_reading_is_no_change():
    data = snapshot([Marked(text="a")], saver=InMemorySaver())
    with saver_of("sqlite", JsonPlusSerializer()) as saver:
        assert restored(data, saver).get_state(CONFIG).values["held"][0].text == "a"


class Own(BaseCheckpointSaver):
    """A checkpointer of somebody's, of which nobody knows how it writes."""

    def __init__(self, saver):
        super().__init__(serde=saver.serde)
        self.saver = saver

    def put(self, *arguments):
        return self.saver.put(*arguments)

    def put_writes(self, *arguments):
        self.saver.put_writes(*arguments)

    def list(self, *arguments, **options):
        return self.saver.list(*arguments, **options)

    def get_tuple(self, config):
        return self.saver.get_tuple(config)


@persist.register
class Odd:
    """What msgpack does not take."""

    def __persist_capture__(self):
        return 1

    @classmethod
    def __persist_restore__(cls, state):
        return cls()

    def __eq__(self, other):
        return isinstance(other, Odd)

    __hash__ = None


@pytest.mark.parametrize("is_own", [False, True])
def test_one_channel_may_choose_how_another_is_written(is_own):
    """The fallback to pickle is for all channels at once, where they are written at once."""
    serde = SERIALIZERS["pickle"]()
    with saver_of("sqlite", serde) as one, saver_of("sqlite", serde) as other:
        source = graph(one)
        source.invoke({"held": "", "more": Odd()}, CONFIG)
        source.update_state(CONFIG, Command(update={"held": (1, 2)}).update)
        head = next(one.list(CONFIG))
        assert head.checkpoint["channel_values"]["held"] == (1, 2)
        data = persist.dumps(source)
        target = Own(other) if is_own else other
        assert restored(data, target).get_state(CONFIG).values["held"] == (1, 2)
        with pytest.raises(persist.LossyTargetError, match=r"channel_values\.held"):
            restored(data, InMemorySaver(serde=serde))


class Notes(TypedDict):
    notes: Annotated[tuple, DeltaChannel(lambda notes, new: (*(notes or ()), *new))]


def test_a_value_put_together_from_a_history_is_looked_at():
    def diary():
        built = StateGraph(Notes)
        built.add_node("note", lambda state: {"notes": "b"})
        built.add_edge(START, "note")
        return built.compile(checkpointer=InMemorySaver())

    source = diary()
    source.invoke({"notes": "a"}, CONFIG)
    assert source.get_state(CONFIG).values == {"notes": ("a", "b")}
    with pytest.raises(persist.LossyTargetError, match=r"notes\[0\] \(tuple\) becomes list"):
        persist.loads(persist.dumps(source), into=diary())


@pytest.mark.parametrize("held", [1e22, -0.0, True, 2**70, 0.1, "é", None, [1e22, -0.0]])
def test_postgresql_keeps_numbers_as_decimals(held, new_saver):
    data, saver = snapshot(held), new_saver("postgres")
    error = refusal(data, saver)
    if error is None:
        found = graph(saver).get_state(CONFIG).values["held"]
        assert difference(held, found) is None
    else:
        assert (error.after is None) == (held == 2**70)
        assert thread(saver) == []
    assert (error is None) == (held not in (1e22, 0.0, 2**70))


@pytest.mark.parametrize("held", ["\0", "\ud800", float("inf")])
def test_what_postgresql_does_not_take_is_named(held, new_saver):
    saver = new_saver("postgres")
    with pytest.raises(persist.LossyTargetError, match="is refused"):
        restored(snapshot(held), saver)
    assert thread(saver) == []
