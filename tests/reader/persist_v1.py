"""A second reader of the snapshot format v1, written from docs/format/v1.md alone.

Python's standard library is all that it needs; it reads gzip and none. It shares no code with
Persist, so that the specification is known to say enough.

usage: python persist_v1.py FILE    prints the metadata
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
import uuid
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

PAGE = 4096
MAX_PAGES = 16
MAX_BLOCK = 8 * 1024 * 1024
MAX_DOCUMENT = 4 * 1024**3
MAX_RATIO, RATIO_FREE = 1000, 64 * 1024 * 1024
MAX_METADATA = 64 * 1024
MAX_DEPTH = {"state": 512, "metadata": 16}
MAX_DIGITS = 4300
MAX_WEIGHT, WEIGHT_RATIO, WEIGHT_FREE = 2**30, 32, 2**25
CONTAINER = 8
ENTRY = 40
HEADER = bytes.fromhex("1f8b08040000000000ff")
FIRST_ELEVEN = [
    "agent_id",
    "session_id",
    "snapshot_index",
    "timestamp",
    "content_hash",
    "format_version",
    "snapshot_id",
    "description",
    "uncompressed_size",
    "compressed_size",
    "compression_algorithm",
]
DIGEST = re.compile("[0-9a-f]{64}")


class Refused(Exception):
    """A file that is not a valid snapshot; `kind` is one of the specification's."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(f"{kind}: {why}")
        self.kind = kind


@dataclass
class Snapshot:
    """What a file holds."""

    metadata: dict[str, Any]
    state: bytes
    is_native: bool
    is_protected: bool


def read(data: bytes) -> Snapshot:
    """Read a file and check all of it."""
    if data[:2] == b"\x1f\x8b":
        if data[12:14] == b"PS":
            return _native(data)
        return _foreign(_inflate(data), "gzip", len(data))
    if data[:1] in (b"{", b" ", b"\t", b"\n", b"\r"):
        return _foreign(data, "none", len(data))
    raise Refused("format", "neither gzip nor a plain document")


# native files


def _native(data: bytes) -> Snapshot:
    head, text, table = _member(data, 0)
    if table is not None or head % PAGE or head > MAX_PAGES * PAGE:
        raise Refused("format", "the head is not whole pages")
    opening, between = b'{"metadata":', b',"agent_state":'
    text = _stored(data, 0, text)
    if not (text.startswith(opening) and text.endswith(between)):
        raise Refused("format", "the head does not hold metadata alone")
    metadata = _metadata(text[len(opening) : -len(between)].rstrip(b" "))
    if metadata["compression_algorithm"] != "gzip":
        raise Refused("format", "compression_algorithm is not gzip")
    blocks, entries = _walk(data, head)
    _check_lengths(metadata, blocks, entries, len(data))
    state = b"".join(map(_block, blocks, entries))
    if hashlib.sha256(state).hexdigest() != metadata["content_hash"]:
        raise Refused("integrity", "content_hash")
    if state.strip(b" \t\n\r") != state:
        raise Refused("format", "white space around the state")
    _check_weight(_strict(state, MAX_DEPTH["state"]), len(data))
    return Snapshot(metadata, state, is_native=True, is_protected=True)


def _member(data: bytes, start: int) -> tuple[int, int, bytes | None]:
    """The length of a member, that of its text, and its part of the block table."""
    fixed = data[start : start + 24]
    if len(fixed) < 24:
        raise Refused("integrity", "the file is cut")
    if fixed[:10] != HEADER or fixed[12:16] != b"PS\x08\x00":
        raise Refused("format", "a member's header")
    extra, length, text = struct.unpack("<10xH4xII", fixed)
    if length < 24 + 8 or start + length > len(data):
        raise Refused("integrity", "the file is cut")
    field = data[start + 24 : start + 12 + extra]
    if len(field) != extra - 12 or 12 + extra + 8 > length:
        raise Refused("format", "a member's extra field")
    if struct.unpack("<I", data[start + length - 4 : start + length])[0] != text:
        raise Refused("format", "ISIZE")
    if not field:
        return length, text, None
    if field[:2] != b"PT" or struct.unpack("<H", field[2:4])[0] != len(field) - 4:
        raise Refused("format", "a member's subfields")
    return length, text, field[4:]


