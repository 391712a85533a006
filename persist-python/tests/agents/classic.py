"""Runs one half of the lives of langchain-classic agents in a process of its own.

usage: python classic.py STEP FOLDER, where STEP is first, into, built or whole.

`first` talks and snapshots; `into`, started fresh, restores into an agent of the same code, `built`
restores without any, and both talk on; `whole` does it without a break. The model answers from what
it is sent alone; the last line printed is what it was sent after the break, by kind of agent.
"""

import hashlib
import json
import sys
import warnings
from datetime import datetime
from pathlib import Path

import persist
from langchain_classic import memory as memories
from langchain_classic.agents import (
    AgentExecutor,
    AgentType,
    create_react_agent,
    create_tool_calling_agent,
    initialize_agent,
)
from langchain_classic.chains import (
    ConversationChain,
    LLMChain,
    RetrievalQA,
    SequentialChain,
    SimpleSequentialChain,
)
from langchain_classic.chains.conversation.prompt import ENTITY_MEMORY_CONVERSATION_TEMPLATE
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.llms import LLM
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.tools import Tool, tool
from langchain_core.vectorstores import InMemoryVectorStore

SEEN = []


class Model(LLM):
    """A model whose answer is a function of the prompt."""

    @property
    def _llm_type(self):
        return "scripted"

    def _call(self, prompt, stop=None, run_manager=None, **kwargs):
        SEEN.append(prompt)
        if "knowledge triple" in prompt.lower():
            return f"(Ann, likes, {digest(prompt)})<|>(Ann, is, here)"
        if "Extract all of the proper nouns" in prompt:
            return "Ann"
        if "code snippet of a json blob with a single action" in prompt:
            answer = {"action": "Final Answer", "action_input": digest(prompt)}
            return f"```json\n{json.dumps(answer)}\n```"
        if "Are followup questions needed here" in prompt:
            return f"So the final answer is: {digest(prompt)}"
        if "Action: Finish[yes]" in prompt:
            return f"Action: Finish[{digest(prompt)}]"
        if "Do I need to use a tool?" in prompt:
            return f"AI: {digest(prompt)}"
        if "Thought:" in prompt or "AI:" in prompt.rsplit("\n", 1)[-1]:
            return f"Final Answer: {digest(prompt)}"
        return digest(prompt)

    def get_token_ids(self, text):
        return list(range(len(text.split())))


class ChatModel(BaseChatModel):
    """A chat model that calls a tool at each question, and answers from what it is sent."""

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **kwargs):
        return self.bind(tools=[tool.name for tool in tools], **kwargs)

    def invoke(self, messages, config=None, *, callbacks=None, **kwargs):
        """Take what the agents of functions pass, which langchain-core takes no more."""
        return super().invoke(messages, config, **kwargs)

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        said = [f"{m.type}: {m.content} {m.additional_kwargs}" for m in messages]
        SEEN.append("\n".join([*said, str(kwargs)]))
        answer = AIMessage(digest(SEEN[-1]))
        if messages[-1].type == "human":
            answer = self._call_of(messages[-1].content, str(kwargs))
        return ChatResult(generations=[ChatGeneration(message=answer)])

    def _call_of(self, text, bound):
        word = {"word": text}
        if "'tools'" in bound:
            return AIMessage("", tool_calls=[{"name": "lookup", "args": word, "id": digest(text)}])
        name, arguments = "lookup", word
        if "tool_selection" in bound:
            name = "tool_selection"
            arguments = {"actions": [{"action_name": "lookup", "action": word}]}
        call = {"name": name, "arguments": json.dumps(arguments)}
        return AIMessage("", additional_kwargs={"function_call": call})


def digest(text):
    return "answer " + hashlib.sha256(text.encode()).hexdigest()[:6]


def conversation(memory, template="{history}\nHuman: {input}\nAI:"):
    return ConversationChain(
        llm=Model(), memory=memory, prompt=PromptTemplate.from_template(template)
    )


def vector_memory():
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    return memories.VectorStoreRetrieverMemory(retriever=store.as_retriever(search_kwargs={"k": 2}))


class Clock:
    """Always the same time: this memory writes it into what it keeps."""

    @staticmethod
    def now():
        return datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - as its class asks for it


def vector_token_buffer():
    from langchain_classic.memory import vectorstore_token_buffer_memory as module

    module.datetime = Clock
    memory = module.ConversationVectorStoreTokenBufferMemory(
        llm=Model(),
        max_token_limit=12,
        return_messages=True,
        retriever=InMemoryVectorStore(DeterministicFakeEmbedding(size=8)).as_retriever(),
    )
    return conversation(memory)


def knowledge():
    from langchain_community.memory.kg import ConversationKGMemory

    return conversation(ConversationKGMemory(llm=Model(), memory_key="history"))


def combined():
    first = memories.ConversationBufferMemory(memory_key="lines", input_key="input")
    second = memories.ConversationSummaryMemory(llm=Model(), input_key="input")
    both = memories.CombinedMemory(memories=[first, second])
    return conversation(both, "{history}\n{lines}\nHuman: {input}\nAI:")


def shared():
    """Two chains on one memory; the second may only read it."""
    memory = memories.ConversationBufferMemory(memory_key="history", input_key="input")
    first = LLMChain(
        llm=Model(),
        memory=memory,
        output_key="draft",
        prompt=PromptTemplate.from_template("{history}\nDraft: {input}"),
    )
    second = LLMChain(
        llm=Model(),
        memory=memories.ReadOnlySharedMemory(memory=memory),
        prompt=PromptTemplate.from_template("{history}\nPolish: {draft}"),
    )
    return SequentialChain(chains=[first, second], input_variables=["input"])


