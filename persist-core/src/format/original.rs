//! Writes the shape of the original xenoscale/Persist: one gzip member, eleven metadata fields.
//!
//! The original hashes the state as it prints it: keys sorted, numbers in their shortest form. So a
//! state can be written only if printing it that way changes nothing but the order of keys.

use serde_json::{Map, Number, Value};

use super::{Snapshot, head};
use crate::compression;
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Digest;
use crate::metadata::Metadata;

/// The original's parser stops here.
const DEEPEST: usize = 127;

/// The bytes of a file that the original reads.
///
/// Fails with `Format` for a state that holds what only this release writes (tags, integers of more
/// than 64 bits), and with `LimitExceeded` for one that is nested 128 levels deep.
pub fn to_original(snapshot: &Snapshot) -> Result<Vec<u8>> {
    let state = serde_json::from_slice(&snapshot.state).map_err(|error| {
        Error::new(ErrorKind::LimitExceeded, "the original cannot read this state")
            .with_source(error)
    })?;
    let state = sorted(state, 0)?.to_string();
    let metadata = Metadata {
        content_hash: Digest::of(state.as_bytes()),
        uncompressed_size: state.len() as u64,
        compressed_size: None,
        compression_algorithm: "gzip".into(),
        state_format: None,
        block_root: None,
        metadata_hash: None,
        parent: None,
        tags: Map::new(),
        framework: Map::new(),
        adapter: None,
        persist_version: None,
        unknown: Map::new(),
        ..snapshot.metadata.clone()
    };
    let metadata = metadata.to_json();
    let parts =
        [head::OPENING, metadata.as_bytes(), head::BETWEEN, state.as_bytes(), head::CLOSING];
    compression::gzip_whole(&parts.concat())
}

/// The value with its keys sorted and its numbers in their shortest form.
fn sorted(value: Value, depth: usize) -> Result<Value> {
    if depth > DEEPEST {
        let message = "the original cannot read a state that is nested this deep";
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    let below = depth.saturating_add(1);
    match value {
        Value::Object(map) => sorted_object(map, below),
        Value::Array(items) => {
            let items = items.into_iter().map(|item| sorted(item, below)).collect::<Result<_>>()?;
            Ok(Value::Array(items))
        }
        Value::Number(number) => shortest(&number).map(Value::Number),
        other => Ok(other),
    }
}

fn sorted_object(map: Map<String, Value>, depth: usize) -> Result<Value> {
    if map.contains_key("$persist") {
        let message = "the state holds values that the original has no words for";
        return Err(Error::new(ErrorKind::Format, message).with_hint(
            "only plain JSON and LangChain's own objects can be written for the original",
        ));
    }
    let mut members: Vec<_> = map.into_iter().collect();
    members.sort_by(|one, other| one.0.cmp(&other.0));
    let sort = |(key, value)| sorted(value, depth).map(|value| (key, value));
    members.into_iter().map(sort).collect::<Result<Map<_, _>>>().map(Value::Object)
}

fn shortest(number: &Number) -> Result<Number> {
    if number.is_i64() || number.is_u64() {
        return Ok(number.clone());
    }
    let is_integer = number.to_string().bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let float = number.as_f64().filter(|_| !is_integer).and_then(Number::from_f64);
    float.ok_or_else(|| {
        Error::new(ErrorKind::Format, "the state holds a number that the original would change")
    })
}
