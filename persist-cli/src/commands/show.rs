//! `persist show`: what a snapshot says about itself.

use std::ffi::OsString;

use clap::Args;
use persist_core::{Metadata, Result};
use serde_json::Value;

use super::places::Place;
use crate::{Terminal, output};

/// Show what a snapshot says about itself
///
/// Reads the head of the file alone, whatever the size of the state; `persist verify` checks the rest.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist show agent.json.gz\n  persist show agent.json.gz --json | jq .agent_id"
)]
pub(crate) struct Arguments {
    /// The snapshot: a path or a URL
    path: OsString,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let metadata = Place::parse(&arguments.path)?.metadata()?;
    let mut map = metadata.to_map();
    map.insert("protection".into(), protection(&metadata).into());
    if arguments.json {
        output::json(terminal, &Value::Object(map))?;
    } else {
        let rows = map.iter().map(|(name, value)| vec![name.clone(), output::shown(value)]);
        output::line(terminal, &output::table(rows))?;
    }
    Ok(0)
}

/// What protects the metadata, in words.
pub(crate) fn protection(metadata: &Metadata) -> &'static str {
    match metadata.metadata_hash {
        Some(_) => "full",
        None => "metadata unprotected",
    }
}
