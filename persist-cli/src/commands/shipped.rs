//! `persist alerts` and `persist dashboards`: files for an operator's other tools.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use persist_core::Result;

use super::export::write_file;
use super::stores::Stores;
use crate::{Terminal, output_failed};

pub(crate) const ALERTS: &str = include_str!("../../assets/alerts.yml");
pub(crate) const DASHBOARD: &str = include_str!("../../assets/dashboard.json");

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write the file
    Export(Target),
}

#[derive(Debug, Args)]
struct Target {
    /// Write to this file; without it, to the output
    #[arg(short, long)]
    output: Option<OsString>,
    /// Replace a file that is there
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    stores: Stores,
}

/// Writes this text where the arguments say.
pub(crate) fn run(text: &str, arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let Action::Export(target) = &arguments.action;
    match &target.output {
        Some(path) => write_file(&target.stores.open(path)?, text.as_bytes(), target.force)?,
        None => terminal.output.write_all(text.as_bytes()).map_err(output_failed)?,
    }
    Ok(0)
}
