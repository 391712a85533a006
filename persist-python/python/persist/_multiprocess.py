"""The counts of this process, among the files of prometheus_client's multiprocess mode."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from persist import _persist
from persist._observability import MULTIPROCESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric
    from prometheus_client.samples import Sample

_SECONDS = 5
_MODES = {"persist_snapshot_last_success_timestamp_seconds": "max"}
"""How gauges of several processes become one; the others are of a disk: the last word counts."""

_log = logging.getLogger("persist.metrics")


class _Files:
    """Copies the counts to where `MultiProcessCollector` reads those of every process."""

    def __init__(self, make: Any) -> None:
        self._make = make
        self._values: dict[tuple[str, ...], tuple[Any, float]] = {}
        self._written: dict[tuple[str, ...], float] = {}
        self._lock = threading.Lock()

    def write(self) -> None:
        """Write what changed since the last time."""
        from prometheus_client.parser import text_string_to_metric_families

        with self._lock:
            for family in text_string_to_metric_families(_persist.render_metrics()):
                for sample in _by_bucket(family):
                    self._set(family, sample)

    def _set(self, family: Metric, sample: Sample) -> None:
        key = (sample.name, *map(str, sample.labels.items()))
        if self._written.get(key) == sample.value:
            return
        self._written[key] = sample.value
        if key not in self._values:
            self._values[key] = self._value(family, sample)
        value, before = self._values[key]
        value.set(before + sample.value, timestamp=time.time())

    def _value(self, family: Metric, sample: Sample) -> tuple[Any, float]:
        """The value in the file, and what an ended process of the same number counted there."""
        made = self._make(
            family.type,
            family.name,
            sample.name,
            list(sample.labels),
            list(sample.labels.values()),
            family.documentation,
            multiprocess_mode=_MODES.get(family.name, "mostrecent"),
        )
        return made, 0.0 if family.type == "gauge" else made.get()


def _by_bucket(family: Metric) -> Iterator[Sample]:
    """The samples as the files have them: each bucket by itself, and no count of all."""
    below: dict[tuple[tuple[str, str], ...], float] = {}
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            series = tuple(pair for pair in sample.labels.items() if pair[0] != "le")
            value = sample.value - below.get(series, 0.0)
            below[series] = sample.value
            yield sample._replace(value=value)
        elif not (family.type == "histogram" and sample.name.endswith("_count")):
            yield sample


def start() -> None:
    """Copy the counts every few seconds, and once more when the process ends."""
    try:
        from prometheus_client.values import MutexValue, ValueClass

        if ValueClass is MutexValue:
            _log.warning(
                "metrics are not published: %s was set after prometheus_client was imported",
                MULTIPROCESS,
            )
            return
        files = _Files(ValueClass)
        files.write()
        threading.Thread(target=_go_on, args=[files], name="persist-metrics", daemon=True).start()
        atexit.register(files.write)
    except (ImportError, OSError, RuntimeError) as error:
        _log.warning("metrics are not published: %s", error)


def _go_on(files: _Files) -> None:
    while True:
        time.sleep(_SECONDS)
        files.write()
