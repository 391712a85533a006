"""Process 2, started fresh: restore both agents and go on."""

from __future__ import annotations

import os

import persist
from agents import SENT, THREAD, support_agent
from langchain_core.messages import AIMessage

print(f"process {os.getpid()}: restores, continues")

chain = persist.restore("demo-data/chain.json.gz")
print("  chain  user: Who am I?")
print(f"         bot:  {chain.predict(input='Who am I?')}")

agent = support_agent(AIMessage("Two of them cost 600 euros."))
persist.restore("demo-data/agent.json.gz", into=agent)
print("  agent  user: And two of them?")
answer = agent.invoke({"messages": [("user", "And two of them?")]}, THREAD)
print(f"         bot:  {answer['messages'][-1].content}")
print("  what the model of the restored agent was sent:")
for message in SENT[-1]:
    print(f"    {message.type:<6} {message.content or [c['name'] for c in message.tool_calls]}")
