"""What `persist.inspect` reports."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Inspection:
    """What a snapshot of an agent would hold, found without writing one.

    Attributes:
        adapter: The adapter that captures the agent.
        class_name: The agent's class, as `module.qualname`.
        framework: Distribution names and the versions that are installed.
        fingerprint: What `restore` compares with the agent that it is given.
        requires: What `restore` must be given, as `llm (acme.Model)`, `secrets (OPENAI_API_KEY)`
            or `allow (acme.Bot)`; known when nothing is refused.
        state_size: The length of the state in bytes; None when it is refused.
        refused: All that cannot be captured: where it stands, why, and what to do.
    """

    adapter: str
    class_name: str
    framework: dict[str, str] = field(default_factory=dict)
    fingerprint: dict[str, object] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    state_size: int | None = None
    refused: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return one line for each thing that is known."""
        framework = ", ".join(f"{name} {version}" for name, version in self.framework.items())
        size = "-" if self.state_size is None else f"{self.state_size} bytes"
        lines = [
            f"class      {self.class_name}",
            f"adapter    {self.adapter}",
            f"framework  {framework or '-'}",
            f"requires   {', '.join(self.requires) or '-'}",
            f"state      {size}",
        ]
        return "\n".join([*lines, *(f"refused    {reason}" for reason in self.refused)])
