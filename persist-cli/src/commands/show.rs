//! `persist show`: what a snapshot says about itself.

use std::ffi::OsString;

use clap::Args;
use persist_core::{Metadata, Result};
use serde_json::{Map, Value};

use super::places::Place;
use super::stores::Stores;
use crate::{Terminal, exit_code, output};

/// Show what snapshots say about themselves
///
/// Reads the head of each file alone, whatever the size of the state; `persist verify` checks the rest.
/// The JSON is one object for a file, and an array for a folder or several paths. A file among several
/// that is no valid snapshot is named on the error output; the exit code is then that of its error.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist show agent.json.gz\n  persist show agent.json.gz --json | jq .agent_id\n  persist show snapshots"
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
    let places = arguments.stores.open_all(&arguments.paths)?;
    if let [place] = &places[..]
        && place.folder()?.is_none()
    {
        let map = described(place)?;
        let text =
            if arguments.json { format!("{:#}", Value::Object(map)) } else { as_table(&map) };
        return output::line(terminal, &text).map(|()| 0);
    }
    let (mut maps, mut code) = (Vec::new(), 0);
    for place in places {
        for file in place.files()? {
            match described(&file) {
                Ok(words) => {
                    let mut map = Map::from_iter([("path".to_owned(), file.name().into())]);
                    map.extend(words);
                    maps.push(map);
                }
                Err(error) => {
                    output::report(terminal, &error);
                    code = exit_code(error.kind());
                }
            }
        }
    }
    if arguments.json {
        output::json(terminal, &maps.into_iter().map(Value::Object).collect())?;
    } else {
        let tables: Vec<_> = maps.iter().map(as_table).collect();
        output::line(terminal, &tables.join("\n\n"))?;
    }
    Ok(code)
}

fn described(place: &Place) -> Result<Map<String, Value>> {
    let metadata = place.metadata()?;
    let mut map = metadata.to_map();
    map.insert("protection".into(), protection(&metadata).into());
    Ok(map)
}

fn as_table(map: &Map<String, Value>) -> String {
    output::table(map.iter().map(|(name, value)| vec![name.clone(), output::shown(value)]))
}

/// What protects the metadata, in words.
pub(crate) fn protection(metadata: &Metadata) -> &'static str {
    match metadata.metadata_hash {
        Some(_) => "full",
        None => "metadata unprotected",
    }
}
