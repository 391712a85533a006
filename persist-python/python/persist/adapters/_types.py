"""The words of the adapters: what is captured, and what an agent is rebuilt from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from persist._choices import check_choice
from persist.codec import Trust
from persist.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True)
class CaptureOptions:
    """What the caller of `snapshot` says about the agent.

    Attributes:
        thread_id: The thread, where an agent has several.
        session: The session store, where the framework keeps one beside the agent.
        memory: The memory, where the framework keeps one beside the agent.
        messages: The messages, where the caller keeps them.
        granularity: `thread` for what is needed to continue, `history` for all.
    """

    thread_id: str | None = None
    session: Any = None
    memory: Any = None
    messages: Any = None
    granularity: Literal["thread", "history"] = "thread"

    def __post_init__(self) -> None:
        """Check the words."""
        check_choice("granularity", self.granularity, ("thread", "history"))


@dataclass(frozen=True)
class Captured:
    """What an adapter made of an agent.

    Attributes:
        adapter: The id of the adapter.
        version: The version of the state's shape.
        state: What the agent holds; the codec writes it.
        class_name: The agent's class, as `module.qualname`.
        framework: Distribution names and the versions that are installed.
        fingerprint: What must be the same when the state is loaded again.
        requires: What `restore` must be given, as `into` or `llm`.
        bare: Whether the state is the agent itself.
    """

    adapter: str
    version: int
    state: object
    class_name: str
    framework: Mapping[str, str] = field(default_factory=dict)
    fingerprint: Mapping[str, object] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    bare: bool = False


@dataclass(frozen=True)
class RestoreContext:
    """What the caller of `restore` gives.

    Attributes:
        into: A living agent to load the state into.
        factory: Makes that agent, of `llm` and `tools` when they are given.
        llm: The chat model.
        tools: The tools.
        session: The session store to load the state into.
        trust: What may be built.
        strict: Whether the fingerprint must match.
        thread_id: The thread to restore as; None keeps the name.
        on_existing: What to do when that thread exists.
    """

    into: Any = None
    factory: Callable[..., Any] | None = None
    llm: Any = None
    tools: Sequence[Any] | None = None
    session: Any = None
    trust: Trust = field(default_factory=Trust)
    strict: bool = True
    thread_id: str | None = None
    on_existing: Literal["error", "replace"] = "error"

    def __post_init__(self) -> None:
        """Check the words, and that one agent is spoken of."""
        check_choice("on_existing", self.on_existing, ("error", "replace"))
        beside = {"factory": self.factory, "llm": self.llm}
        for name, item in beside.items():
            if self.into is not None and item is not None:
                message = f"into= is the whole agent; {name}= would not be used"
                raise ConfigurationError(message, hint=f"leave into= or {name}= out")

    def agent(self) -> Any:
        """Return the agent that the caller gave or whose factory it gave; else None.

        Raises:
            ConfigurationError: There are tools, but no factory that could take them; or the factory
                returned nothing.
        """
        if self.tools is not None and self.factory is None:
            message = "tools= is what factory= is called with, and there is no factory"
            hint = (
                "pass factory=build, where build takes tools, or into= with an agent that has them"
            )
            raise ConfigurationError(message, hint=hint)
        if self.into is not None or self.factory is None:
            return self.into
        given = {"llm": self.llm, "tools": self.tools}
        made = self.factory(**{name: item for name, item in given.items() if item is not None})
        if made is None:
            message = "factory= returned None, and no agent"
            raise ConfigurationError(message, hint="let it return the agent that it builds")
        return made


class Adapter(Protocol):
    """One family of agents.

    An adapter for a framework that is asynchronous alone also has `acapture`
    and `arestore`, with the same arguments.

    Attributes:
        id: The name that snapshots carry.
        version: The version of the state's shape.
        distributions: The packages whose versions snapshots carry.
        classes: The framework's own classes of data that its states hold, as
            `module.qualname`; they may be built without being asked for.
        takes: The names of the arguments of `snapshot` and `restore` that say where the state is
            (`thread_id`, `session`, `memory`, `messages`) and that this adapter uses; the others
            are then refused. It may be left out.
    """

    id: str
    version: int
    distributions: tuple[str, ...]
    classes: tuple[str, ...]

    def matches(self, names: Sequence[str]) -> int:
        """Say how well this adapter fits a class; 0 is not at all.

        Args:
            names: The class and its bases, as `module.qualname`.
        """

    def capture(self, agent: Any, options: CaptureOptions) -> Captured:
        """Return what the agent holds; the agent is not changed.

        Args:
            agent: The agent.
            options: What the caller says about it.

        Raises:
            CaptureError: It cannot be captured.
        """

    def restore(self, document: Mapping[str, Any], context: RestoreContext) -> Any:
        """Return an agent that holds the state.

        Args:
            document: The envelope: `state`, `class`, `fingerprint`, `adapter_version`.
            context: What the caller gives.

        Raises:
            RestoreError: No agent could be made; what the caller gave is as it was.
        """
