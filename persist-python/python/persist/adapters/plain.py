"""Plain values: whatever the codec writes, from a dict to a list of messages or a chain of parts.

A class with `__persist_capture__(self)`, which returns its state, and the class method
`__persist_restore__(cls, state)`, which builds it again, is such a value too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from persist.adapters._common import class_name
from persist.adapters._run import installed_versions
from persist.adapters._types import Captured
from persist.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from persist.adapters._types import CaptureOptions, RestoreContext


class PlainAdapter:
    """The state is the value itself."""

    id = "plain"
    version = 1
    distributions: tuple[str, ...] = ("langchain-core",)
    classes: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()

    def matches(self, names: Sequence[str]) -> int:
        """Fit every class, when no other adapter does."""
        del names
        return 1

    def capture(self, agent: Any, options: CaptureOptions) -> Captured:
        """Return the value; the codec refuses what cannot come back."""
        del options
        uses_langchain = class_name(agent).startswith("langchain") or _first_is_langchain(agent)
        return Captured(
            adapter=self.id,
            version=self.version,
            state=agent,
            class_name=class_name(agent),
            framework=installed_versions(self.distributions) if uses_langchain else {},
            bare=True,
        )

    def restore(self, document: Mapping[str, Any], context: RestoreContext) -> Any:
        """Return the value."""
        given = (context.into, context.factory, context.tools, context.llm)
        if any(item is not None for item in given):
            message = (
                "the snapshot holds a plain value, which needs no into=, factory=, llm=, tools="
            )
            raise ConfigurationError(message, hint="call persist.restore(path)")
        return document["state"]


def _first_is_langchain(agent: Any) -> bool:
    return isinstance(agent, list) and bool(agent) and class_name(agent[0]).startswith("langchain")


adapter: Final = PlainAdapter()
