"""Chat states of a given size: the same for the same size, on every machine."""

from __future__ import annotations

import random
from itertools import accumulate
from typing import Any

from langchain_core.load import dumps
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

SIZES = {"10kb": 10_000, "1mb": 1_000_000, "20mb": 20_000_000, "200mb": 200_000_000}
MANY = 10_000  # snapshots in the folder that is listed
_STARTS = "b br ch d f fl g gr h j k l m n p pl r s sh st t tr v w".split()
_VOWELS = "a e i o u ai ea ou".split()
_ENDS = ["", *"dnrst", "ck", "ll", *(f"n{end}" for end in "dg"), "rm", "st"]
_TOOLS = ["search_web", "read_file", "sql_query", "send_email", "weather"]


class _Writer:
    """Text whose words are as unequal as those of a language (Zipf), from a fixed seed."""

    def __init__(self) -> None:
        self.random = random.Random(20_26)
        self._words = [self._word() for _ in range(3000)]
        self._weights = list(accumulate(1_000_000 // (rank + 5) for rank in range(3000)))

    def _word(self) -> str:
        pick = self.random.choice
        parts = range(self.random.choice((1, 1, 2, 2, 3)))
        return "".join(pick(_STARTS) + pick(_VOWELS) + pick(_ENDS) for _ in parts)

    def text(self, least: int, most: int) -> str:
        count = self.random.randint(least, most)
        words = self.random.choices(self._words, cum_weights=self._weights, k=count)
        sentences = [" ".join(words[at : at + 12]).capitalize() for at in range(0, count, 12)]
        tail = " — café 你好 🙂." if self.random.random() < 0.03 else "."
        return ". ".join(sentences) + tail

    def identifier(self, prefix: str) -> str:
        return f"{prefix}{self.random.getrandbits(96):024x}"


def _turn(writer: _Writer) -> list[BaseMessage]:
    call = {
        "name": writer.random.choice(_TOOLS),
        "args": {"query": writer.text(3, 12), "limit": writer.random.randint(1, 50)},
        "id": writer.identifier("call_"),
    }
    rows = [
        {
            "id": writer.identifier("doc_"),
            "score": writer.random.random(),
            "text": writer.text(8, 40),
        }
        for _ in range(writer.random.randint(1, 5))
    ]
    return [
        HumanMessage(writer.text(8, 60), id=writer.identifier("")),
        _ai(writer, "", tool_calls=[call]),
        ToolMessage(str(rows), tool_call_id=call["id"], id=writer.identifier("")),
        _ai(writer, writer.text(30, 180)),
    ]


def _ai(writer: _Writer, content: str, **fields: Any) -> AIMessage:
    read, written = writer.random.randint(200, 9000), writer.random.randint(20, 900)
    return AIMessage(
        content,
        id=writer.identifier("run-"),
        usage_metadata={
            "input_tokens": read,
            "output_tokens": written,
            "total_tokens": read + written,
        },
        response_metadata={"model_name": "gpt-4o-mini", "finish_reason": "stop"},
        **fields,
    )


def messages(size: int) -> list[BaseMessage]:
    """A conversation whose `langchain_core.load.dumps` is about this many bytes."""
    writer = _Writer()
    made: list[BaseMessage] = []
    length = 0
    while length < size:
        turn = _turn(writer)
        length += len(dumps(turn).encode())
        made += turn
    return made
