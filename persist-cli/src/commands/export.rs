//! `persist export`: a snapshot as plain JSON.

use std::ffi::OsString;

use clap::Args;
use persist_core::{Error, ErrorKind, PutOptions, Result, SaveOptions, Snapshot, snapshot};

use super::places::{Place, each};
use super::stores::{Stores, Target};
use crate::{Terminal, output_failed};

/// Write the state of snapshots as plain JSON
///
/// The bytes of the state are written as they stand; the snapshot is checked first. A folder is written
/// to another folder, under the same names; what cannot be exported is named, and the rest is written.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist export agent.json.gz | jq .\n  persist export agent.json.gz -o state.json\n  persist export agent.json.gz --document | jq .metadata\n  persist export snapshots -o states"
)]
pub(crate) struct Arguments {
    /// The file or folder: a path or a URL
    path: OsString,
    /// Write to this file or folder; without it, to the output
    #[arg(short, long)]
    output: Option<OsString>,
    /// Replace a file that is there
    #[arg(long, requires = "output")]
    force: bool,
    /// Write the whole document: metadata and state
    #[arg(long)]
    document: bool,
    #[command(flatten)]
    stores: Stores,
    #[command(flatten)]
    target: Target,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let Some(output) = &arguments.output else {
        let from = arguments.stores.open(&arguments.path)?;
        let text = text(&from, arguments).map_err(|error| or_folder(&from, error))?;
        let written = terminal.output.write_all(&text).and_then(|()| writeln!(terminal.output));
        return written.map(|()| 0).map_err(output_failed);
    };
    let (from, to) = arguments.stores.open_both(&arguments.path, output, &arguments.target)?;
    let made = each(&from, &to, Some(".json"), terminal, |from, to| {
        write_file(to, &text(from, arguments)?, arguments.force)
    })?;
    Ok(made.code)
}

/// The error of what is no file, or of a folder, which has many states.
fn or_folder(place: &Place, error: Error) -> Error {
    // A cloud's store has answered that it has no such file; one that did not answer is not asked again.
    let may_be_one = error.backend().is_none() || error.kind() == ErrorKind::NotFound;
    match may_be_one.then(|| place.folder()) {
        Some(Ok(Some(_))) => {
            let message = format!("{:?} is a folder", place.name());
            Error::new(ErrorKind::Configuration, message)
                .with_hint("add --output FOLDER, or name one snapshot")
        }
        _ => error,
    }
}

fn text(place: &Place, arguments: &Arguments) -> Result<Vec<u8>> {
    let snapshot = place.load()?;
    if arguments.document { document(&snapshot) } else { Ok(snapshot.state) }
}

/// The document, as a snapshot without compression holds it.
fn document(snapshot: &Snapshot) -> Result<Vec<u8>> {
    let mut options = SaveOptions::again(&snapshot.metadata);
    options.compression = Some("none".into());
    snapshot::encode(&snapshot.state, &[], &options)
}

/// Writes a file whole or not at all.
pub(super) fn write_file(place: &Place, bytes: &[u8], overwrite: bool) -> Result<()> {
    let options = PutOptions { overwrite, ..PutOptions::default() };
    let mut upload = place.storage.create(&place.key, &options)?;
    upload.write(bytes)?;
    upload.commit(&[]).map(drop)
}
