//! `persist convert`: the same snapshot with another algorithm, or in the original's shape.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use persist_core::{Result, SaveOptions, Snapshot, format, snapshot};

use super::export::write_file;
use super::places::Place;
use crate::{Terminal, output};

/// Write a snapshot again with another algorithm, or in the original's shape
///
/// Ids, times, tags and the state's bytes stay; hashes and sizes are made anew. With --to original,
/// the file is one that the original xenoscale/Persist reads: that works for plain JSON and
/// LangChain's own objects alone.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist convert agent.json.gz agent.json.zst\n  persist convert agent.json.gz small.json.zst --level 19\n  persist convert agent.json.gz old.json.gz --to original"
)]
pub(crate) struct Arguments {
    /// The snapshot: a path or a URL
    from: OsString,
    /// The new file, which must not exist
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
    /// Replace the file that is there
    #[arg(long)]
    force: bool,
}

/// A shape other than this release's own.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    /// What the original xenoscale/Persist writes
    Original,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let loaded = Place::parse(&arguments.from)?.load()?;
    match arguments.to {
        Some(Shape::Original) => {
            write_file(&arguments.to_path, &format::to_original(&loaded)?, arguments.force)?;
        }
        None => write_again(&loaded, arguments)?,
    }
    let name = Place::parse(&arguments.to_path)?.name();
    output::note(terminal, &format!("wrote {}", output::printable(&name)));
    Ok(0)
}

fn write_again(loaded: &Snapshot, arguments: &Arguments) -> Result<()> {
    let mut options = SaveOptions::again(&loaded.metadata);
    options.compression.clone_from(&arguments.compression);
    options.level = arguments.level;
    options.overwrite = arguments.force;
    let place = Place::parse(&arguments.to_path)?;
    snapshot::save(&*place.storage, &place.key, &loaded.state, &[], &options).map(drop)
}
