"""Two agents with a scripted model: it answers from a list and shows what it was sent."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from langchain.agents import create_agent
from langchain_classic.chains import ConversationChain
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

# ConversationChain is deprecated; agents that run on it are why it is shown here.
warnings.simplefilter("ignore", DeprecationWarning)

THREAD: dict[str, Any] = {"configurable": {"thread_id": "ticket-7"}}
SENT: list[list[BaseMessage]] = []


class Scripted(GenericFakeChatModel):
    """A chat model that answers from a list and remembers what it was sent."""

    def bind_tools(self, *_args: Any, **_kwargs: Any) -> Scripted:
        """Accept any tools."""
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        SENT.append(messages)
        return super()._generate(messages, *args, **kwargs)


@tool
def price(item: str) -> int:
    """Return the price of an item in euros."""
    return {"bicycle": 300}.get(item, 0)


def support_agent(*answers: AIMessage) -> Any:
    """Build the agent: `create_agent` with one tool and a checkpointer in memory."""
    return create_agent(Scripted(messages=iter(answers)), [price], checkpointer=InMemorySaver())


def small_talk() -> ConversationChain:
    """Build the conversation chain, with its memory."""
    answers = ["Hello Ann, nice to meet you.", "Your name is Ann."]
    return ConversationChain(llm=FakeListChatModel(responses=answers))
