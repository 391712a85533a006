//! `persist list`: the snapshots in a folder.

use std::ffi::OsString;

use clap::Args;
use persist_core::{Metadata, Result, snapshot};
use serde_json::{Map, Value};

use super::places::{Place, read_options};
use super::stores::Stores;
use crate::output::JsonList;
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
    #[command(flatten)]
    stores: Stores,
}

/// So many files are asked for their metadata before their rows are shown, and forgotten.
const AT_ONCE: usize = 1000;

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let place = arguments.stores.open(&arguments.path)?;
    let mut listed = place.listed()?.peekable();
    let mut shown = if arguments.json { Shown::json() } else { Shown::table() };
    let mut code = 0;
    while listed.peek().is_some() {
        let places = listed.by_ref().take(AT_ONCE).collect::<Result<Vec<_>>>()?;
        let mut rows = Vec::new();
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
        shown.push(rows, terminal)?;
    }
    shown.end(terminal)?;
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

/// A listing that is shown while it goes on.
enum Shown {
    Json(JsonList),
    /// The columns of each of its parts are as wide as that part needs.
    Table {
        has_header: bool,
    },
}

impl Shown {
    fn json() -> Self {
        Self::Json(JsonList::default())
    }

    fn table() -> Self {
        Self::Table { has_header: false }
    }

    fn push(&mut self, rows: Vec<Map<String, Value>>, terminal: &mut Terminal<'_>) -> Result<()> {
        match self {
            Self::Json(list) => {
                rows.into_iter().try_for_each(|row| list.push(terminal, &Value::Object(row)))
            }
            Self::Table { has_header: true } if rows.is_empty() => Ok(()),
            Self::Table { has_header } => {
                let header = (!std::mem::replace(has_header, true)).then(header);
                let rows = header.into_iter().chain(rows.iter().map(cells));
                output::line(terminal, &output::table(rows))
            }
        }
    }

    fn end(self, terminal: &mut Terminal<'_>) -> Result<()> {
        match self {
            Self::Json(list) => list.end(terminal),
            Self::Table { .. } => Ok(()),
        }
    }
}

fn header() -> Vec<String> {
    ["PATH", "AGENT", "SESSION", "INDEX", "TIME", "BYTES"].map(str::to_owned).to_vec()
}

fn cells(row: &Map<String, Value>) -> Vec<String> {
    let columns = COLUMNS.iter().map(|name| output::field(row, name));
    std::iter::once(output::field(row, "path")).chain(columns).collect()
}
