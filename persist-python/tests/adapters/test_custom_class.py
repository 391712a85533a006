"""Agents of one's own: classes that say what to keep, and adapters of other packages."""

import dataclasses
import subprocess
import sys
import textwrap

import persist
import pytest
from langgraph.graph.state import CompiledStateGraph
from persist.adapters import Captured, _registry


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agent.json.gz"


class Bot:
    """Keeps its log; the connection is made anew."""

    def __init__(self, log=()):
        self.log = list(log)
        self.connection = object()

    def __persist_capture__(self):
        return {"log": self.log}

    @classmethod
    def __persist_restore__(cls, state):
        return cls(state["log"])


class Child(Bot):
    """Takes both methods from its base."""


class Broken(Bot):
    """Fails where it is told to."""

    def __persist_capture__(self):
        if self.log == ["capture"]:
            message = "the log is locked"
            raise OSError(message)
        return super().__persist_capture__()

    @classmethod
    def __persist_restore__(cls, state):
        if state["log"] == ["restore"]:
            message = "the log is locked"
            raise OSError(message)
        return super().__persist_restore__(state)


class HalfDone:
    """Can be captured alone."""

    def __persist_capture__(self):
        return {}


@pytest.fixture(autouse=True)
def _fresh_registries(monkeypatch):
    """What a test registers ends with it."""
    monkeypatch.setattr(_registry, "_registered", {})
    yield
    _registry._best.clear()


@pytest.mark.parametrize("cls", [Bot, Child])
def test_a_class_says_itself_what_to_keep(cls, path):
    persist.snapshot(cls(["hello"]), path)
    assert persist.load_state(path)["fields"] == {"state": {"log": ["hello"]}}
    restored = persist.restore(path, allow={f"{cls.__module__}.{cls.__qualname__}": True})
    assert (type(restored), restored.log) == (cls, ["hello"])


def test_a_class_that_nobody_allowed_is_not_built(path):
    persist.snapshot(Bot(), path)
    with pytest.raises(persist.UntrustedError, match="Bot") as caught:
        persist.restore(path)
    assert f'allow={{"{Bot.__module__}.Bot": True}}' in caught.value.hint
    assert type(persist.restore(path, trusted=True)) is Bot


def test_a_class_that_fails_to_be_captured_leaves_the_last_snapshot(path):
    persist.snapshot(Broken(["hello"]), path)
    with pytest.raises(persist.UnserializableStateError, match="the log is locked"):
        persist.snapshot(Broken(["capture"]), path)
    assert persist.restore(path, trusted=True).log == ["hello"]


def test_a_class_that_could_not_be_restored_is_refused_when_it_is_saved(path):
    with pytest.raises(persist.UnserializableStateError, match="the log is locked") as caught:
        persist.snapshot({"bots": [Bot(), Broken(["restore"])]}, path)
    assert "$.bots[1]" in str(caught.value)
    with pytest.raises(persist.UnserializableStateError, match="has no __persist_restore__"):
        persist.snapshot(HalfDone(), path)
    assert not path.exists()


def test_a_class_that_fails_to_be_restored_is_named_with_its_path(path):
    persist.snapshot({"bots": [Bot(), Broken(["restore"])]}, path, verify=False)
    with pytest.raises(persist.RestoreError, match="the log is locked") as caught:
        persist.restore(path, trusted=True)
    assert "$.bots[1]" in str(caught.value)
    assert "Broken.__persist_restore__" in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)


def test_what_a_class_keeps_has_to_come_back_itself(path):
    with pytest.raises(persist.UnserializableStateError) as caught:
        persist.snapshot({"bot": Bot([print])}, path)
    assert caught.value.path == "$.bot.log[0]"


def test_a_class_of_ones_own_is_not_loaded_into_another(path):
    persist.snapshot(Bot(), path)
    with pytest.raises(persist.ConfigurationError, match="needs no into="):
        persist.restore(path, into=Bot(), trusted=True)


class Saying(CompiledStateGraph):
    """A graph that says itself what to keep."""

    def __persist_capture__(self):
        return {"said": self.said}

    @classmethod
    def __persist_restore__(cls, state):
        made = cls.__new__(cls)
        made.said = state["said"]
        return made


def test_a_class_knows_better_than_the_adapter_of_its_base(path):
    agent = Saying.__new__(Saying)
    agent.said = ["hello"]
    assert persist.inspect(agent).adapter == "plain"
    persist.snapshot(agent, path)
    assert persist.restore(path, trusted=True).said == ["hello"]


@dataclasses.dataclass
class Note:
    """Data of the robots' framework."""

    text: str


class Robot:
    """An agent that only its adapter knows."""

    def __init__(self):
        self.notes = []


