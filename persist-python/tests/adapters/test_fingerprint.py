"""The agent that a state is loaded into is compared with the one that it was taken from."""

import dataclasses
import json
import subprocess
import sys
import warnings

import persist
import pytest
from langchain.agents import create_agent
from langchain_classic.chains import ConversationChain
from langchain_classic.memory import ConversationBufferMemory, ConversationBufferWindowMemory
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import SystemMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.tools import StructuredTool, tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import create_react_agent
from persist import _api, adapters
from persist._location import location

CONFIG = {"configurable": {"thread_id": "thread-1"}}


class Model(FakeListChatModel):
    """A model that takes tools and never calls them."""

    model: str = "small"

    def bind_tools(self, tools, **kwargs):
        return self


class OtherModel(Model):
    """Another one."""


@tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@tool("add")
def add_floats(a: float, b: float) -> float:
    """Add."""
    return a + b


@tool
def search(text: str) -> str:
    """Search."""
    return text


def schema(**properties):
    return {"type": "object", "properties": properties}


def remote(**properties):
    """A tool as an MCP server describes it: its schema is plain JSON."""
    return StructuredTool(
        name="remote", description="Call.", args_schema=schema(**properties), func=print
    )


def agent(tools=(add,), model=Model, name="support", model_name="small", prompt="Be kind."):
    made = model(responses=["Hello."], model=model_name)
    saver = InMemorySaver()
    return create_agent(made, list(tools), name=name, system_prompt=prompt, checkpointer=saver)


def talked(graph):
    graph.invoke({"messages": [("user", "Hi")]}, CONFIG)
    return graph


def chain(model="gpt-4o-mini", prompt=None, memory=None):
    """A chain that is never run."""
    return ConversationChain(
        llm=ChatOpenAI(model=model, api_key="never used"),
        prompt=prompt or PromptTemplate.from_template("{history} {input}"),
        memory=memory or ConversationBufferMemory(return_messages=True),
    )


def chat_prompt(system):
    human, past = ("human", "{input}"), MessagesPlaceholder("history")
    return ChatPromptTemplate.from_messages([("system", system), past, human])


def differences(original, other):
    """What an error says that is different, when one's state is loaded into the other."""
    with pytest.raises(persist.FingerprintMismatchError) as caught:
        persist.loads(persist.dumps(original), into=other)
    assert all(line in str(caught.value) for line in caught.value.differences)
    return caught.value.differences


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: agent([add, search]), ["tools search: None in the snapshot, "]),
        (lambda: agent([add_floats]), ["tools add: "]),
        (lambda: agent([]), ["nodes: ['__start__', 'model', 'tools'] in", "tools add: "]),
        (
            lambda: agent(model=OtherModel),
            ["models model: 'Model small' in the snapshot, 'OtherModel small' here"],
        ),
        (
            lambda: agent(model_name="large"),
            ["models model: 'Model small' in the snapshot, 'Model large' here"],
        ),
        (lambda: agent(prompt="Be rude."), ["prompts model: "]),
        (lambda: agent(prompt=None), ["prompts model: "]),
        (lambda: agent(name="sales"), ["name: 'support' in the snapshot, 'sales' here"]),
        (
            lambda: agent([search], OtherModel, name="sales"),
            ["name: ", "models model: ", "tools add: ", "tools search: "],
        ),
    ],
)
def test_another_graph_is_refused_by_all_that_differs(build, expected):
    target = build()
    found = differences(talked(agent()), target)
    assert len(found) == len(expected)
    assert all(map(str.startswith, found, expected)), found
    assert target.get_state(CONFIG).values == {}


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (
            lambda: chain(model="gpt-5"),
            ["model_name: 'gpt-4o-mini' in the snapshot, 'gpt-5' here"],
        ),
        (
            lambda: chain(prompt=PromptTemplate.from_template("Be rude. {history} {input}")),
            ["prompt: "],
        ),
        (
            lambda: chain(memory=ConversationBufferWindowMemory(return_messages=True)),
            ["memory: "],
        ),
        (
            lambda: ConversationChain(
                llm=Model(responses=["Hello."]),
                prompt=PromptTemplate.from_template("{history} {input}"),
            ),
            ["model: 'langchain_openai.chat_models.base.ChatOpenAI' in", "model_name: "],
        ),
    ],
)
def test_another_chain_is_refused_by_all_that_differs(build, expected):
    found = differences(chain(), build())
    assert len(found) == len(expected)
    assert all(map(str.startswith, found, expected)), found


def test_the_messages_of_a_chat_prompt_are_compared():
    original, same, other = (
        chain(prompt=chat_prompt(text)) for text in ("Kind.", "Kind.", "Rude.")
    )
    (line,) = differences(original, other)
    assert "Kind." in line
    assert "Rude." in line
    assert persist.loads(persist.dumps(original), into=same) is same


def test_the_order_of_tools_and_what_models_answer_make_no_other_agent():
    original = talked(agent([add, search]))
    made = Model(responses=["Something else."])
    prompt = SystemMessage("Be kind.")
    target = create_agent(
        made, [search, add], name="support", system_prompt=prompt, checkpointer=InMemorySaver()
    )
    persist.loads(persist.dumps(original), into=target)
    assert len(target.get_state(CONFIG).values["messages"]) == 2


