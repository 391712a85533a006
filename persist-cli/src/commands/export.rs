//! `persist export`: a snapshot as plain JSON.

use std::ffi::OsString;

use clap::Args;
use persist_core::{PutOptions, Result, SaveOptions, Snapshot, snapshot};

use super::places::Place;
use crate::{Terminal, output_failed};

/// Write the state of a snapshot as plain JSON
///
/// The bytes of the state are written as they stand; the snapshot is checked first.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist export agent.json.gz | jq .\n  persist export agent.json.gz -o state.json\n  persist export agent.json.gz --document | jq .metadata"
)]
pub(crate) struct Arguments {
    /// The snapshot: a path or a URL
    path: OsString,
    /// Write to this file, which must not exist; without it, to the output
    #[arg(short, long)]
    output: Option<OsString>,
    /// Replace the file that is there
    #[arg(long, requires = "output")]
    force: bool,
    /// Write the whole document: metadata and state
    #[arg(long)]
    document: bool,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let snapshot = Place::parse(&arguments.path)?.load()?;
    let text = if arguments.document { document(&snapshot)? } else { snapshot.state };
    match &arguments.output {
        Some(path) => write_file(path, &text, arguments.force)?,
        None => terminal
            .output
            .write_all(&text)
            .and_then(|()| writeln!(terminal.output))
            .map_err(output_failed)?,
    }
    Ok(0)
}

/// The document, as a snapshot without compression holds it.
fn document(snapshot: &Snapshot) -> Result<Vec<u8>> {
    let mut options = SaveOptions::again(&snapshot.metadata);
    options.compression = Some("none".into());
    snapshot::encode(&snapshot.state, &[], &options)
}

/// Writes a file whole or not at all.
pub(super) fn write_file(path: &OsString, bytes: &[u8], overwrite: bool) -> Result<()> {
    let place = Place::parse(path)?;
    let options = PutOptions { overwrite, ..PutOptions::default() };
    let mut upload = place.storage.create(&place.key, &options)?;
    upload.write(bytes)?;
    upload.commit(&[])
}