@tool
def lookup(word: str) -> str:
    """Look a word up."""
    return word.upper()


def executor(kind, *names, **options):
    """An agent of a type; some types ask for tools of certain names."""
    memory = memories.ConversationBufferMemory(memory_key="chat_history", **options)
    tools = [Tool(name=name, func=str.upper, description=name) for name in names] or [lookup]
    return initialize_agent(tools, Model(), agent=AgentType(kind), memory=memory)


def functions(kind):
    """An agent whose model is told of the tools in a field of the call."""
    memory = memories.ConversationBufferMemory(memory_key="chat_history", return_messages=True)
    history = [MessagesPlaceholder("chat_history")]
    options = {"agent_kwargs": {"extra_prompt_messages": history}, "memory": memory}
    return initialize_agent([lookup], ChatModel(), agent=AgentType(kind), **options)


def tool_calling():
    prompt = ChatPromptTemplate.from_messages(
        [
            ("placeholder", "{chat_history}"),
            ("human", "{input}"),
            ("placeholder", "{agent_scratchpad}"),
        ]
    )
    memory = memories.ConversationBufferMemory(memory_key="chat_history", return_messages=True)
    agent = create_tool_calling_agent(ChatModel(), [lookup], prompt)
    return AgentExecutor(agent=agent, tools=[lookup], memory=memory)


def react():
    prompt = PromptTemplate.from_template(
        "{chat_history}\n{tools}\n{tool_names}\nQuestion: {input}\nThought:{agent_scratchpad}"
    )
    memory = memories.ConversationBufferMemory(memory_key="chat_history")
    agent = create_react_agent(Model(), [lookup], prompt)
    return AgentExecutor(agent=agent, tools=[lookup], memory=memory)


def retrieval():
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    return RetrievalQA.from_chain_type(Model(), retriever=store.as_retriever())


KINDS = {
    "buffer": lambda: conversation(memories.ConversationBufferMemory()),
    "window": lambda: conversation(memories.ConversationBufferWindowMemory(k=1)),
    "string": lambda: conversation(memories.ConversationStringBufferMemory()),
    "summary": lambda: conversation(memories.ConversationSummaryMemory(llm=Model())),
    "summary_buffer": lambda: conversation(
        memories.ConversationSummaryBufferMemory(llm=Model(), max_token_limit=12)
    ),
    "token_buffer": lambda: conversation(
        memories.ConversationTokenBufferMemory(llm=Model(), max_token_limit=12)
    ),
    "entity": lambda: ConversationChain(
        llm=Model(),
        memory=memories.ConversationEntityMemory(llm=Model()),
        prompt=ENTITY_MEMORY_CONVERSATION_TEMPLATE,
    ),
    "knowledge": knowledge,
    "vector": lambda: conversation(vector_memory()),
    "vector_token_buffer": vector_token_buffer,
    "combined": combined,
    "shared": shared,
    "llm_chain": lambda: LLMChain(
        llm=Model(),
        memory=memories.ConversationBufferMemory(),
        prompt=PromptTemplate.from_template("{history}\n{input}"),
    ),
    "simple_sequential": lambda: SimpleSequentialChain(
        chains=[
            LLMChain(llm=Model(), prompt=PromptTemplate.from_template(f"{n} {{input}}"))
            for n in "ab"
        ],
        memory=memories.SimpleMemory(memories={"place": "here"}),
    ),
    "zero_shot": lambda: executor("zero-shot-react-description"),
    "conversational": lambda: executor("conversational-react-description"),
    "chat_zero_shot": lambda: executor("chat-zero-shot-react-description"),
    "chat_conversational": lambda: executor(
        "chat-conversational-react-description", return_messages=True
    ),
    "self_ask": lambda: executor("self-ask-with-search", "Intermediate Answer"),
    "docstore": lambda: executor("react-docstore", "Search", "Lookup"),
    "structured": lambda: executor("structured-chat-zero-shot-react-description"),
    "react": react,
    "functions": lambda: functions("openai-functions"),
    "multi_functions": lambda: functions("openai-multi-functions"),
    "tool_calling": tool_calling,
    "retrieval": retrieval,
}


def talk(agent, text):
    if isinstance(agent, RetrievalQA):
        agent.retriever.vectorstore.add_texts([text, digest(text)], ids=[text, f"{text} 2"])
        agent.invoke({"query": "What?"})
    else:
        agent.invoke({"input": text})


def live(kind, step, path):
    """What the model was sent after the break, or why the agent did not come back."""
    if step in ("first", "whole"):
        agent = KINDS[kind]()
        for text in ("I am Ann.", "I like green tea a lot."):
            talk(agent, text)
        if step == "first":
            persist.snapshot(agent, path)
            return None
    else:
        given = {"into": KINDS[kind]()} if step == "into" else {"llm": Model()}
        try:
            agent = persist.restore(path, **given)
        except persist.NeedsContextError as error:
            return error.kind
    SEEN.clear()
    talk(agent, "Who is Ann?")
    talk(agent, "What does Ann like?")
    return list(SEEN)


def main(step, folder):
    print(json.dumps({kind: live(kind, step, Path(folder, f"{kind}.json.gz")) for kind in KINDS}))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