def _packed(data: bytes, start: int) -> bytes:
    length, _, table = _member(data, start)
    extra = 24 + (4 + len(table) if table is not None else 0)
    return data[start + extra : start + length - 8]


def _stored(data: bytes, start: int, text_length: int) -> bytes:
    packed = _packed(data, start)
    length = text_length & 0xFFFF
    if (
        packed[:5] != struct.pack("<BHH", 1, length, length ^ 0xFFFF)
        or len(packed) - 5 != text_length
    ):
        raise Refused("format", "a member is not stored")
    _check_crc(data, start, packed[5:])
    return packed[5:]


def _check_crc(data: bytes, start: int, text: bytes) -> None:
    length = _member(data, start)[0]
    if struct.unpack("<I", data[start + length - 8 : start + length - 4])[0] != zlib.crc32(text):
        raise Refused("integrity", "CRC-32")


def _walk(data: bytes, start: int) -> tuple[list[tuple[bytes, int, int]], list[bytes]]:
    """The blocks (member, its length, that of its text) and the entries of the block table."""
    blocks: list[tuple[bytes, int, int]] = []
    entries: list[bytes] = []
    while True:
        length, text, table = _member(data, start)
        if table is None:
            if entries or text == 0:
                raise Refused("format", "a block is empty or behind the block table")
            blocks.append((data[start : start + length], length, text))
        else:
            if not table or len(table) % ENTRY or len(table) > 1600 * ENTRY:
                raise Refused("format", "a part of the block table")
            entries += [table[at : at + ENTRY] for at in range(0, len(table), ENTRY)]
            closing = _stored(data, start, text)
            if closing not in (b"", b"}"):
                raise Refused("format", "the document does not end")
            if closing:
                if start + length != len(data):
                    raise Refused("format", "bytes behind the end")
                return blocks, entries
        start += length


def _check_lengths(
    metadata: dict[str, Any], blocks: list[tuple[bytes, int, int]], entries: list[bytes], size: int
) -> None:
    stated = [struct.unpack("<II", entry[:8]) for entry in entries]
    if stated != [(length, text) for _, length, text in blocks]:
        raise Refused("integrity", "the block table")
    total = sum(text for _, _, text in blocks)
    if metadata["uncompressed_size"] != total:
        raise Refused("integrity", "uncompressed_size")
    if metadata.get("compressed_size") != sum(length for _, length, _ in blocks):
        raise Refused("integrity", "compressed_size")
    if any(text > MAX_BLOCK for _, _, text in blocks):
        raise Refused("limit_exceeded", "a block is too long")
    _check_size(total, size)
    root = hashlib.sha256(b"".join(entry[8:] for entry in entries)).hexdigest()
    if metadata.get("block_root") != root:
        raise Refused("integrity", "block_root")


def _block(block: tuple[bytes, int, int], entry: bytes) -> bytes:
    member, _, text_length = block
    inflate = zlib.decompressobj(-15)
    try:
        text = inflate.decompress(_packed(member, 0), text_length + 1)
    except zlib.error as error:
        raise Refused("integrity", "a block does not inflate") from error
    if not inflate.eof or inflate.unused_data or len(text) != text_length:
        raise Refused("integrity", "a block's length")
    _check_crc(member, 0, text)
    if hashlib.sha256(text).digest() != entry[8:]:
        raise Refused("integrity", "a block's digest")
    return text


# foreign files


