//! The arguments of the command, as clap takes them.

use clap::{Parser, Subcommand};

use crate::commands::{
    completions, convert, copy, delete, diff, export, health, list, shipped, show, verify, watch,
};

/// Inspect and manage snapshots of AI agents
///
/// Nothing of a snapshot is run or built: files of strangers are safe to look at.
#[derive(Debug, Parser)]
#[command(name = "persist", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show(show::Arguments),
    List(list::Arguments),
    Verify(verify::Arguments),
    Export(export::Arguments),
    Delete(delete::Arguments),
    Diff(diff::Arguments),
    Convert(convert::Arguments),
    Copy(copy::Arguments),
    Health(health::Arguments),
    Watch(watch::Arguments),
    /// The rules for Prometheus that tell when snapshots fail
    Alerts(shipped::Arguments),
    /// The dashboard for Grafana
    Dashboards(shipped::Arguments),
    Completions(completions::Arguments),
}
