//! `persist list`: the snapshots in a folder.

use std::ffi::OsString;

use clap::Args;
use persist_core::{Metadata, Result, snapshot};
use serde_json::{Map, Value};

use super::places::{Place, read_options};
use crate::{Terminal, exit_code, output};

const COLUMNS: [&str; 5] =
    ["agent_id", "session_id", "snapshot_index", "timestamp", "uncompressed_size"];

/// List the snapshots in a folder and the folders below it
///
/// A file that is no valid snapshot is named on the error output; the exit code is then that of its
/// error.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist list\n  persist list snapshots --agent support_bot\n  persist list snapshots --json | jq -r '.[].path'"
)]
pub(crate) struct Arguments {
    /// The folder or file: a path or a URL
    #[arg(default_value = ".")]
    path: OsString,
    /// Only the snapshots of this agent
    #[arg(long)]
    agent: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// So many files are asked for their metadata before their rows are kept.
const AT_ONCE: usize = 1000;

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let place = Place::parse(&arguments.path)?;
    let mut listed = place.listed()?.peekable();
    let (mut rows, mut code) = (Vec::new(), 0);
    while listed.peek().is_some() {
        let places = listed.by_ref().take(AT_ONCE).collect::<Result<Vec<_>>>()?;
        for (place, metadata) in places.iter().zip(metadata_of(&places)) {
            match metadata {
                Ok(metadata) if is_wanted(&metadata, arguments) => rows.push(row(place, &metadata)),
                Ok(_) => {}
                Err(error) => {
                    output::report(terminal, &error);
                    code = exit_code(error.kind());
                }
            }
        }
    }
    show(&rows, arguments, terminal)?;
    Ok(code)
}

/// The metadata of each of these snapshots, which are in one store.
fn metadata_of(places: &[Place]) -> Vec<Result<Metadata>> {
    let keys: Vec<_> = places.iter().map(|place| place.key.clone()).collect();
    let storage = places.first().map(|place| &*place.storage);
    storage.map_or_else(Vec::new, |storage| {
        snapshot::read_metadata_of_all(storage, &keys, &read_options())
    })
}

fn is_wanted(metadata: &Metadata, arguments: &Arguments) -> bool {
    arguments.agent.as_deref().is_none_or(|agent| agent == metadata.agent_id.as_str())
}

fn row(place: &Place, metadata: &Metadata) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("path".into(), place.name().into());
    row.extend(metadata.to_map());
    row
}

fn show(
    rows: &[Map<String, Value>],
    arguments: &Arguments,
    terminal: &mut Terminal<'_>,
) -> Result<()> {
    if arguments.json {
        let rows = rows.iter().cloned().map(Value::Object).collect();
        return output::json(terminal, &Value::Array(rows));
    }
    let header = ["PATH", "AGENT", "SESSION", "INDEX", "TIME", "BYTES"].map(str::to_owned).to_vec();
    let cells = |row: &Map<_, _>| {
        let columns = COLUMNS.iter().map(|name| output::field(row, name));
        std::iter::once(output::field(row, "path")).chain(columns).collect()
    };
    output::line(terminal, &output::table(std::iter::once(header).chain(rows.iter().map(cells))))
}