def _inflate(data: bytes) -> bytes:
    limit = _largest(len(data)) + 1
    text = bytearray()
    while data:
        inflate = zlib.decompressobj(31)
        try:
            text += inflate.decompress(data, limit - len(text))
        except zlib.error as error:
            raise Refused("integrity", "it does not inflate") from error
        if len(text) >= limit:
            raise Refused("limit_exceeded", "it unpacks to too much")
        if not inflate.eof:
            raise Refused("integrity", "the file is cut")
        data = inflate.unused_data
    return bytes(text)


def _largest(size: int) -> int:
    return min(MAX_DOCUMENT, max(RATIO_FREE, MAX_RATIO * size))


def _check_size(unpacked: int, size: int) -> None:
    if unpacked > _largest(size):
        raise Refused("limit_exceeded", "it unpacks to too much")


def _foreign(text: bytes, container: str, size: int) -> Snapshot:
    _check_size(len(text), len(text) if container == "none" else MAX_DOCUMENT)
    members = _members(text)
    if set(members) != {"metadata", "agent_state"}:
        raise Refused("format", "not metadata and agent_state alone")
    metadata = _metadata(members["metadata"])
    state = members["agent_state"]
    if metadata["compression_algorithm"] != container:
        raise Refused("format", f"compression_algorithm is not {container}")
    if metadata["uncompressed_size"] != len(state):
        raise Refused("integrity", "uncompressed_size")
    if hashlib.sha256(state).hexdigest() != metadata["content_hash"]:
        raise Refused("integrity", "content_hash")
    _check_weight(_strict(state, MAX_DEPTH["state"]), size)
    return Snapshot(metadata, state, is_native=False, is_protected="metadata_hash" in metadata)


# metadata


def _metadata(text: bytes) -> dict[str, Any]:
    if len(text) > MAX_METADATA:
        raise Refused("limit_exceeded", "the metadata is too long")
    metadata = _strict(text, MAX_DEPTH["metadata"])
    if type(metadata) is not dict:
        raise Refused("format", "the metadata is no object")
    _check_version(metadata, "format_version", is_required=True)
    _check_version(metadata, "state_format", is_required=False)
    _check_metadata_hash(metadata, text)
    for name in ("agent_id", "session_id", "compression_algorithm"):
        _need(metadata, name, type(metadata.get(name)) is str and metadata[name] != "")
    for name in ("snapshot_index", "uncompressed_size"):
        _need(metadata, name, _is_count(metadata.get(name)))
    _need(metadata, "content_hash", _is_digest(metadata.get("content_hash")))
    _need(metadata, "timestamp", _is_time(metadata.get("timestamp")))
    _need(metadata, "snapshot_id", _is_uuid(metadata.get("snapshot_id")))
    _check_optional(metadata)
    return metadata


def _check_version(metadata: dict[str, Any], name: str, *, is_required: bool) -> None:
    version = metadata.get(name)
    if version is None and not is_required:
        return
    _need(metadata, name, _is_count(version))
    if version != 1:
        raise Refused("unsupported_version", name)


def _check_metadata_hash(metadata: dict[str, Any], text: bytes) -> None:
    if "metadata_hash" not in metadata:
        if set(metadata) - set(FIRST_ELEVEN):
            raise Refused("integrity", "metadata_hash is missing")
        return
    stated = metadata["metadata_hash"]
    _need(metadata, "metadata_hash", _is_digest(stated))
    place = _value_place(text, "metadata_hash")
    zeroed = text[: place + 1] + b"0" * 64 + text[place + 65 :]
    if hashlib.sha256(zeroed).hexdigest() != stated:
        raise Refused("integrity", "metadata_hash")


def _value_place(text: bytes, name: str) -> int:
    """The place of a member's value; the text is known to be an object without duplicate keys."""
    for key, start, _ in _places(text):
        if key == name:
            return start
    raise Refused("format", f"{name} is missing")


