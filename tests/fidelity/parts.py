"""Prompts, parsers and parts of chains, each made anew by a call, and what each is given.

langchain-core 1.x has no `PipelinePromptTemplate`; a chain of prompts does what it did.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import persist
import pydantic
from langchain_core import output_parsers as parsers
from langchain_core import prompts
from langchain_core.example_selectors import LengthBasedExampleSelector
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers.openai_tools import JsonOutputToolsParser, PydanticToolsParser
from langchain_core.prompts import dict as dict_prompt
from langchain_core.runnables import (
    RouterRunnable,
    RunnableAssign,
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnablePick,
)

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = [{"q": "1+1", "a": "2"}, {"q": "2+2", "a": "4"}]
ONE = prompts.PromptTemplate.from_template("{q} is {a}")
SHOUT = RunnablePick("text") | parsers.StrOutputParser()
CALL = {"name": "Answer", "args": {"number": 4}, "id": "1"}


@persist.register
class Answer(pydantic.BaseModel):
    """What a model is asked to answer with."""

    number: int


PARTS: dict[str, tuple[Callable[[], Any], Any]] = {
    "messages with a placeholder and partials": (
        lambda: prompts.ChatPromptTemplate.from_messages(
            [
                ("system", "You are {name}."),
                prompts.MessagesPlaceholder("past", optional=True, n_messages=2),
                AIMessage("Yes?"),
                ("human", [{"type": "text", "text": "{text}"}]),
            ]
        ).partial(name="Ann"),
        {"text": "Hi", "past": [HumanMessage("a"), HumanMessage("b"), HumanMessage("c")]},
    ),
    "placeholder with messages given before": (
        lambda: prompts.ChatPromptTemplate.from_messages(
            [("placeholder", "{past}"), ("human", "{text}")]
        ).partial(past=[HumanMessage("before", id="1")]),
        {"text": "Hi"},
    ),
    "image prompt": (
        lambda: prompts.ChatPromptTemplate.from_messages(
            [("human", [{"type": "image_url", "image_url": {"url": "{place}", "detail": "low"}}])]
        ),
        {"place": "https://example.org/a.png"},
    ),
    "mustache prompt": (
        lambda: prompts.PromptTemplate.from_template(
            "{{#names}}{{.}} {{/names}}", template_format="mustache"
        ),
        {"names": ["Ann", "Bob"]},
    ),
    "few shots": (
        lambda: prompts.FewShotPromptTemplate(
            examples=EXAMPLES,
            example_prompt=ONE,
            prefix="{how}",
            suffix="{q} is",
            input_variables=["how", "q"],
            example_separator="\n--\n",
        ).partial(how="Add."),
        {"q": "3+3"},
    ),
    "few shots with templates": (
        lambda: prompts.FewShotPromptWithTemplates(
            examples=EXAMPLES,
            example_prompt=ONE,
            prefix=prompts.PromptTemplate.from_template("{how}"),
            suffix=prompts.PromptTemplate.from_template("{q} is"),
            input_variables=["how", "q"],
        ),
        {"how": "Add.", "q": "3+3"},
    ),
    "few shots as messages": (
        lambda: prompts.FewShotChatMessagePromptTemplate(
            examples=EXAMPLES,
            example_prompt=prompts.ChatPromptTemplate.from_messages(
                [("human", "{q}"), ("ai", "{a}")]
            ),
        ),
        {},
    ),
    "few shots that fit": (
        lambda: prompts.FewShotPromptTemplate(
            example_selector=LengthBasedExampleSelector(
                examples=EXAMPLES, example_prompt=ONE, max_length=5
            ),
            example_prompt=ONE,
            suffix="{q} is",
            input_variables=["q"],
        ),
        {"q": "3+3"},
    ),
    "prompt that is a dict": (
        lambda: dict_prompt.DictPromptTemplate(
            template={"type": "text", "text": "{a}"}, template_format="f-string"
        ),
        {"a": "b"},
    ),
    "prompt with a parser": (
        lambda: prompts.PromptTemplate(
            template="{q}",
            input_variables=["q"],
            output_parser=parsers.CommaSeparatedListOutputParser(),
            metadata={"by": ("us", 1)},
            tags=["a"],
        ),
        {"q": "3+3"},
    ),
    "text parser": (parsers.StrOutputParser, "a"),
    "JSON parser": (parsers.JsonOutputParser, '```json\n{"a": [1, 2.5]}\n```'),
    "JSON parser with a class": (
        lambda: parsers.JsonOutputParser(pydantic_object=Answer),
        '{"number": 4}',
    ),
    "pydantic parser": (
        lambda: parsers.PydanticOutputParser(pydantic_object=Answer),
        '{"number": 4}',
    ),
    "comma parser": (parsers.CommaSeparatedListOutputParser, "a, b,c"),
    "numbered parser": (parsers.NumberedListOutputParser, "1. a\n2. b"),
    "markdown parser": (parsers.MarkdownListOutputParser, "- a\n- b"),
    "XML parser": (
        lambda: parsers.XMLOutputParser(tags=["a", "b"], parser="xml"),
        "<a><b>1</b></a>",
    ),
    "tools parser": (JsonOutputToolsParser, AIMessage("", tool_calls=[CALL])),
    "tools parser with a class": (
        lambda: PydanticToolsParser(tools=[Answer]),
        AIMessage("", tool_calls=[CALL]),
    ),
    "parallel": (
        lambda: RunnableParallel(loud=SHOUT, same=RunnablePassthrough()),
        {"text": "a"},
    ),
    "branch": (
        lambda: RunnableBranch((RunnablePick("is_loud"), SHOUT), RunnablePick("text")),
        {"text": "a", "is_loud": True},
    ),
    "assign and pick": (
        lambda: RunnablePassthrough.assign(loud=SHOUT) | RunnablePick(["loud", "text"]),
        {"text": "a", "more": 1},
    ),
    "assign by itself": (lambda: RunnableAssign(RunnableParallel(loud=SHOUT)), {"text": "a"}),
    "each": (SHOUT.map, [{"text": "a"}, {"text": "b"}]),
    "bind": (SHOUT.bind, {"text": "a"}),
    "bind with an argument": (lambda: RunnablePassthrough().bind(stop=["x"]), "a"),
    "with a configuration": (
        lambda: SHOUT.with_config(tags=["t"], metadata={"n": (1,)}, run_name="loud"),
        {"text": "a"},
    ),
    "with types": (lambda: SHOUT.with_types(input_type=dict, output_type=str), {"text": "a"}),
    "router": (
        lambda: RouterRunnable({"loud": SHOUT, "same": RunnablePassthrough()}),
        {"key": "loud", "input": {"text": "a"}},
    ),
    "sequence with a name": (
        lambda: (SHOUT | RunnablePassthrough()).with_config(run_name="named"),
        {"text": "a"},
    ),
    "prompt of a prompt": (
        lambda: RunnableParallel(q=RunnablePick("a"), a=RunnablePick("q")) | ONE,
        EXAMPLES[0],
    ),
    "lambda": (lambda: RunnableLambda(len), "abc"),
    "function in a chain": (
        lambda: SHOUT | operator.itemgetter(0),
        {"text": "a"},
    ),
    "branch by a function": (
        lambda: RunnableBranch((len, SHOUT), RunnablePassthrough()),
        {"text": "a"},
    ),
    "partial by a function": (
        lambda: prompts.PromptTemplate(
            template="{now}", input_variables=[], partial_variables={"now": str}
        ),
        {},
    ),
    "selector by a function": (
        lambda: prompts.FewShotPromptTemplate(
            example_selector=LengthBasedExampleSelector(
                examples=EXAMPLES, example_prompt=ONE, get_text_length=len
            ),
            example_prompt=ONE,
            suffix="{q}",
            input_variables=["q"],
        ),
        {"q": "1"},
    ),
}

NEED_ALLOW = {"numbered parser", "markdown parser"}
"""What holds a pattern of the file's choice: the caller of `restore` is asked."""
REFUSED = {
    "few shots that fit",
    "JSON parser with a class",
    "pydantic parser",
    "XML parser",
    "tools parser with a class",
    "with types",
    "lambda",
    "function in a chain",
    "branch by a function",
    "partial by a function",
    "selector by a function",
}
"""What holds code, a class or a compiled pattern."""
