//! `persist diff`: what changed between two snapshots.

use std::ffi::OsString;

use clap::Args;
use persist_core::{Error, ErrorKind, Result, Snapshot};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::stores::Stores;
use crate::{Terminal, output};

/// Longer values are cut where a person reads them.
const SHOWN: usize = 100;

/// Show what changed between two snapshots
///
/// Compares metadata and state, path by path; numbers are compared as they are written. The exit code
/// is 0 whether there are differences or not.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist diff before.json.gz after.json.gz\n  persist diff before.json.gz after.json.gz --json | jq '.[].path'"
)]
pub(crate) struct Arguments {
    /// The earlier snapshot: a path or a URL
    before: OsString,
    /// The later one
    after: OsString,
    /// Write JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stores: Stores,
}

/// One place where the snapshots differ; `None` is absent.
struct Change<'a> {
    path: String,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let (before, after) = arguments.stores.open_two(&arguments.before, &arguments.after)?;
    let (before, after) = (document(&before.load()?)?, document(&after.load()?)?);
    let mut changes = Vec::new();
    compare(String::new(), Some(&before), Some(&after), &mut changes);
    if arguments.json {
        output::json(terminal, &changes.iter().map(as_json).collect())?;
    } else {
        for change in &changes {
            output::line(terminal, &as_line(change))?;
        }
    }
    Ok(0)
}

fn document(snapshot: &Snapshot) -> Result<Value> {
    let mut reader = serde_json::Deserializer::from_slice(&snapshot.state);
    // The core has checked the depth.
    reader.disable_recursion_limit();
    let state = Value::deserialize(&mut reader).map_err(|error| {
        Error::new(ErrorKind::Format, "the state is not JSON").with_source(error)
    })?;
    let mut document = Map::new();
    document.insert("metadata".into(), Value::Object(snapshot.metadata.to_map()));
    document.insert("agent_state".into(), state);
    Ok(Value::Object(document))
}

fn compare<'a>(
    path: String,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
    changes: &mut Vec<Change<'a>>,
) {
    match (before, after) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let added = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(added) {
                compare(member(&path, key), one.get(key), other.get(key), changes);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for index in 0..one.len().max(other.len()) {
                compare(format!("{path}[{index}]"), one.get(index), other.get(index), changes);
            }
        }
        _ if before == after => {}
        _ => changes.push(Change { path, before, after }),
    }
}

/// The path of a member, as jq takes it.
fn member(path: &str, key: &str) -> String {
    let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !key.starts_with(|c: char| c.is_ascii_digit())
        && !key.is_empty();
    if is_plain { format!("{path}.{key}") } else { format!("{path}[{}]", json!(key)) }
}

fn as_line(change: &Change<'_>) -> String {
    let path = output::printable(&change.path);
    match (change.before, change.after) {
        (None, Some(after)) => format!("+ {path} = {}", cut(after)),
        (Some(before), None) => format!("- {path} = {}", cut(before)),
        (before, after) => {
            let shown = |value: Option<&Value>| value.map(cut).unwrap_or_default();
            format!("~ {path}: {} -> {}", shown(before), shown(after))
        }
    }
}

fn cut(value: &Value) -> String {
    let text = output::printable(&value.to_string());
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn as_json(change: &Change<'_>) -> Value {
    let mut row = Map::new();
    row.insert("path".into(), change.path.clone().into());
    row.extend(change.before.map(|value| ("before".to_owned(), value.clone())));
    row.extend(change.after.map(|value| ("after".to_owned(), value.clone())));
    Value::Object(row)
}
