"""The records of the core, in Python's `logging`."""

from __future__ import annotations

import logging
from typing import Any

_loggers = [logging.getLogger(name) for name in ("persist.snapshot", "persist.storage")]
for _logger in _loggers:
    # What fails is raised as well: without a configuration it is not told twice.
    _logger.addHandler(logging.NullHandler())

_WANTED = [logger.isEnabledFor for logger in _loggers]
"""What the core asks before it keeps records of a level."""


def _take(
    rows: list[tuple[int, str, str, dict[str, Any], float, str, int]],
) -> None:
    """Log what the core told, as of when it told it."""
    for level, module, message, fields, time, file, line in rows:
        logger = logging.getLogger(_name(module))
        if not logger.isEnabledFor(level):
            continue
        record = logger.makeRecord(logger.name, level, file, line, message, (), None, extra=fields)
        record.relativeCreated += (time - record.created) * 1000
        record.created, record.msecs = time, time % 1 * 1000
        logger.handle(record)


def _name(module: str) -> str:
    """The logger of a module of Rust: `persist_core::snapshot` is `persist.snapshot`."""
    _, *inner = module.split("::")
    return ".".join(["persist", *inner])
