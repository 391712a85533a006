"""What an application that has a `/metrics` page of its own adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from persist import _persist
from persist._observability import start_counting, start_if_asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

__all__ = ["Collector", "collector", "render", "start"]


def collector() -> Collector:
    """Begin to count, and return what a `prometheus_client` registry collects.

    Counts from before the first call are not there. Each process counts for
    itself, a forked one from zero: with workers, see the observability page.

    Returns:
        The collector.

    Raises:
        ConfigurationError: Something else records metrics in Persist's core.

    Example:
        >>> from prometheus_client import CollectorRegistry
        >>> registry = CollectorRegistry()
        >>> registry.register(persist.metrics.collector())
        >>> metadata = persist.snapshot(["hello"], "agent.json.gz")
        >>> registry.get_sample_value("persist_snapshot_attempts_total") >= 1
        True
    """
    start_counting()
    return Collector()


def start() -> None:
    """Publish the metrics now, as the environment asks, and not at the first use of a store.

    Without `PERSIST_METRICS_ENABLED` this does nothing. Call it when the
    application starts, where probes ask for `/healthz` soon after.

    Example:
        >>> persist.metrics.start()
    """
    start_if_asked()


def render() -> str:
    """Return the metrics of this process in Prometheus' text format.

    Returns:
        The text; empty before metrics were switched on.
    """
    return _persist.render_metrics()


class Collector:
    """Persist's metrics for a `prometheus_client` registry; made by `collector`."""

    def collect(self) -> Iterator[Metric]:
        """Read every metric as it is now.

        Yields:
            The families of Prometheus.
        """
        # prometheus_client is imported by whoever has a registry.
        from prometheus_client.parser import text_string_to_metric_families

        yield from text_string_to_metric_families(render())

    def describe(self) -> Iterator[Metric]:
        """Name no metric, so that a registry takes the collector before anything was counted.

        Yields:
            Nothing.
        """
        return iter(())
