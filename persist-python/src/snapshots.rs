//! What one does with a snapshot: save, load, read its metadata, verify, delete.

use std::ffi::OsString;

use jiff::Timestamp;
use persist_core::{
    AgentId, Error, ErrorKind, Limits, Location, ReadOptions, SaveOptions, SessionId, Verified,
    snapshot,
};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use serde_json::{Map, Value};

use crate::build::Builder;
use crate::error::Failure;
use crate::telemetry::observed;

type Result<T> = std::result::Result<T, Failure>;

/// Metadata as JSON, the state, and whether that is still a tree.
type Loaded<'py> = (String, Bound<'py, PyAny>, bool);

/// What the caller says of a snapshot, as Python hands it over.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    agent_id: String,
    session_id: String,
    snapshot_index: u64,
    timestamp: String,
    description: Option<String>,
    parent: Option<String>,
    tags: Vec<(String, String)>,
    framework: Vec<(String, String)>,
    adapter: Option<String>,
    compression: Option<String>,
    level: Option<u8>,
    overwrite: bool,
    durable: bool,
}

impl Options {
    fn parse(self) -> Result<SaveOptions> {
        let timestamp = self.timestamp.parse::<Timestamp>().map_err(|error| {
            Error::new(ErrorKind::Configuration, format!("bad timestamp: {error}"))
        })?;
        let mut options = SaveOptions::at(timestamp);
        options.agent_id = AgentId::new(self.agent_id)?;
        options.session_id = SessionId::new(self.session_id)?;
        options.snapshot_index = self.snapshot_index;
        options.description = self.description;
        options.parent = self.parent.map(|parent| parent.parse()).transpose()?;
        options.tags = map_of(self.tags);
        options.framework = map_of(self.framework);
        options.adapter = self.adapter;
        options.compression = self.compression;
        options.level = self.level;
        options.overwrite = self.overwrite;
        options.durable = self.durable;
        Ok(options)
    }
}

fn map_of(pairs: Vec<(String, String)>) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

fn limits() -> ReadOptions {
    Limits::DEFAULT.into()
}

fn json_of(metadata: &persist_core::Metadata) -> String {
    Value::Object(metadata.to_map()).to_string()
}

/// Saves a state and returns the metadata as JSON.
#[pyfunction]
pub(crate) fn save(
    py: Python<'_>,
    state: PyBackedBytes,
    marks: Vec<usize>,
    location: OsString,
    options: Options,
) -> Result<String> {
    observed(py, || {
        py.detach(|| {
            let location = Location::parse(location)?;
            let storage = location.storage()?;
            let options = options.parse()?;
            let metadata = snapshot::save(&*storage, location.key(), &state, &marks, &options)?;
            Ok(json_of(&metadata))
        })
    })
}

/// Loads a snapshot: its metadata as JSON, its state, and whether that is still a tree.
#[pyfunction]
pub(crate) fn load(py: Python<'_>, location: OsString, reads_tags: bool) -> Result<Loaded<'_>> {
    let location = Location::parse(location)?;
    let storage = location.storage()?;
    let mut builder = Builder::new(py, reads_tags);
    let verified =
        observed(py, || snapshot::read(&*storage, location.key(), &limits(), &mut builder))?;
    loaded(&verified, builder)
}

/// Returns the metadata as JSON, from one small read.
#[pyfunction]
pub(crate) fn read_metadata(py: Python<'_>, location: OsString) -> Result<String> {
    observed(py, || {
        py.detach(|| {
            let location = Location::parse(location)?;
            let metadata =
                snapshot::read_metadata(&*location.storage()?, location.key(), &limits())?;
            Ok(json_of(&metadata))
        })
    })
}

/// Checks all of a snapshot; returns whether its metadata is protected as well.
#[pyfunction]
pub(crate) fn verify(py: Python<'_>, location: OsString) -> Result<bool> {
    observed(py, || {
        py.detach(|| {
            let location = Location::parse(location)?;
            let verified = snapshot::verify(&*location.storage()?, location.key(), &limits())?;
            Ok(verified.protection == persist_core::Protection::Full)
        })
    })
}

/// Returns whether there is a snapshot at this place.
#[pyfunction]
pub(crate) fn exists(py: Python<'_>, location: OsString) -> Result<bool> {
    observed(py, || {
        py.detach(|| {
            let location = Location::parse(location)?;
            Ok(location.storage()?.exists(location.key())?)
        })
    })
}

/// Deletes a snapshot.
#[pyfunction]
pub(crate) fn delete(py: Python<'_>, location: OsString) -> Result<()> {
    observed(py, || {
        py.detach(|| {
            let location = Location::parse(location)?;
            Ok(snapshot::delete(&*location.storage()?, location.key())?)
        })
    })
}

/// Writes a snapshot into memory and returns its bytes.
#[pyfunction]
pub(crate) fn encode(
    py: Python<'_>,
    state: PyBackedBytes,
    marks: Vec<usize>,
    options: Options,
) -> Result<Bound<'_, PyBytes>> {
    let bytes = observed(py, || {
        py.detach(|| -> Result<_> { Ok(snapshot::encode(&state, &marks, &options.parse()?)?) })
    })?;
    Ok(PyBytes::new(py, &bytes))
}

/// Reads a snapshot from memory, as `load` does.
#[pyfunction]
pub(crate) fn decode(py: Python<'_>, bytes: PyBackedBytes, reads_tags: bool) -> Result<Loaded<'_>> {
    let mut builder = Builder::new(py, reads_tags);
    let verified = observed(py, || snapshot::read_bytes(&bytes, &limits(), &mut builder))?;
    loaded(&verified, builder)
}

fn loaded<'py>(verified: &Verified, builder: Builder<'py>) -> Result<Loaded<'py>> {
    let built = builder.finish()?;
    Ok((json_of(&verified.metadata), built.value, built.is_tree))
}
