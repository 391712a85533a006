//! `persist copy`: the same bytes in another place or store.

use std::ffi::OsString;

use clap::Args;
use persist_core::{PutOptions, Result, snapshot};

use super::places::{each, read_options};
use super::stores::{Stores, Target};
use crate::Terminal;

/// Copy snapshots to another place or store
///
/// Every byte is checked first, and copied as it stands. A folder or prefix is copied to another, under
/// the same names; what cannot be copied is named, and the rest is copied.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist copy agent.json.gz s3://bucket/agents/agent.json.gz\n  persist copy s3://bucket/agents az://container/agents\n  persist copy gs://bucket/agents ./agents"
)]
pub(crate) struct Arguments {
    /// The file, folder or prefix: a path or a URL
    from: OsString,
    /// The new file, folder or prefix
    to: OsString,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// Write the paths of the new files as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stores: Stores,
    #[command(flatten)]
    target: Target,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let (from, to) =
        arguments.stores.open_both(&arguments.from, &arguments.to, &arguments.target)?;
    let put = PutOptions { overwrite: arguments.force, ..PutOptions::default() };
    let made = each(&from, &to, None, terminal, |from, to| {
        let (source, target) = ((&*from.storage, &from.key), (&*to.storage, &to.key));
        snapshot::copy(source, target, &put, &read_options()).map(drop)
    })?;
    made.tell(arguments.json, terminal)
}
