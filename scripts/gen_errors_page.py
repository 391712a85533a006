"""Makes docs/reference/errors.md from the exceptions.

usage: python scripts/gen_errors_page.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from persist import exceptions

PATH = Path(__file__).resolve().parent.parent / "docs/reference/errors.md"
START = """# Errors

Every exception is a `persist.PersistError` and carries `kind` (a code that never changes its
meaning), `hint` (what to do next, or `None`) and `retryable` (whether the same call can succeed
later). Where Python has the right word, ours is that exception too.

| exception | also | `kind` | when |
|---|---|---|---|
"""


def page() -> str:
    """Return the page."""
    rows = []
    for name in exceptions.__all__:
        cls = getattr(exceptions, name)
        if issubclass(cls, exceptions.PersistError):
            bases = [base.__name__ for base in cls.__bases__ if base is not Exception]
            when = cls.__doc__.splitlines()[0]
            rows.append(
                f"| `{name}` | `{'`, `'.join(bases) or 'Exception'}` | `{cls.kind}` | {when} |"
            )
    return START + "\n".join(rows) + "\n"


def main() -> None:
    """Write the page, or say whether it is up to date."""
    if "--check" not in sys.argv:
        PATH.parent.mkdir(parents=True, exist_ok=True)
        PATH.write_text(page())
    elif PATH.read_text() != page():
        raise SystemExit("error: docs/reference/errors.md is not up to date; run `make gen`")


if __name__ == "__main__":
    main()
