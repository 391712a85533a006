//! Where a snapshot is, how its store is reached, and how one waits for it.

use std::cell::RefCell;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use persist_core::{CancelToken, Error, ErrorKind, Key, Location, Storage};
use pyo3::prelude::*;

use crate::error::Failure;
use crate::telemetry::Ongoing;

type Result<T> = std::result::Result<T, Failure>;

/// How often the interpreter is asked for signals while a cloud's store works.
const PAUSE: Duration = Duration::from_millis(50);

thread_local! {
    /// What ends the operations that this thread begins.
    static CURRENT: RefCell<Option<CancelToken>> = const { RefCell::new(None) };
}

/// Ends the operations that a thread begins while it is inside; `cancel` comes from another thread.
#[pyclass(frozen)]
#[derive(Default)]
pub(crate) struct Cancel(CancelToken);

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Ends what runs; what begins later ends at once.
    fn cancel(&self) {
        self.0.cancel();
    }

    /// Makes this the token of the running thread.
    fn enter(&self) {
        CURRENT.set(Some(self.0.clone()));
    }

    /// Takes the token of the running thread away.
    #[staticmethod]
    fn leave() {
        CURRENT.set(None);
    }
}

/// A path or URL, and the options of its store, as Python hands them over.
#[derive(FromPyObject)]
pub(crate) struct Place(OsString, Vec<(String, String)>);

/// A store that is open, and a key in it.
pub(crate) struct Target {
    pub(crate) location: Location,
    pub(crate) storage: Arc<dyn Storage>,
    cancel: CancelToken,
}

impl Place {
    /// Opens the store; the environment is read now, under the interpreter's lock.
    pub(crate) fn open(self) -> Result<Target> {
        let Self(text, values) = self;
        let location = Location::parse(text)?;
        let cancel = CURRENT.with_borrow(Clone::clone).unwrap_or_default();
        if location.is_local() {
            return Ok(Target { storage: location.storage()?, location, cancel });
        }
        let mut options = persist_environment::storage_options().with_cancel(cancel.clone());
        for (name, value) in values {
            options = options.set(name, value);
        }
        let storage = location.storage_with(&options)?;
        Ok(Target { location, storage, cancel })
    }
}

impl Target {
    pub(crate) fn key(&self) -> &Key {
        self.location.key()
    }

    pub(crate) fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// Does work on the store without the interpreter's lock; Ctrl-C ends it on a cloud's store.
    pub(crate) fn wait<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Self) -> Result<T> + Send,
    ) -> Result<T> {
        let mut ongoing = Ongoing::default();
        let done = self.wait_in(&mut ongoing, py, work);
        ongoing.end(py)?;
        done
    }

    /// Does the same, as a part of what goes on.
    pub(crate) fn wait_in<T: Send>(
        &self,
        ongoing: &mut Ongoing,
        py: Python<'_>,
        work: impl FnOnce(&Self) -> Result<T> + Send,
    ) -> Result<T> {
        ongoing.observed(py, || {
            if self.location.is_local() {
                return py.detach(|| work(self));
            }
            let above = persist_telemetry::traces::current();
            py.detach(|| {
                watched(&self.cancel, || {
                    let _inside = above.attach();
                    work(self)
                })
            })
        })
    }
}

/// Does work on another thread, and cancels it when the interpreter has a signal for this one.
pub(crate) fn watched<T: Send>(
    cancel: &CancelToken,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(1);
        // The receiver lives until the work has ended.
        scope.spawn(move || drop(sender.send(work())));
        let mut interrupt = None;
        loop {
            match receiver.recv_timeout(PAUSE) {
                Ok(done) => return interrupt.map_or(done, |error: PyErr| Err(error.into())),
                Err(RecvTimeoutError::Disconnected) => return Err(died().into()),
                Err(RecvTimeoutError::Timeout) if interrupt.is_some() => {}
                Err(RecvTimeoutError::Timeout) => {
                    #[expect(
                        clippy::redundant_closure_for_method_calls,
                        reason = "the method itself is not general enough"
                    )]
                    let signal = Python::attach(|py| py.check_signals());
                    interrupt = signal.err();
                    if interrupt.is_some() {
                        cancel.cancel();
                    }
                }
            }
        }
    })
}

pub(crate) fn died() -> Error {
    Error::new(ErrorKind::Storage, "the thread of an operation ended before its work")
}
