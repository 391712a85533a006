//! `persist verify`: every byte of snapshots, checked.

use std::ffi::OsString;

use clap::Args;
use persist_core::{Error, Result, Verified, snapshot};
use serde_json::{Value, json};

use super::places::{Place, read_options};
use super::show::protection;
use super::stores::Stores;
use crate::{Terminal, exit_code, output};

/// Check every byte of snapshots
///
/// Nothing is built. The exit code is 0 when all are valid, else that of the first that is not: 3 when
/// it was changed, 4 when it is no snapshot or beyond the limits.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist verify agent.json.gz\n  persist verify snapshots --json"
)]
pub(crate) struct Arguments {
    /// Files or folders: paths or URLs
    #[arg(required = true)]
    paths: Vec<OsString>,
    /// Write JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stores: Stores,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let mut places = Vec::new();
    for place in arguments.stores.open_all(&arguments.paths)? {
        places.extend(place.files()?);
    }
    let bar = output::progress(places.len(), terminal);
    let (mut rows, mut code) = (Vec::new(), 0);
    for place in &places {
        let checked = snapshot::verify(&*place.storage, &place.key, &read_options());
        code = match &checked {
            Err(error) if code == 0 => exit_code(error.kind()),
            _ => code,
        };
        bar.inc(1);
        if arguments.json {
            rows.push(as_json(place, &checked));
        } else {
            let verdict = output::verdict(checked.is_ok(), terminal);
            let line = format!("{verdict} {}", as_words(place, &checked));
            bar.suspend(|| output::line(terminal, &line))?;
        }
    }
    bar.finish_and_clear();
    if arguments.json {
        output::json(terminal, &Value::Array(rows))?;
    }
    Ok(code)
}

fn as_words(place: &Place, checked: &Result<Verified>) -> String {
    let name = output::printable(&place.name());
    match checked {
        Ok(verified) => match protection(&verified.metadata) {
            "full" => name,
            words => format!("{name} ({words})"),
        },
        Err(error) => format!("{name}: {}", output::printable(&without_place(place, error))),
    }
}

/// The message of the error, whose place stands on the line already.
fn without_place(place: &Place, error: &Error) -> String {
    let text = error.to_string();
    let store = error.failed().map(|failed| format!(" from {}", failed.store));
    let place = format!("{}{}: ", place.key, store.unwrap_or_default());
    text.strip_prefix(&place).map_or(text.clone(), str::to_owned)
}

fn as_json(place: &Place, checked: &Result<Verified>) -> Value {
    match checked {
        Ok(verified) => json!({
            "path": place.name(),
            "valid": true,
            "protection": protection(&verified.metadata),
        }),
        Err(error) => json!({
            "path": place.name(),
            "valid": false,
            "kind": error.kind().code(),
            "error": without_place(place, error),
        }),
    }
}
