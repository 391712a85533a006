"""Makes the vectors: files that each break one thing, with every unkeyed digest made anew.

usage: python generate.py    writes the files and vectors.json beside this script

Written from docs/format/v1.md with Python's standard library. In vectors.json each file has `what`
is wrong, and `expect`: the kinds of refusal that are right, or `full` or `metadata unprotected` for
a valid file.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HEADER = bytes.fromhex("1f8b08040000000000ff")
STATE = b'{"messages":["hello","hello again"],"turns":2}'
Edit = "Callable[[dict[str, Any]], None]"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def base() -> dict[str, Any]:
    return {
        "agent_id": "agent",
        "session_id": "session",
        "snapshot_index": 0,
        "timestamp": "2026-11-24T10:00:00Z",
        "content_hash": "",
        "format_version": 1,
        "snapshot_id": "019ab000-0000-7000-8000-000000000000",
        "description": None,
        "uncompressed_size": 0,
        "compressed_size": 0,
        "compression_algorithm": "gzip",
        "state_format": 1,
        "block_root": "",
        "metadata_hash": "0" * 64,
        "adapter": "plain",
        "persist_version": "0.1.0",
    }


def seal(metadata: dict[str, Any]) -> bytes:
    """The text of the metadata with its hash; a hash that is not zeros stays as it is."""
    text = dump(metadata)
    if metadata.get("metadata_hash") == "0" * 64:
        text = text.replace(b"0" * 64, sha(text).encode())
    return text


def stored(text: bytes) -> bytes:
    return struct.pack("<BHH", 1, len(text), len(text) ^ 0xFFFF) + text


def deflated(text: bytes) -> bytes:
    compress = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compress.compress(text) + compress.flush()


def member(text: bytes, packed: bytes, table: bytes | None = None, **change: Any) -> bytes:
    extra = b"" if table is None else b"PT" + struct.pack("<H", len(table)) + table
    length = 24 + len(extra) + len(packed) + 8
    lengths = struct.pack("<II", change.get("length", length), change.get("text_length", len(text)))
    field = b"PS\x08\x00" + lengths + extra + change.get("more", b"")
    return b"".join(
        (
            change.get("header", HEADER),
            struct.pack("<H", len(field)),
            field,
            packed,
            struct.pack("<I", change.get("crc", zlib.crc32(text))),
            struct.pack("<I", change.get("size", len(text))),
        )
    )


def head(metadata: bytes, **change: Any) -> bytes:
    opening, between = b'{"metadata":', change.pop("between", b',"agent_state":')
    least = len(opening) + len(metadata) + len(between) + 37
    pages = change.pop("bytes", -(-least // 4096) * 4096)
    padding = change.pop("padding", b" ") * (pages - least)
    text = opening + metadata + padding + between
    pack = change.pop("pack", stored)
    return member(text, pack(text), **change)


def native(
    state: bytes = STATE,
    *,
    edit: Any = None,
    texts: list[bytes] | None = None,
    blocks: list[bytes] | None = None,
    table: Any = None,
    head_change: dict[str, Any] | None = None,
    closing: Any = None,
    text: Any = None,
) -> bytes:
    """A native gzip file in which what is given differs from what it should be."""
    texts = texts if texts is not None else [state[:20], state[20:]]
    blocks = blocks if blocks is not None else [member(part, deflated(part)) for part in texts]
    entries = [
        struct.pack("<II", len(block), len(part)) + hashlib.sha256(part).digest()
        for block, part in zip(blocks, texts, strict=True)
    ]
    if table:
        entries = table(entries)
    metadata = base()
    metadata["content_hash"] = sha(state)
    metadata["uncompressed_size"] = len(state)
    metadata["compressed_size"] = sum(map(len, blocks))
    metadata["block_root"] = sha(b"".join(entry[8:] for entry in entries))
    if edit:
        metadata = edit(metadata) or metadata
    sealed = seal(metadata)
    if text:
        sealed = text(sealed)
    last = closing or (lambda part: member(b"}", stored(b"}"), part))
    return head(sealed, **(head_change or {})) + b"".join(blocks) + last(b"".join(entries))


def original(state: bytes = STATE, edit: Any = None, document: Any = None) -> bytes:
    """A file as the original writes it."""
    metadata = {key: value for key, value in base().items() if key not in OURS}
    metadata |= {"content_hash": sha(state), "uncompressed_size": len(state)}
    metadata["compressed_size"] = None
    if edit:
        metadata = edit(metadata) or metadata
    text = b'{"metadata":' + dump(metadata) + b',"agent_state":' + state + b"}"
    return pack(document(text) if document else text)


OURS = {"state_format", "block_root", "metadata_hash", "adapter", "persist_version"}


def pack(text: bytes) -> bytes:
    pack = zlib.compressobj(6, zlib.DEFLATED, 31)
    return pack.compress(text) + pack.flush()


def plain(state: bytes = STATE, edit: Any = None) -> bytes:
    metadata = base()
    metadata.pop("block_root")
    metadata |= {"content_hash": sha(state), "uncompressed_size": len(state)}
    metadata |= {"compressed_size": len(state), "compression_algorithm": "none"}
    if edit:
        metadata = edit(metadata) or metadata
    sealed = seal(metadata)
    padding = b" " * (4096 - len(sealed) - 27)
    return b'{"metadata":' + sealed + padding + b',"agent_state":' + state + b"}"


def put(**fields: Any) -> Any:
    return lambda metadata: metadata.update(fields)


def without(*names: str) -> Any:
    return lambda metadata: {k: v for k, v in metadata.items() if k not in names}


def changed(data: bytes, place: int, value: bytes) -> bytes:
    return data[:place] + value + data[place + len(value) :]


def document(data: bytes) -> bytes:
    return gzip.decompress(data)


def vectors() -> dict[str, tuple[bytes, str, list[str]]]:
    """Name: (file, what is special, what is expected)."""
    ok, unprotected = ["full"], ["metadata unprotected"]
    integrity, fmt = ["integrity"], ["format"]
    cut = ["integrity", "format"]
    limit, version = ["limit_exceeded"], ["unsupported_version"]
    good = native()
    text = document(good)
    state_at = text.index(b',"agent_state":') + 15
    junk = deflated(STATE[20:]) + b"junk"
    two = [STATE[:20], STATE[20:]]
    deep = b"[" * 512 + b"]" * 512
    arrays = b"[" + b",".join([b"[]"] * 2**22) + b"]"
    heavy = [arrays[n : n + 2**20] for n in range(0, len(arrays), 2**20)]
    found: dict[str, tuple[bytes, str, list[str]]] = {
        # valid files
        "ok-native": (good, "nothing", ok),
        "ok-one-block": (native(texts=[STATE]), "one block", ok),
        "ok-many-blocks": (
            native(texts=[STATE[i : i + 1] for i in range(len(STATE))]),
            "blocks of one byte",
            ok,
        ),
        "ok-table-in-parts": (
            native(
                closing=lambda t: (
                    member(b"", stored(b""), t[:40]) + member(b"}", stored(b"}"), t[40:])
                )
            ),
            "a block table in two parts",
            ok,
        ),
        "ok-stored-block": (
            native(blocks=[member(p, stored(p)) for p in two]),
            "blocks that are not compressed",
            ok,
        ),
        "ok-two-pages": (native(edit=put(description="x" * 5000)), "a head of two pages", ok),
        "ok-unknown-field": (native(edit=put(shoe_size=42)), "a field that nobody knows", ok),
        "ok-all-fields": (
            native(
                edit=put(
                    parent="019ab000-0000-7000-8000-000000000001",
                    tags={"a": "b"},
                    framework={"c": "1"},
                )
            ),
            "every field",
            ok,
        ),
        "ok-depth-512": (native(deep), "512 levels", ok),
        "ok-4300-digits": (native(b"1" * 4300), "an integer of 4300 digits", ok),
        "ok-one-member": (pack(text), "the same text in one member", ok),
        "ok-split-anywhere": (
            b"".join(pack(text[i : i + 999]) for i in range(0, len(text), 999)),
            "members of 999 bytes",
            ok,
        ),
        "ok-state-first": (
            pack(
                b'{"agent_state":'
                + STATE
                + b',"metadata":'
                + text[12 : text.index(b"}") + 1]
                + b"}"
            ),
            "agent_state before metadata",
            ok,
        ),
        "ok-white-space": (
            pack(text.replace(b',"agent_state":', b'\n,\t"agent_state" : ') + b"\n"),
            "white space in the document",
            ok,
        ),
        "ok-none": (plain(), "a plain document", ok),
        "ok-original": (original(), "the original's shape", unprotected),
        "ok-original-offset": (
            original(edit=put(timestamp="2026-11-24T12:00:00.5+02:00")),
            "an offset in the time",
            unprotected,
        ),
        "ok-original-least": (
            original(edit=without("description", "compressed_size")),
            "the least that is required",
            unprotected,
        ),
        # cut and glued
        "empty": (b"", "no bytes", fmt),
        "cut-in-head": (good[:2000], "cut in the head", cut),
        "cut-behind-head": (good[:4096], "cut behind the head", cut),
        "cut-in-block": (good[:4130], "cut in a block", cut),
        "cut-last-byte": (good[:-1], "the last byte is missing", cut),
        "zero-behind": (good + b"\0", "a zero byte behind the end", cut),
        "second-snapshot": (good + good, "a second snapshot behind the end", cut),
        "member-behind": (good + pack(b""), "an empty member behind the end", cut),
        "foreign-second-snapshot": (
            pack(text) + pack(text),
            "a second document behind the first",
            fmt,
        ),
        "foreign-junk-behind": (pack(text) + b"junk", "bytes behind the last member", cut),
        "foreign-cut": (pack(text)[:-9], "cut", cut),
        # framing
        "head-not-whole-pages": (native(head_change={"bytes": 4097}), "a head of 4097 bytes", fmt),
        "head-of-17-pages": (
            native(head_change={"bytes": 17 * 4096, "pack": deflated}),
            "a head that is too long and compressed",
            fmt,
        ),
        "head-compressed": (
            native(head_change={"pack": deflated}),
            "a head that is compressed",
            fmt,
        ),
        "head-padding": (native(head_change={"padding": b"\t"}), "tabs as padding", cut),
        "head-extra-member": (
            native(head_change={"between": b',"x":1,"agent_state":'}),
            "another member in the head",
            cut,
        ),
        "head-time": (
            native(head_change={"header": changed(HEADER, 4, b"\1")}),
            "a time in the head's header",
            fmt,
        ),
        "head-flags": (
            native(head_change={"header": changed(HEADER, 3, b"\x0c")}),
            "a name flag in the head's header",
            fmt,
        ),
        "head-reserved-flag": (
            native(head_change={"header": changed(HEADER, 3, b"\x24")}),
            "a reserved flag",
            fmt,
        ),
        "head-crc": (native(head_change={"crc": 1}), "the head's CRC-32", integrity),
        "head-subfield": (native(head_change={"more": b"XX\0\0"}), "an unknown subfield", fmt),
        "block-crc": (
            native(
                blocks=[member(two[0], deflated(two[0]), crc=1), member(two[1], deflated(two[1]))]
            ),
            "a block's CRC-32",
            integrity,
        ),
        "block-size": (
            native(
                blocks=[member(two[0], deflated(two[0]), size=1), member(two[1], deflated(two[1]))]
            ),
            "a block's ISIZE",
            cut,
        ),
        "block-text-length": (
            native(
                blocks=[
                    member(two[0], deflated(two[0]), text_length=21, size=21),
                    member(two[1], deflated(two[1])),
                ],
                table=lambda e: [e[0][:4] + struct.pack("<I", 21) + e[0][8:], e[1]],
                edit=put(uncompressed_size=len(STATE) + 1),
            ),
            "a block that is one byte shorter than it says",
            integrity,
        ),
        "block-member-length": (
            native(
                blocks=[
                    member(two[0], deflated(two[0]), length=9),
                    member(two[1], deflated(two[1])),
                ]
            ),
            "a member that says it is 9 bytes long",
            cut,
        ),
        "block-member-length-huge": (
            native(
                blocks=[
                    member(two[0], deflated(two[0]), length=2**32 - 1),
                    member(two[1], deflated(two[1])),
                ]
            ),
            "a member that says it is 4 GiB long",
            cut,
        ),
        "block-text-huge": (
            native(
                blocks=[
                    member(two[0], deflated(two[0]), text_length=2**32 - 1, size=2**32 - 1),
                    member(two[1], deflated(two[1])),
                ],
                table=lambda e: [e[0][:4] + b"\xff" * 4 + e[0][8:], e[1]],
                edit=put(uncompressed_size=2**32 - 1 + len(two[1])),
            ),
            "a block that says it unpacks to 4 GiB",
            limit,
        ),
        "block-junk": (
            native(blocks=[member(two[0], deflated(two[0])), member(two[1], junk)]),
            "bytes behind a deflate stream",
            integrity,
        ),
        "block-empty": (
            native(
                texts=[STATE, b""],
                blocks=[member(STATE, deflated(STATE)), member(b"", stored(b""))],
            ),
            "an empty block",
            fmt,
        ),
        "block-not-deflate": (
            native(blocks=[member(two[0], b"\xff" * 30), member(two[1], deflated(two[1]))]),
            "a block that is no deflate stream",
            integrity,
        ),
        "blocks-swapped": (
            native(blocks=[member(p, deflated(p)) for p in two[::-1]]),
            "two blocks in the wrong order",
            integrity,
        ),
        # block table
        "table-swapped": (
            native(table=lambda e: e[::-1]),
            "two entries in the wrong order",
            integrity,
        ),
        "table-short": (native(table=lambda e: e[:1]), "an entry is missing", integrity),
        "table-long": (native(table=lambda e: [*e, e[1]]), "an entry too many", integrity),
        "table-cut": (
            native(closing=lambda t: member(b"}", stored(b"}"), t[:-1])),
            "an entry is cut",
            fmt,
        ),
        "table-empty": (
            native(closing=lambda _: member(b"}", stored(b"}"), b"")),
            "no entries",
            fmt,
        ),
        "table-digest": (
            native(table=lambda e: [e[0][:8] + b"\1" * 32, e[1]]),
            "an entry's digest",
            integrity,
        ),
        "table-absent": (
            native(closing=lambda _: member(b"}", stored(b"}"))),
            "no block table",
            cut,
        ),
        "table-behind-block": (
            native(
                closing=lambda t: (
                    member(b"", stored(b""), t)
                    + member(b"x", stored(b"x"))
                    + member(b"}", stored(b"}"), t)
                )
            ),
            "a block behind the block table",
            fmt,
        ),
        "closing-text": (
            native(closing=lambda t: member(b"]", stored(b"]"), t)),
            "another last byte",
            fmt,
        ),
        "closing-compressed": (
            native(closing=lambda t: member(b"}", deflated(b"}"), t)),
            "a closing that is compressed",
            fmt,
        ),
        # metadata
        "block-root": (native(edit=put(block_root=sha(b""))), "block_root", integrity),
        "block-root-absent": (native(edit=without("block_root")), "no block_root", integrity),
        "content-hash": (native(edit=put(content_hash=sha(b""))), "content_hash", integrity),
        "content-hash-upper-case": (
            native(edit=lambda m: m.update(content_hash=m["content_hash"].upper())),
            "content_hash in upper case",
            fmt,
        ),
        "uncompressed-size": (
            native(edit=put(uncompressed_size=1)),
            "uncompressed_size",
            integrity,
        ),
        "compressed-size": (native(edit=put(compressed_size=1)), "compressed_size", integrity),
        "compressed-size-absent": (
            native(edit=put(compressed_size=None)),
            "no compressed_size",
            integrity,
        ),
        "metadata-hash": (native(edit=put(metadata_hash=sha(b""))), "metadata_hash", integrity),
        "metadata-hash-absent": (
            native(edit=without("metadata_hash")),
            "no metadata_hash",
            integrity,
        ),
        "metadata-hash-upper-case": (
            native(
                text=lambda t: t.replace(
                    json.loads(t)["metadata_hash"].encode(),
                    json.loads(t)["metadata_hash"].upper().encode(),
                )
            ),
            "metadata_hash in upper case",
            cut,
        ),
        "metadata-changed": (
            native(text=lambda t: t.replace(b'"agent"', b'"agenT"')),
            "an agent_id that was changed",
            integrity,
        ),
        "metadata-extra-field-unhashed": (
            original(edit=put(tags={"a": "b"})),
            "a twelfth field without metadata_hash",
            integrity,
        ),
        "metadata-duplicate": (
            original(document=lambda t: t.replace(b'"session_id"', b'"agent_id":"x","session_id"')),
            "a key that stands twice",
            fmt,
        ),
        "metadata-duplicate-escaped": (
            original(
                document=lambda t: t.replace(b'"session_id"', b'"agent\\u005fid":"x","session_id"')
            ),
            "a key that stands twice, once with an escape",
            fmt,
        ),
        "metadata-array": (original(edit=list), "metadata that is an array", fmt),
        "metadata-too-long": (
            original(edit=put(description="x" * 65536)),
            "metadata of more than 64 KiB",
            limit,
        ),
        "metadata-too-deep": (
            native(edit=put(deep=json.loads("[" * 17 + "]" * 17))),
            "metadata of 18 levels",
            limit,
        ),
        "version-0": (native(edit=put(format_version=0)), "format_version 0", version),
        "version-2": (native(edit=put(format_version=2)), "format_version 2", version),
        "version-text": (native(edit=put(format_version="1")), "format_version as text", fmt),
        "version-float": (native(edit=put(format_version=1.0)), "format_version as a float", fmt),
        "state-format-2": (native(edit=put(state_format=2)), "state_format 2", version),
        "algorithm-zstd": (
            native(edit=put(compression_algorithm="zstd")),
            "zstd in a gzip file",
            fmt,
        ),
        "algorithm-none": (
            original(edit=put(compression_algorithm="none")),
            "none in a gzip file",
            fmt,
        ),
        "algorithm-unknown": (
            native(edit=put(compression_algorithm="rar")),
            "an unknown algorithm",
            fmt,
        ),
        "none-says-gzip": (
            plain(edit=put(compression_algorithm="gzip")),
            "gzip in a plain document",
            fmt,
        ),
        # state and document
        "state-duplicate": (native(b'{"a":1,"a":2}'), "a key that stands twice", fmt),
        "state-duplicate-nested": (
            native(b'[{"b":{"a":1,"c":2,"\\u0061":3}}]'),
            "a key that stands twice, deep down",
            fmt,
        ),
        "state-nan": (native(b'{"a":NaN,"padding":"......"}'), "NaN", fmt),
        "state-infinity": (native(b'{"a":-Infinity,"padding":"......"}'), "Infinity", fmt),
        "state-lone-surrogate": (
            native(b'{"a":"\\ud800","padding":"......"}'),
            "half a surrogate pair",
            fmt,
        ),
        "state-invalid-utf8": (
            native(b'{"a":"\xff","padding":"......"}'),
            "bytes that are not UTF-8",
            fmt,
        ),
        "state-overlong-utf8": (
            native(b'{"a":"\xc0\x80","padding":"......"}'),
            "an overlong NUL",
            fmt,
        ),
        "state-control": (
            native(b'{"a":"\n","padding":"......"}'),
            "a line break in a string",
            fmt,
        ),
        "state-space-before": (native(b" " + STATE), "white space before the state", fmt),
        "state-space-behind": (native(STATE + b"\n"), "white space behind the state", fmt),
        "state-two-values": (native(STATE + STATE), "two values", fmt),
        "state-injects-member": (
            native(b'{"turns":2},"metadata":{"agent_id":"x"}'),
            "a state that goes on in the document",
            fmt,
        ),
        "state-comma": (native(b'{"turns":[1,2,],"padding":"......"}'), "a comma too many", fmt),
        "state-leading-zero": (native(b'{"turns":01,"padding":"......"}'), "a leading zero", fmt),
        "state-too-deep": (native(b"[" + deep + b"]"), "513 levels", limit),
        "state-too-many-digits": (native(b"1" * 4301), "an integer of 4301 digits", limit),
        "state-too-heavy": (
            native(b"".join(heavy), texts=heavy),
            "2^22 arrays in one, in a file of some KiB",
            limit,
        ),
        "foreign-state-changed": (
            pack(changed(text, state_at + 15, b"J")),
            "a byte of the state was changed",
            integrity,
        ),
        "foreign-extra-member": (
            pack(text[:-1] + b',"x":1}'),
            "another member in the document",
            fmt,
        ),
        "foreign-no-state": (pack(text[: state_at - 15] + b"}"), "no agent_state", fmt),
        "foreign-no-metadata": (pack(b'{"agent_state":' + STATE + b"}"), "no metadata", fmt),
        "foreign-duplicate": (
            pack(text[:-1] + b',"agent_state":' + STATE + b"}"),
            "agent_state twice",
            fmt,
        ),
        "foreign-array": (pack(b"[" + text + b"]"), "a document that is an array", fmt),
        "foreign-bom": (pack(b"\xef\xbb\xbf" + text), "a byte order mark", fmt),
        "foreign-utf16": (pack(text.decode().encode("utf-16")), "UTF-16", fmt),
        "not-a-snapshot": (b"PK\3\4 this is something else", "another kind of file", fmt),
    }
    for name in (
        "agent_id",
        "session_id",
        "snapshot_index",
        "timestamp",
        "content_hash",
        "format_version",
        "snapshot_id",
        "uncompressed_size",
        "compression_algorithm",
    ):
        found[f"missing-{name.replace('_', '-')}"] = (
            original(edit=without(name)),
            f"no {name}",
            fmt,
        )
    wrong: dict[str, Any] = {
        "agent_id": "",
        "session_id": "",
        "snapshot_index": -1,
        "timestamp": "yesterday",
        "content_hash": "abc",
        "snapshot_id": "abc",
        "uncompressed_size": "1",
    }
    for name, value in wrong.items():
        found[f"wrong-{name.replace('_', '-')}"] = (
            original(edit=put(**{name: value})),
            f"a wrong {name}",
            fmt,
        )
    return found


def main() -> None:
    index = {}
    for name, (data, what, expect) in vectors().items():
        (HERE / f"{name}.bin").write_bytes(data)
        index[name] = {"what": what, "expect": expect}
    (HERE / "vectors.json").write_text(json.dumps(index, indent=2) + "\n")


if __name__ == "__main__":
    main()