def test_a_tool_whose_schema_is_plain_json_is_compared_by_it():
    original = talked(agent([remote(a={"type": "integer"})]))
    (line,) = differences(original, agent([remote(a={"type": "string"})]))
    assert line.startswith("tools remote: ")
    persist.loads(persist.dumps(original), into=agent([remote(a={"type": "integer"})]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_prompt_of_an_agent_of_langgraph_is_compared_too():
    def built(prompt):
        return create_react_agent(
            Model(responses=["a"]), [add], prompt=prompt, checkpointer=InMemorySaver()
        )

    (line,) = differences(talked(built("Be kind.")), built("Be rude."))
    assert line.startswith("prompts agent: ")
    persist.loads(persist.dumps(talked(built("Be kind."))), into=built("Be kind."))


def test_another_process_finds_the_same_fingerprint():
    script = f"""
import json, persist, runpy
module = runpy.run_path({__file__!r})
shown = persist.inspect(module["talked"](module["agent"]())).fingerprint
print(json.dumps(shown))
"""
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    here = persist.inspect(talked(agent())).fingerprint
    assert json.loads(done.stdout) == here
    assert list(here["tools"]) == ["add"]
    assert here["models"] == {"model": "Model small"}
    assert list(here["prompts"]) == ["model"]


def test_what_is_compared_is_plain_to_see():
    assert persist.inspect(chain()).fingerprint["model_name"] == "gpt-4o-mini"
    assert "never used" not in str(persist.inspect(chain()))


def test_who_insists_gets_the_state_into_another_agent():
    original, target = talked(agent()), agent([search], OtherModel, name="sales")
    with pytest.warns(UserWarning, match="name: 'support' in the snapshot, 'sales' here"):
        persist.loads(persist.dumps(original), into=target, strict=False)
    assert target.get_state(CONFIG).values == original.get_state(CONFIG).values
    other = chain(prompt=PromptTemplate.from_template("Be rude. {history} {input}"))
    source = chain()
    source.memory.chat_memory.add_user_message("Hi")
    with pytest.warns(UserWarning, match="Be rude"):
        persist.loads(persist.dumps(source), into=other, strict=False)
    assert other.memory.chat_memory.messages == source.memory.chat_memory.messages
    assert other.prompt.template.startswith("Be rude.")


def saved(original, path, **changes):
    """A snapshot as another environment would have written it."""
    captured = dataclasses.replace(adapters.capture(original), **changes)
    _api._save(captured, location(path), {}, {})
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agent.json.gz"


def test_a_snapshot_from_before_something_was_compared_is_not_refused_for_it(path):
    original = talked(agent())
    compared = dict(adapters.capture(original).fingerprint)
    del compared["models"]
    persist.restore(saved(original, path, fingerprint=compared), into=agent(model=OtherModel))
    with pytest.raises(persist.FingerprintMismatchError, match="sales"):
        persist.restore(path, into=agent(name="sales"))


@pytest.mark.parametrize("version", ["0.6.11", "1.999.0", "2.0.0"])
def test_another_minor_version_of_the_framework_is_told_and_restored(version, path):
    original, target = talked(agent()), agent()
    saved(original, path, framework={"langgraph": version})
    with pytest.warns(persist.FrameworkVersionWarning, match=f"with langgraph {version};") as told:
        persist.restore(path, into=target)
    assert [warning.filename for warning in told] == [__file__]
    assert target.get_state(CONFIG).values == original.get_state(CONFIG).values


async def test_asynchronous_code_is_told_as_well(path):
    saved(talked(agent()), path, framework={"langgraph": "0.6.11", "langchain-core": "0.3.1"})
    with pytest.warns(persist.FrameworkVersionWarning) as told:
        await persist.arestore(path, into=agent())
    assert {warning.filename for warning in told} == {__file__}
    assert [str(warning.message).split()[5] for warning in told] == ["langgraph", "langchain-core"]


def test_of_bytes_the_line_that_read_them_is_told_as_well(path):
    saved(talked(agent()), path, framework={"langgraph": "0.6.11"})
    with pytest.warns(persist.FrameworkVersionWarning) as told:
        persist.loads(path.read_bytes(), into=agent())
    assert [warning.filename for warning in told] == [__file__]


def test_another_patch_and_what_is_not_installed_are_no_reason_to_warn(path):
    original = talked(agent())
    here = adapters.capture(original).framework["langgraph"]
    patch = ".".join([*here.split(".")[:2], "999"])
    saved(original, path, framework={"langgraph": patch, "not-installed": "1.0"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        persist.restore(path, into=agent())


def test_a_snapshot_tells_the_versions_that_it_was_made_with(path):
    persist.snapshot(talked(agent()), path)
    framework = persist.get_metadata(path)["framework"]
    assert {"langgraph", "langgraph-checkpoint", "langchain-core"} <= set(framework)
