"""Warnings that name the line of the program that called Persist."""

from __future__ import annotations

import sys
import warnings

_HERE = __file__.removesuffix("_warning.py")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of what happened in a call of the program's.

    Args:
        message: What happened.
        category: The class of the warning.
    """
    level, frame = 1, sys._getframe()  # noqa: SLF001 - before 3.12, `warnings` skips no files
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
