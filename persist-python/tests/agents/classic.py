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
from pathlib import Path

import persist
from langchain_classic import memory as memories
from langchain_classic.agents import AgentExecutor, AgentType, create_react_agent, initialize_agent
from langchain_classic.chains import (
    ConversationChain,
    LLMChain,
    RetrievalQA,
    SequentialChain,
    SimpleSequentialChain,
)
from langchain_classic.chains.conversation.prompt import ENTITY_MEMORY_CONVERSATION_TEMPLATE
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models.llms import LLM
from langchain_core.prompts import PromptTemplate
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


def digest(text):
    return "answer " + hashlib.sha256(text.encode()).hexdigest()[:6]


def conversation(memory, template="{history}\nHuman: {input}\nAI:"):
    return ConversationChain(
        llm=Model(), memory=memory, prompt=PromptTemplate.from_template(template)
    )


def vector_memory():
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    return memories.VectorStoreRetrieverMemory(retriever=store.as_retriever(search_kwargs={"k": 2}))


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
