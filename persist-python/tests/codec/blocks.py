"""Every class of message, and a block of each type that a message may hold."""

from langchain_core.load.mapping import SERIALIZABLE_MAPPING
from langchain_core.messages import content as blocks

DATA = "aGVsbG8="
BLOCKS = [
    {"type": "text", "text": "hello"},
    {
        **blocks.create_text_block("see", id="b-1", index=0),
        "annotations": [
            blocks.create_citation(url="https://a.b", title="t", start_index=0, end_index=3),
            {"type": "non_standard_annotation", "value": {"page": 3}},
        ],
    },
    blocks.create_reasoning_block("because", signature="c2ln"),
    {"type": "refusal", "refusal": "no"},
    blocks.create_image_block(url="https://a.b/c.png"),
    blocks.create_image_block(base64=DATA, mime_type="image/png"),
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}", "detail": "low"}},
    blocks.create_audio_block(base64=DATA, mime_type="audio/wav"),
    {"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}},
    blocks.create_video_block(file_id="file-1"),
    blocks.create_file_block(base64=DATA, mime_type="application/pdf"),
    blocks.create_plaintext_block("plain", title="t"),
    {"type": "tool_call", "name": "add", "args": {"a": 1}, "id": "c-1"},
    {"type": "tool_call_chunk", "name": "add", "args": '{"a"', "id": "c-1", "index": 0},
    {"type": "invalid_tool_call", "name": "add", "args": "{", "id": "c-2", "error": "no JSON"},
    {"type": "server_tool_call", "name": "search", "args": {"q": "x"}, "id": "s-1"},
    {"type": "server_tool_call_chunk", "name": "search", "args": '{"q"', "id": "s-1"},
    {"type": "server_tool_result", "tool_call_id": "s-1", "status": "success", "output": [1]},
    blocks.create_non_standard_block({"of": ["a", "provider"]}),
    # Anthropic's own
    {"type": "tool_use", "id": "t-1", "name": "add", "input": {"a": 1}},
    {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
    {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}},
]
NEEDED = {
    "ToolMessage": {"tool_call_id": "c-1"},
    "ToolMessageChunk": {"tool_call_id": "c-1"},
    "FunctionMessage": {"name": "add"},
    "FunctionMessageChunk": {"name": "add"},
    "ChatMessage": {"role": "critic"},
    "ChatMessageChunk": {"role": "critic"},
}
ABSTRACT = {"BaseMessage", "BaseMessageChunk"}
NAMES = sorted(
    key[-1]
    for key in SERIALIZABLE_MAPPING
    if key[:3] == ("langchain", "schema", "messages")
    and key[-1] not in {*ABSTRACT, "RemoveMessage"}
)