class RobotAdapter:
    """As another package would bring it."""

    version = 1
    distributions = ("pytest", "not-installed")
    classes = (f"{Note.__module__}.Note",)

    def __init__(self, name="robots", fit=10):
        self.id, self.fit = name, fit

    def matches(self, names):
        return self.fit * any(name.endswith(".Robot") for name in names)

    def capture(self, agent, options):
        if options.session is None:
            message = "a robot's notes are in its session"
            raise persist.StateNotOnAgentError(message, hint="pass session=notes")
        notes = {"id": self.id, "notes": options.session}
        return Captured(self.id, self.version, notes, "robots.Robot", requires=("into",))

    def restore(self, document, context):
        robot = context.agent()
        if robot is None:
            message = "a robot is hardware"
            raise persist.NeedsContextError(message, hint="pass into=robot")
        robot.notes = document["state"]["notes"]
        return robot


class SlowRobotAdapter(RobotAdapter):
    """Its framework has asynchronous calls alone."""

    async def acapture(self, agent, options):
        return super().capture(agent, options)

    async def arestore(self, document, context):
        return super().restore(document, context)

    def capture(self, agent, options):
        raise AssertionError

    def restore(self, document, context):
        raise AssertionError


def test_a_registered_adapter_saves_and_restores_its_agents(path):
    persist.register_adapter(RobotAdapter())
    metadata = persist.snapshot(Robot(), path, session=[Note("hello")])
    assert metadata["adapter"] == "robots"
    assert persist.restore(path, into=Robot()).notes == [Note("hello")]
    assert persist.restore(path, factory=Robot).notes == [Note("hello")]
    with pytest.raises(persist.NeedsContextError, match="hardware"):
        persist.restore(path)


def test_the_error_of_an_adapter_comes_through_and_nothing_is_written(path):
    persist.register_adapter(RobotAdapter())
    with pytest.raises(persist.StateNotOnAgentError, match="in its session"):
        persist.snapshot(Robot(), path)
    assert "in its session" in persist.inspect(Robot()).refused[0]
    assert not path.exists()


def test_classes_that_an_adapter_does_not_name_are_not_built(path):
    persist.register_adapter(RobotAdapter())
    persist.snapshot(Robot(), path, session=[Note("hello"), Bot()])
    with pytest.raises(persist.UntrustedError, match="Bot"):
        persist.restore(path, into=Robot())


async def test_an_asynchronous_adapter_is_awaited(path):
    persist.register_adapter(SlowRobotAdapter())
    await persist.asnapshot(Robot(), path, session=[Note("hello")])
    assert (await persist.arestore(path, into=Robot())).notes == [Note("hello")]


def test_two_adapters_that_fit_equally_well_are_both_named(path):
    persist.register_adapter(RobotAdapter("robots"))
    persist.register_adapter(RobotAdapter("machines"))
    with pytest.raises(persist.AmbiguousAdapterError, match="'robots' and 'machines'") as caught:
        persist.snapshot(Robot(), path, session=[])
    assert "adapter='robots'" in caught.value.hint
    for name in ("robots", "machines"):
        persist.snapshot(Robot(), path, session=[], adapter=name)
        assert persist.get_metadata(path)["adapter"] == name
        assert persist.restore(path, into=Robot()).notes == []


def test_the_adapter_that_fits_better_is_taken(path):
    persist.register_adapter(RobotAdapter("robots", fit=10))
    persist.register_adapter(RobotAdapter("machines", fit=11))
    assert persist.inspect(Robot(), session=[]).adapter == "machines"


@pytest.mark.parametrize("name", ["langgraph", "langchain-classic", "langchain-history"])
def test_an_adapter_that_does_not_know_the_agent_saves_nothing_of_it(name, path):
    with pytest.raises(persist.UnsupportedAgentError, match=f"{name!r} does not know"):
        persist.snapshot(["a", "list"], path, adapter=name, session={})
    assert not path.exists()


def test_an_adapter_that_is_not_there_is_named(path):
    with pytest.raises(persist.AdapterNotInstalledError, match="no adapter 'robots'") as caught:
        persist.snapshot(Robot(), path, adapter="robots")
    assert "langgraph, plain" in caught.value.hint


@pytest.mark.parametrize("name", ["plain", "langgraph", "robots"])
def test_an_id_is_given_once(name):
    persist.register_adapter(RobotAdapter())
    with pytest.raises(persist.ConfigurationError, match=f"{name!r} is there already"):
        persist.register_adapter(RobotAdapter(name))


# Adapters of other packages, found in a process of its own.

