//! The snapshots below a prefix, fetched a little ahead of those who ask for them.

use std::mem;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use persist_core::{CancelToken, ObjectInfo};
use persist_telemetry::traces;
use pyo3::prelude::*;

use crate::error::Failure;
use crate::place::{Place, died, watched};
use crate::telemetry::{Ongoing, hand_over_records};

type Result<T> = std::result::Result<T, Failure>;

/// URL or path, size in bytes, time of writing, and tag.
type Row = (String, u64, Option<String>, Option<String>);

/// So many objects are held at once.
const AHEAD: usize = 1000;

/// A listing that goes on; it holds no more than a page.
#[pyclass(frozen)]
pub(crate) struct Listing {
    rows: Mutex<Receiver<persist_core::Result<Row>>>,
    cancel: CancelToken,
    ongoing: Mutex<Ongoing>,
}

#[pymethods]
impl Listing {
    /// Returns the next objects, at most this many; none when all were listed.
    fn take(&self, py: Python<'_>, most: usize) -> Result<Vec<Row>> {
        let taken = py.detach(|| watched(&self.cancel, || self.next_rows(most)));
        hand_over_records(py)?;
        if taken.as_ref().map_or(true, Vec::is_empty) {
            let mut ongoing = self.ongoing.lock().unwrap_or_else(PoisonError::into_inner);
            let mut ended = mem::take(&mut *ongoing);
            drop(ongoing);
            ended.end(py)?;
        }
        taken
    }
}

impl Listing {
    fn next_rows(&self, most: usize) -> Result<Vec<Row>> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        // The sender is gone when all was listed.
        if let Ok(row) = rows.recv() {
            taken.push(row?);
        }
        while taken.len() < most && !taken.is_empty() {
            match rows.try_recv() {
                Ok(row) => taken.push(row?),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        Ok(taken)
    }
}

/// Nobody asks any more: the thread that lists ends at its next page.
impl Drop for Listing {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Lists the objects below a prefix.
#[pyfunction]
pub(crate) fn list_objects(py: Python<'_>, place: Place) -> Result<Listing> {
    let target = place.open()?;
    let mut ongoing = Ongoing::default();
    let above = ongoing.observed(py, || Ok(traces::current()))?;
    let cancel = target.cancel().clone();
    let (sender, rows) = sync_channel(AHEAD);
    let list = move || {
        let _inside = above.attach();
        let row = |found: ObjectInfo| {
            let place = target.location.with_key(found.key).to_string();
            let modified = found.modified.map(|time| time.to_string());
            (place, found.size, modified, found.e_tag.map(|tag| tag.as_str().to_owned()))
        };
        let listed = match target.storage.list(target.key()) {
            Ok(listed) => listed,
            Err(error) => return drop(sender.send(Err(error))),
        };
        for found in listed {
            if sender.send(found.map(row)).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("persist-list".into()).spawn(list).map_err(|_| died())?;
    Ok(Listing { rows: Mutex::new(rows), cancel, ongoing: Mutex::new(ongoing) })
}
