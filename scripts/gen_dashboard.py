"""Makes the Grafana dashboard; with --check, says whether it is up to date."""

import sys
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

PATH = Path(__file__).parent.parent / "persist-cli/assets/dashboard.json"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
WINDOW = "$__rate_interval"


def quantile(metric: str, share: float, *labels: str) -> str:
    """The query for a quantile of a histogram."""
    by = ", ".join(("le", *labels))
    return f"histogram_quantile({share}, sum by ({by}) (rate({metric}_bucket[{WINDOW}])))"


def rate(metric: str, *labels: str) -> str:
    """The query for what is counted in a second."""
    return f"sum by ({', '.join(labels)}) (rate({metric}[{WINDOW}]))"


STATS = [
    ("Snapshots in the last hour", "sum(increase(persist_snapshot_attempts_total[1h]))", "short"),
    ("Failures in the last hour", "sum(increase(persist_snapshot_failures_total[1h]))", "short"),
    ("Oldest last snapshot", "time() - min(persist_snapshot_last_success_timestamp_seconds)", "s"),
    (
        "Least room on a disk",
        "min(persist_storage_free_bytes / persist_storage_size_bytes)",
        "percentunit",
    ),
]
CHARTS = [
    ("Snapshots", rate("persist_snapshot_attempts_total", "instance"), "{{instance}}", "ops"),
    ("Failed snapshots", rate("persist_snapshot_failures_total", "kind"), "{{kind}}", "ops"),
    ("Snapshot duration, p99", quantile("persist_snapshot_duration_seconds", 0.99), "p99", "s"),
    ("Restores", rate("persist_restore_attempts_total", "instance"), "{{instance}}", "ops"),
    ("Failed restores", rate("persist_restore_failures_total", "kind"), "{{kind}}", "ops"),
    ("Restore duration, p99", quantile("persist_restore_duration_seconds", 0.99), "p99", "s"),
    (
        "Requests to stores",
        rate("persist_storage_requests_total", "backend", "operation"),
        "{{backend}} {{operation}}",
        "ops",
    ),
    (
        "Failed requests to stores",
        " or ".join(
            [
                rate("persist_storage_errors_total", "backend"),
                f"{rate('persist_storage_requests_total', 'backend')} * 0",
            ]
        ),
        "{{backend}}",
        "ops",
    ),
    (
        "Latency of stores, p99",
        quantile("persist_storage_latency_seconds", 0.99, "backend", "operation"),
        "{{backend}} {{operation}}",
        "s",
    ),
    (
        "Bytes to and from stores",
        rate("persist_storage_bytes_total", "backend", "operation"),
        "{{backend}} {{operation}}",
        "Bps",
    ),
    ("State size, p95", quantile("persist_state_size_bytes", 0.95), "p95", "bytes"),
    (
        "Compression ratio, median",
        quantile("persist_compression_ratio", 0.5, "algorithm"),
        "{{algorithm}}",
        "short",
    ),
    ("Failed verifications", rate("persist_verify_failures_total", "kind"), "{{kind}}", "ops"),
]


def query(expression: str, legend: str) -> prometheus.Dataquery:
    """A query of a panel."""
    return prometheus.Dataquery().expr(expression).legend_format(legend).ref_id("A")


def board() -> str:
    """The dashboard, as JSON."""
    made = (
        dashboard.Dashboard("Persist")
        .uid("persist")
        .tags(["persist"])
        .refresh("30s")
        .time("now-1h", "now")
        .with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
    )
    for number, (title, expression, unit) in enumerate(STATS, 1):
        last = common.ReduceDataOptions().calcs(["lastNotNull"])
        panel = (
            stat.Panel().reduce_options(last).id(number).title(title).unit(unit).datasource(SOURCE)
        )
        made = made.with_panel(panel.with_target(query(expression, title)).span(6).height(4))
    for number, (title, expression, legend, unit) in enumerate(CHARTS, len(STATS) + 1):
        panel = timeseries.Panel().id(number).title(title).unit(unit).datasource(SOURCE)
        shown = common.VizLegendOptions().show_legend(show_legend=True)
        panel = panel.legend(shown).with_target(query(expression, legend))
        made = made.with_panel(panel.span(8).height(8))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def main() -> None:
    """Write the dashboard, or say whether it is up to date."""
    if "--check" not in sys.argv:
        PATH.write_text(board())
    elif PATH.read_text() != board():
        raise SystemExit(
            "error: persist-cli/assets/dashboard.json is not up to date; run `make gen`"
        )


if __name__ == "__main__":
    main()
