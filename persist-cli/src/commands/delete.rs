//! `persist delete`: snapshots, gone.

use std::ffi::OsString;

use clap::Args;
use persist_core::{Error, ErrorKind, Result, snapshot};

use super::places::Place;
use super::stores::Stores;
use crate::{Terminal, output, output_failed};

/// Delete snapshots
///
/// Asks first; where nobody can be asked, --yes is needed. What is missing is an error, and then
/// nothing is deleted.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist delete old.json.gz\n  persist delete --yes old.json.gz older.json.gz\n  persist delete --recursive sessions/42"
)]
pub(crate) struct Arguments {
    /// The snapshots: paths or URLs
    #[arg(required = true)]
    paths: Vec<OsString>,
    /// Delete the snapshots in these folders and below; other files stay
    #[arg(short, long)]
    recursive: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stores: Stores,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let mut places = arguments.stores.open_all(&arguments.paths)?;
    if arguments.recursive {
        let files = places.iter().map(Place::files).collect::<Result<Vec<_>>>()?;
        places = files.concat();
    }
    for place in &places {
        place.storage.stat(&place.key)?;
    }
    if !arguments.yes && !is_confirmed(&places, terminal)? {
        output::note(terminal, "nothing was deleted");
        return Ok(2);
    }
    for place in &places {
        snapshot::delete(&*place.storage, &place.key)?;
        if !arguments.json {
            output::line(terminal, &format!("deleted {}", output::printable(&place.name())))?;
        }
    }
    if arguments.json {
        let names = places.iter().map(|place| place.name().into()).collect();
        output::json(terminal, &serde_json::Value::Array(names))?;
    }
    Ok(0)
}

fn is_confirmed(places: &[Place], terminal: &mut Terminal<'_>) -> Result<bool> {
    if !terminal.is_interactive {
        let message = "cannot ask whether to delete: this is not a terminal";
        return Err(Error::new(ErrorKind::Configuration, message).with_hint("pass --yes"));
    }
    let names: Vec<_> = places.iter().map(|place| output::printable(&place.name())).collect();
    write!(terminal.errors, "delete {}? [y/N] ", names.join(", ")).map_err(output_failed)?;
    terminal.errors.flush().map_err(output_failed)?;
    let mut answer = String::new();
    terminal.input.read_line(&mut answer).map_err(output_failed)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
