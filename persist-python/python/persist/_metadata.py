"""What a snapshot says about itself."""

from __future__ import annotations

import json
from typing import Any


class Metadata(dict[str, Any]):
    """The metadata of a snapshot: a dict that prints one field a line.

    Keys are those of the format: `agent_id`, `session_id`, `snapshot_index`,
    `timestamp` (RFC 3339, UTC), `content_hash` (SHA-256 of the state),
    `format_version`, `snapshot_id`, `description`, `uncompressed_size` and
    `compressed_size` (bytes), `compression_algorithm`; files of this release
    also have `state_format`, `block_root`, `metadata_hash`, `framework`,
    `adapter`, `persist_version`, and `parent` and `tags` where they were given.

    Attributes:
        e_tag: What the store calls this version of the object, for `if_match`;
            None where it does not say, as on the local disk.
    """

    e_tag: str | None = None

    @classmethod
    def of(cls, members: dict[str, Any], e_tag: str | None = None) -> Metadata:
        """Take what the core hands over.

        Args:
            members: The members of the metadata.
            e_tag: What the store calls this version of the object.

        Returns:
            The metadata.
        """
        metadata = cls(members)
        if e_tag is not None:
            metadata.e_tag = e_tag
        return metadata

    def __str__(self) -> str:
        """Return one line for each field."""
        width = max(map(len, self), default=0)
        return "\n".join(f"{name:<{width}}  {_shown(value)}" for name, value in self.items())


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
