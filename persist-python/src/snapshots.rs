//! What one does with a snapshot: save, load, read its metadata, verify, delete.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use persist_core::{
    AgentId, ETag, Error, ErrorKind, Limits, PutOptions, ReadOptions, SaveOptions, SessionId,
    Verified, snapshot,
};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use serde_json::{Map, Value};

use crate::build::Builder;
use crate::error::Failure;
use crate::metadata::{self, Described, described};
use crate::place::{Place, Target};
use crate::telemetry::observed;
use crate::walk::{self, Stop, Stream, Wishes};

type Result<T> = std::result::Result<T, Failure>;

/// The dict of the metadata, the state, and whether that is still a tree.
type Loaded<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, bool);

/// What the caller says of a snapshot, as Python hands it over.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    agent_id: String,
    session_id: String,
    snapshot_index: u64,
    /// Nanoseconds since 1970.
    timestamp: i128,
    description: Option<String>,
    parent: Option<String>,
    tags: Vec<(String, String)>,
    framework: Vec<(String, String)>,
    adapter: Option<String>,
    compression: Option<String>,
    level: Option<u8>,
    overwrite: bool,
    if_match: Option<String>,
    durable: bool,
}

impl Options {
    fn parse(self) -> Result<SaveOptions> {
        let timestamp = Timestamp::from_nanosecond(self.timestamp).map_err(|error| {
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
        options.if_match = self.if_match.map(ETag::new);
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

/// Saves a state and returns the metadata, and the tag of the object.
#[pyfunction]
pub(crate) fn save(
    py: Python<'_>,
    state: PyBackedBytes,
    marks: Vec<usize>,
    place: Place,
    options: Options,
) -> Result<Described<'_>> {
    let saved = place.open()?.wait(py, |at| {
        let options = options.parse()?;
        Ok(snapshot::save_version(&*at.storage, at.key(), &state, &marks, &options)?)
    })?;
    Ok(described(py, &saved)?)
}

/// A snapshot whose state is written; leaving it saves nothing.
#[pyclass(frozen)]
pub(crate) struct Saving(Mutex<Option<walk::Saving>>);

#[pymethods]
impl Saving {
    /// Saves what is left; returns the metadata, and the tag of the object.
    fn finish<'py>(&self, py: Python<'py>) -> Result<Described<'py>> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(saving) = taken else {
            return Err(Error::new(ErrorKind::Configuration, "it is saved already").into());
        };
        Ok(described(py, &saving.finish(py)?)?)
    }
}

/// Writes a value as it is walked, and begins to save it; `None` where the codec in Python has to
/// write it.
#[pyfunction]
pub(crate) fn begin(
    value: &Bound<'_, PyAny>,
    wishes: Wishes<'_>,
    place: Place,
    options: Options,
) -> Result<Option<Saving>> {
    let stream = Stream::new(place.open()?, options.parse()?);
    match walk::begin(value, &wishes, stream) {
        Ok(saving) => Ok(Some(Saving(Mutex::new(Some(saving))))),
        Err(Stop::Leave) => Ok(None),
        Err(stop) => Err(stop.into()),
    }
}

/// Loads a snapshot: its metadata, its state, and whether that is still a tree.
#[pyfunction]
pub(crate) fn load(py: Python<'_>, place: Place, reads_tags: bool) -> Result<Loaded<'_>> {
    let target = place.open()?;
    if target.location.is_local() {
        return observed(py, || read_from(py, &target, reads_tags));
    }
    let (metadata, value, is_tree) = target.wait(py, |at| {
        Python::attach(|py| {
            let (metadata, value, is_tree) = read_from(py, at, reads_tags)?;
            Ok((metadata.unbind(), value.unbind(), is_tree))
        })
    })?;
    Ok((metadata.into_bound(py), value.into_bound(py), is_tree))
}

fn read_from<'py>(py: Python<'py>, at: &Target, reads_tags: bool) -> Result<Loaded<'py>> {
    let mut builder = Builder::new(py, reads_tags);
    let verified = snapshot::read(&*at.storage, at.key(), &limits(), &mut builder)?;
    loaded(py, &verified, builder)
}

/// Returns the metadata, from one small read, and the tag of the object.
#[pyfunction]
pub(crate) fn read_metadata(py: Python<'_>, place: Place) -> Result<Described<'_>> {
    let target = place.open()?;
    let read =
        target.wait(py, |at| Ok(snapshot::read_version(&*at.storage, at.key(), &limits())?))?;
    Ok(described(py, &read)?)
}

/// Checks all of a snapshot; returns whether its metadata is protected as well.
#[pyfunction]
pub(crate) fn verify(py: Python<'_>, place: Place) -> Result<bool> {
    place.open()?.wait(py, |at| {
        let verified = snapshot::verify(&*at.storage, at.key(), &limits())?;
        Ok(verified.protection == persist_core::Protection::Full)
    })
}

/// Returns whether there is a snapshot at this place.
#[pyfunction]
pub(crate) fn exists(py: Python<'_>, place: Place) -> Result<bool> {
    place.open()?.wait(py, |at| Ok(at.storage.exists(at.key())?))
}

/// Deletes a snapshot.
#[pyfunction]
pub(crate) fn delete(py: Python<'_>, place: Place) -> Result<()> {
    place.open()?.wait(py, |at| Ok(snapshot::delete(&*at.storage, at.key())?))
}

/// Checks a snapshot and copies it; returns its metadata, and the tag of the copy.
#[pyfunction]
pub(crate) fn copy(
    py: Python<'_>,
    source: Place,
    target: Place,
    overwrite: bool,
    if_match: Option<String>,
) -> Result<Described<'_>> {
    let (source, target) = (source.open()?, target.open()?);
    let mut options = PutOptions { overwrite, ..PutOptions::default() };
    options.if_match = if_match.map(ETag::new);
    let waits_for = if target.location.is_local() { &source } else { &target };
    let copied = waits_for.wait(py, |_| {
        let from = (&*source.storage, source.key());
        let to = (&*target.storage, target.key());
        Ok(snapshot::copy(from, to, &options, &limits())?)
    })?;
    Ok(described(py, &copied)?)
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
    let verified = observed(py, || Ok(snapshot::read_bytes(&bytes, &limits(), &mut builder)?))?;
    loaded(py, &verified, builder)
}

fn loaded<'py>(py: Python<'py>, verified: &Verified, builder: Builder<'py>) -> Result<Loaded<'py>> {
    let built = builder.finish()?;
    Ok((metadata::members(py, &verified.metadata)?, built.value, built.is_tree))
}
