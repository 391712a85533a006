//! `persist convert`: the same snapshot with another algorithm, or in the original's shape.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use persist_core::{Result, SaveOptions, Snapshot, format, snapshot};

use super::export::write_file;
use super::places::{Place, each};
use super::stores::{Stores, Target};
use crate::Terminal;

/// Write snapshots again with another algorithm, or in the original's shape
///
/// Ids, times, tags and the state's bytes stay; hashes and sizes are made anew. With --to original,
/// the file is one that the original xenoscale/Persist reads: that works for plain JSON and
/// LangChain's own objects alone. A folder is written to another folder, as gzip unless --compression
/// says otherwise; what cannot be converted is named, and the rest is written.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist convert agent.json.gz agent.json.zst\n  persist convert agent.json.gz small.json.zst --level 19\n  persist convert agent.json.gz old.json.gz --to original\n  persist convert snapshots packed --compression zstd"
)]
pub(crate) struct Arguments {
    /// The file or folder: a path or a URL
    from: OsString,
    /// The new file or folder
    to_path: OsString,
    /// The algorithm: gzip, zstd or none; without it, the one that the new name ends in
    #[arg(long)]
    compression: Option<String>,
    /// How hard to compress: 1 to 12 for gzip, 1 to 19 for zstd
    #[arg(long)]
    level: Option<u8>,
    /// The shape of the new file
    #[arg(long, conflicts_with_all = ["compression", "level"])]
    to: Option<Shape>,
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

/// A shape other than this release's own.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    /// What the original xenoscale/Persist writes
    Original,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let (from, to) =
        arguments.stores.open_both(&arguments.from, &arguments.to_path, &arguments.target)?;
    let made = each(&from, &to, Some(ending(arguments)), terminal, |from, to| {
        let loaded = from.load()?;
        match arguments.to {
            Some(Shape::Original) => {
                write_file(to, &format::to_original(&loaded)?, arguments.force)
            }
            None => write_again(&loaded, to, arguments),
        }
    })?;
    made.tell(arguments.json, terminal)
}

/// How the names in a new folder end.
fn ending(arguments: &Arguments) -> &'static str {
    match arguments.compression.as_deref() {
        Some("zstd") => ".json.zst",
        Some("none") => ".json",
        _ => ".json.gz",
    }
}

fn write_again(loaded: &Snapshot, to: &Place, arguments: &Arguments) -> Result<()> {
    let mut options = SaveOptions::again(&loaded.metadata);
    options.compression.clone_from(&arguments.compression);
    options.level = arguments.level;
    options.overwrite = arguments.force;
    snapshot::save(&*to.storage, &to.key, &loaded.state, &[], &options).map(drop)
}