MODULE = """
    from persist.adapters import Captured

    class Robot:
        def __init__(self):
            self.log = []

    class RobotAdapter:
        id = "robots"
        version = 1
        distributions = ()
        classes = ()

        def matches(self, names):
            return 10 * names[0].endswith(".Robot")

        def capture(self, agent, options):
            return Captured("robots", 1, {"log": agent.log}, "acme.Robot", requires=("into",))

        def restore(self, document, context):
            robot = context.agent()
            robot.log = document["state"]["log"]
            return robot

    adapter = RobotAdapter()
"""


def install(folder, distribution="acme-robots", *, module=MODULE):
    """Put a package with an adapter where Python looks for packages."""
    name = distribution.replace("-", "_")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
    (info / "METADATA").write_text(text)
    (info / "entry_points.txt").write_text(f"[persist.adapters]\nrobots = {name}:adapter\n")
    (folder / f"{name}.py").write_text(textwrap.dedent(module))


def run(script, folder=None, *, path=None):
    """Run Python with a folder of packages; what it printed, or how it ended."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(script)]
    environment = {"PYTHONPATH": str(folder) if folder else "", "FILE": str(path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout.strip(), done.stderr


SAVE = """
    import os, persist, acme_robots
    robot = acme_robots.Robot()
    robot.log.append("hello")
    print(persist.snapshot(robot, os.environ["FILE"])["adapter"])
"""
RESTORE = """
    import os, persist, acme_robots
    print(persist.restore(os.environ["FILE"], into=acme_robots.Robot()).log)
"""
WITHOUT = """
    import os, persist
    path = os.environ["FILE"]
    try:
        persist.restore(path, into=object())
    except ImportError as error:
        print(error.kind, error.message, error.hint, sep="; ")
    print(persist.load_state(path), persist.get_metadata(path)["adapter"])
"""


def test_an_installed_adapter_is_found_in_any_process(path, tmp_path):
    folder = tmp_path / "packages"
    install(folder)
    assert run(SAVE, folder, path=path) == ("robots", "")
    assert run(RESTORE, folder, path=path) == ("['hello']", "")


def test_without_its_adapter_a_snapshot_says_which_it_needs_and_can_be_read(path, tmp_path):
    folder = tmp_path / "packages"
    install(folder)
    run(SAVE, folder, path=path)
    output, errors = run(WITHOUT, path=path)
    assert errors == ""
    error, state = output.splitlines()
    assert error.startswith("adapter_not_installed; there is no adapter 'robots'; install the")
    assert state == "{'log': ['hello']} robots"


def test_a_package_that_does_not_load_stops_no_other(path, tmp_path):
    folder = tmp_path / "packages"
    install(folder)
    install(folder, "broken-robots", module="import no_such_framework")
    output, errors = run(SAVE, folder, path=path)
    assert output == "robots"
    assert "could not load the adapter 'broken_robots:adapter'" in errors
    assert "no_such_framework" in errors


def test_two_packages_with_one_id_are_an_error_and_not_a_guess(path, tmp_path):
    folder = tmp_path / "packages"
    install(folder)
    install(folder, "other-robots")
    output, errors = run(SAVE, folder, path=path)
    assert output == ""
    assert "ConfigurationError: two installed packages bring the adapter 'robots'" in errors


def test_a_class_of_another_module_is_imported_when_it_is_allowed(path, tmp_path):
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "bots.py").write_text(
        textwrap.dedent("""
            class Bot:
                def __init__(self, log):
                    self.log = log
                def __persist_capture__(self):
                    return self.log
                @classmethod
                def __persist_restore__(cls, state):
                    return cls(state)
        """)
    )
    save = 'import os, persist, bots; persist.snapshot(bots.Bot(["hello"]), os.environ["FILE"])'
    assert run(save, folder, path=path) == ("", "")
    restore = 'import os, persist; print(persist.restore(os.environ["FILE"]{}).log)'
    _, errors = run(restore.format(""), folder, path=path)
    assert "UntrustedError" in errors
    assert 'allow={"bots.Bot": True}' in errors
    allowed = restore.format(', allow={"bots.Bot": True}')
    assert run(allowed, folder, path=path) == ("['hello']", "")


def test_a_kind_that_an_adapter_brings_is_known_in_any_process(path):
    save = """
        import os, persist
        from langgraph.types import Send
        persist.snapshot([Send("node", {"a": 1})], os.environ["FILE"])
    """
    assert run(save, path=path) == ("", "")
    look = 'import os, persist; print(persist.{}(os.environ["FILE"])[0])'
    assert "node" in run(look.format("restore"), path=path)[0]
    assert run(look.format("load_state"), path=path)[0] == "{'node': 'node', 'arg': {'a': 1}}"
