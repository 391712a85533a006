"""Process 1: talk to two agents, snapshot both, stop."""

from __future__ import annotations

import os

import persist
from agents import THREAD, small_talk, support_agent
from langchain_core.messages import AIMessage

print(f"process {os.getpid()}: talks, snapshots, stops")

chain = small_talk()
print("  chain  user: I am Ann.")
print(f"         bot:  {chain.predict(input='I am Ann.')}")
persist.snapshot(chain, "demo-data/chain.json.gz", agent_id="small_talk", description="after hello")

call = {"name": "price", "args": {"item": "bicycle"}, "id": "call-1"}
agent = support_agent(AIMessage("", tool_calls=[call]), AIMessage("The bicycle costs 300 euros."))
print("  agent  user: What does the bicycle cost?")
answer = agent.invoke({"messages": [("user", "What does the bicycle cost?")]}, THREAD)
print(f"         bot:  {answer['messages'][-1].content}  (after a tool call)")
persist.snapshot(agent, "demo-data/agent.json.gz", agent_id="support", session_id="ticket-7")
