"""Makes the Grafana dashboard; with --check, says whether it is up to date."""

import sys
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableOption, VariableRefresh

PATH = Path(__file__).parent.parent / "persist-cli/assets/dashboard.json"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
WINDOW = "$__rate_interval"


def of(metric: str) -> str:
    """The series of the chosen jobs and instances."""
    return f'{metric}{{job=~"$job", instance=~"$instance"}}'


def quantile(metric: str, share: float, *labels: str) -> str:
    """The query for a quantile of a histogram."""
    by = ", ".join(("le", *labels))
    return f"histogram_quantile({share}, sum by ({by}) (rate({of(f'{metric}_bucket')}[{WINDOW}])))"


def rate(metric: str, *labels: str) -> str:
    """The query for what is counted in a second."""
    return f"sum by ({', '.join(labels)}) (rate({of(metric)}[{WINDOW}]))"


def or_none(metric: str) -> str:
    """The query for what is counted in a second, which is nothing where it never happened."""
    return f"{rate(metric, 'backend')} or {rate('persist_storage_requests_total', 'backend')} * 0"


def share_of_hits() -> str:
    """The query for how often a cache had what was asked for."""
    hits, misses = (rate(f"persist_cache_{name}_total", "cache") for name in ("hits", "misses"))
    return f"{hits} / clamp_min({hits} + {misses}, 1e-9)"


def in_an_hour(metric: str) -> str:
    """The query for what was counted in the last hour."""
    return f"sum(increase({of(metric)}[1h]))"


LAST = of("persist_snapshot_last_success_timestamp_seconds")
FREE, SIZE = of("persist_storage_free_bytes"), of("persist_storage_size_bytes")
STATS = [
    ("Snapshots in the last hour", in_an_hour("persist_snapshot_attempts_total"), "short"),
    ("Failures in the last hour", in_an_hour("persist_snapshot_failures_total"), "short"),
    ("Oldest last snapshot", f"time() - min({LAST})", "s"),
    ("Least room on a disk", f"min({FREE} / {SIZE})", "percentunit"),
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
    ("Failed requests to stores", or_none("persist_storage_errors_total"), "{{backend}}", "ops"),
    ("Requests sent again", or_none("persist_storage_retries_total"), "{{backend}}", "ops"),
    ("Share of cache hits", share_of_hits(), "{{cache}}", "percentunit"),
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


def choice(label: str) -> dashboard.QueryVariable:
    """A variable for the values of a label; all of them at first."""
    return (
        dashboard.QueryVariable(label)
        .query(f"label_values(persist_snapshot_attempts_total, {label})")
        .datasource(SOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(VariableOption(text="All", value="$__all"))
    )


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
        .with_variable(choice("job"))
        .with_variable(choice("instance"))
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