def _check_optional(metadata: dict[str, Any]) -> None:
    texts = ("description", "adapter", "persist_version")
    for name in texts:
        _need(metadata, name, type(metadata.get(name, "")) in (str, type(None)))
    _need(
        metadata,
        "compressed_size",
        metadata.get("compressed_size") is None or _is_count(metadata["compressed_size"]),
    )
    _need(
        metadata,
        "block_root",
        metadata.get("block_root") is None or _is_digest(metadata["block_root"]),
    )
    _need(metadata, "parent", metadata.get("parent") is None or _is_uuid(metadata["parent"]))
    for name in ("tags", "framework"):
        value = metadata.get(name) or {}
        _need(metadata, name, type(value) is dict and all(type(v) is str for v in value.values()))


def _need(metadata: dict[str, Any], name: str, is_right: object) -> None:
    if not is_right:
        raise Refused("format", f"{name} is {'wrong' if name in metadata else 'missing'}")


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**64


def _is_digest(value: object) -> bool:
    return type(value) is str and DIGEST.fullmatch(value) is not None


def _is_time(value: object) -> bool:
    if type(value) is not str:
        return False
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"
    if not re.fullmatch(pattern, value):
        return False
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return True


def _is_uuid(value: object) -> bool:
    try:
        return type(value) is str and len(value) == 36 and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


# strict JSON


def _strict(text: bytes, depth: int) -> Any:
    _check_depth(text, depth)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10_000))
    try:
        decoded = text.decode("utf-8")
        value = json.loads(
            decoded, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer
        )
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Refused("format", str(error)) from error
    _check_surrogates(decoded)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Refused("format", "a key stands twice")
    return made


def _no_constant(name: str) -> Any:
    raise Refused("format", name)


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise Refused("limit_exceeded", "an integer is too long")
    return int(digits)


def _check_depth(text: bytes, limit: int) -> None:
    depth = 0
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        if token[0] in (b"[", b"{"):
            depth += 1
        elif token[0] in (b"]", b"}"):
            depth -= 1
        if depth > limit:
            raise Refused("limit_exceeded", "it is nested too deep")


def _check_weight(value: object, size: int) -> None:
    limit = min(MAX_WEIGHT, max(WEIGHT_FREE, WEIGHT_RATIO * size))
    weight, pending = 0, [value]
    while pending:
        value = pending.pop()
        weight += CONTAINER if type(value) in (list, dict) else 1
        if type(value) in (list, dict):
            pending.extend(value if type(value) is list else value.values())
        if weight > limit:
            raise Refused("limit_exceeded", "it holds too many values")


def _check_surrogates(text: str) -> None:
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"', text, re.DOTALL):
        if "\\u" in token[0]:
            try:
                json.loads(token[0]).encode("utf-8")
            except UnicodeEncodeError as error:
                raise Refused("format", "a lone surrogate") from error


def _members(text: bytes) -> dict[str, bytes]:
    """The members of the document, each as the exact bytes of its value."""
    _strict(text, MAX_DEPTH["state"] + 1)
    found = {key: text[start:end] for key, start, end in _places(text)}
    if not text.strip(b" \t\n\r").startswith(b"{"):
        raise Refused("format", "the document is no object")
    return found


def _places(text: bytes) -> list[tuple[str, int, int]]:
    """Key, start and end of the value of each member of the object that this strict JSON is."""
    found = []
    depth, key, start, end = 0, None, None, 0
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', text, re.DOTALL):
        mark = token[0]
        if depth == 1 and key is None and mark[:1] == b'"':
            key = json.loads(mark)
        elif depth == 1 and mark == b":" and start is None:
            start = -1
        elif start == -1:
            start = token.start()
        if mark in (b"]", b"}"):
            depth -= 1
        if (depth == 1 and mark == b",") or (depth == 0 and mark == b"}"):
            if key is not None and start is not None:
                found.append((key, start, end))
            key = start = None
        if mark in (b"[", b"{"):
            depth += 1
        end = token.end()
    return found


if __name__ == "__main__":
    print(json.dumps(read(Path(sys.argv[1]).read_bytes()).metadata, indent=2))
