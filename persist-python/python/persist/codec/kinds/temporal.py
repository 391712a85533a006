"""Dates, times and zones."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from persist.codec._types import Child
from persist.codec.kinds._simple import Simple
from persist.exceptions import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from persist.codec._types import Read


class _Clock:
    """A datetime or time: ISO 8601 without its zone, then zone and fold."""

    def __init__(self, cls: type[datetime | time]) -> None:
        self.name = cls.__name__
        self._cls: Any = cls

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is this one exactly."""
        return names[0] == f"datetime.{self.name}"

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return text, zone and fold; the last two only where they are set."""
        node: dict[str, object] = {"iso": value.replace(tzinfo=None).isoformat()}
        if value.tzinfo is not None:
            node["zone"] = _zone(value.tzinfo, refuse)
        if value.fold:
            node["fold"] = value.fold
        return node

    def decode(self, node: Any, read: Read) -> object:
        """Build the value from text, zone and fold."""
        made = self._cls.fromisoformat(node["iso"]).replace(fold=node.get("fold", 0))
        return made.replace(tzinfo=_read_zone(node["zone"], read)) if "zone" in node else made


def _zone(zone: Any, refuse: Callable[[str, str], Exception]) -> object:
    if zone is timezone.utc:
        return "utc"
    if type(zone) is ZoneInfo and zone.key is not None:
        return {"key": zone.key}
    if type(zone) is timezone:
        return {
            "seconds": _duration(zone.utcoffset(None)),
            "name": Child(_zone_name(zone), ".name"),
        }
    hint = "use zoneinfo.ZoneInfo or datetime.timezone"
    raise refuse(f"its zone is a {type(zone).__module__}.{type(zone).__qualname__}", hint)


def _zone_name(zone: timezone) -> str | None:
    is_default = timezone(zone.utcoffset(None)).tzname(None) == zone.tzname(None)
    return None if is_default else zone.tzname(None)


def _read_zone(node: Any, read: Read) -> timezone | ZoneInfo:
    if node == "utc":
        return timezone.utc
    if "key" in node:
        return _known_zone(node["key"], read)
    offset, name = timedelta(*node["seconds"]), read.child(node["name"], ".name")
    return timezone(offset) if name is None else timezone(offset, name)


def _known_zone(key: Any, read: Read) -> ZoneInfo:
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, OSError):
        message = f"{read.path} names the zone {key!r}, which is not known here"
        raise FormatError(message, hint="pip install tzdata, or update it") from None


def _duration(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


class _ZoneKind:
    """A zone that stands by itself."""

    name = "zone"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is one of the standard library's zones."""
        return names[0] in ("datetime.timezone", "zoneinfo.ZoneInfo")

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return the key or the offset."""
        return _zone(value, refuse)

    def decode(self, node: Any, read: Read) -> object:
        """Build the zone."""
        return _read_zone(node, read)


KINDS = (
    _Clock(datetime),
    _Clock(time),
    _ZoneKind(),
    Simple("date", "datetime.date", lambda v: v.isoformat(), lambda n, _: date.fromisoformat(n)),
    Simple("timedelta", "datetime.timedelta", _duration, lambda n, _: timedelta(*n)),
)
