//! Hands the text on to a snapshot while the walk goes on.
//!
//! From a length on, a thread saves what is written so far. The walk leaves it pieces, and keeps the
//! interpreter's lock; only when too many wait does it let go of that.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::{self, JoinHandle};

use persist_core::snapshot::{Version, Writer, begin_trusted};
use persist_core::{Error, ErrorKind, Key, Result, SaveOptions, Storage};
use persist_telemetry::traces::{self, Context};
use pyo3::prelude::*;

use super::{Done, Stop};
use crate::error::Failure;
use crate::place::{Target, died};
use crate::telemetry::Ongoing;

/// Text of less than this is kept until the walk is over: a thread would cost more than it saves.
const KEPT: usize = 2 << 20;
/// From then on, so much is handed on at once.
const PIECE: usize = 1 << 20;
/// So many pieces may wait.
const WAITING: usize = 3;

/// A snapshot that is being saved; it begins with the first piece.
pub(crate) struct Stream {
    target: Target,
    save: Arc<Save>,
    saver: Option<Saver>,
    /// The thread of a text that came again.
    given_up: Option<Saver>,
    ongoing: Ongoing,
}

/// What is saved, and where.
struct Save {
    storage: Arc<dyn Storage>,
    key: Key,
    options: SaveOptions,
}

/// Text, and the places where it may be cut.
pub(super) struct Piece {
    pub(super) text: Vec<u8>,
    pub(super) marks: Vec<usize>,
}

/// Memory for the next text.
pub(super) struct Taken {
    pub(super) memory: Vec<u8>,
    /// Whether other threads ran meanwhile.
    pub(super) has_waited: bool,
}

impl Stream {
    pub(crate) fn new(target: Target, options: SaveOptions) -> Self {
        let storage = Arc::clone(&target.storage);
        let save = Arc::new(Save { storage, key: target.key().clone(), options });
        Self { target, save, saver: None, given_up: None, ongoing: Ongoing::default() }
    }

    /// How much text is kept before it is handed on.
    pub(super) fn kept(&self) -> usize {
        if self.saver.is_some() { PIECE } else { KEPT }
    }

    /// Forgets what was handed on: all of it comes again.
    pub(super) fn restart(&mut self) {
        if let Some(mut saver) = self.saver.take() {
            saver.pieces = None;
            self.given_up = Some(saver);
        }
    }

    /// Takes a piece; waits, while other threads run, when there are too many.
    pub(super) fn take(&mut self, py: Python<'_>, piece: Piece) -> Done<Taken> {
        let Self { target, save, saver, ongoing, .. } = self;
        let mut has_waited = false;
        let saver = match saver {
            Some(saver) => saver,
            none => {
                // Python is asked for the span that the thread works in.
                has_waited = traces::are_recorded();
                let above = if has_waited {
                    ongoing.observed(py, || Ok(traces::current()))?
                } else {
                    Context::new()
                };
                none.insert(Saver::start(save, above).map_err(Stop::Core)?)
            }
        };
        let memory = saver.free.try_recv().unwrap_or_default();
        match saver.offer(piece) {
            Ok(()) => return Ok(Taken { memory, has_waited }),
            Err(TrySendError::Full(piece)) => {
                let is_taken = target.wait_in(ongoing, py, move |_| Ok(saver.give(piece)))?;
                if is_taken {
                    return Ok(Taken { memory, has_waited: true });
                }
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
        let ended = self.saver.take().map(|mut saver| py.detach(|| saver.end()));
        Err(Stop::Core(ended.and_then(Result::err).unwrap_or_else(died)))
    }
}

impl Save {
    fn begin(&self) -> Result<Writer> {
        begin_trusted(&*self.storage, &self.key, &self.options)
    }
}

impl Piece {
    fn write(&self, writer: &mut Writer) -> Result<()> {
        let mut from = 0;
        for mark in &self.marks {
            writer.write(self.text.get(from..*mark).unwrap_or_default())?;
            writer.mark();
            from = *mark;
        }
        writer.write(self.text.get(from..).unwrap_or_default())
    }
}

/// A thread that writes pieces until there are no more.
struct Saver {
    /// `None` when there are no more.
    pieces: Option<SyncSender<Piece>>,
    /// The memory of those that are written.
    free: Receiver<Vec<u8>>,
    /// `None` when it was waited for.
    thread: Option<JoinHandle<Result<Writer>>>,
}

impl Saver {
    fn start(save: &Arc<Save>, above: Context) -> Result<Self> {
        let save = Arc::clone(save);
        let (pieces, arriving) = sync_channel(WAITING);
        let (give_back, free) = channel();
        let work = move || {
            let _inside = above.attach();
            write_all(&save, &arriving, &give_back)
        };
        let thread = thread::Builder::new().name("persist-save".to_owned()).spawn(work);
        let thread = thread.map_err(|error| {
            Error::new(ErrorKind::Storage, "could not start a thread").with_source(error)
        })?;
        Ok(Self { pieces: Some(pieces), free, thread: Some(thread) })
    }

    /// Hands on a piece, if it need not wait.
    fn offer(&self, piece: Piece) -> std::result::Result<(), TrySendError<Piece>> {
        match &self.pieces {
            Some(pieces) => pieces.try_send(piece),
            None => Err(TrySendError::Disconnected(piece)),
        }
    }

    /// Hands on a piece; false when the thread has ended.
    fn give(&mut self, piece: Piece) -> bool {
        self.pieces.as_ref().is_some_and(|pieces| pieces.send(piece).is_ok())
    }

    /// Waits until all pieces are written.
    fn end(&mut self) -> Result<Writer> {
        self.pieces = None;
        let written = self.thread.take().map(JoinHandle::join);
        written.and_then(thread::Result::ok).unwrap_or_else(|| Err(died()))
    }
}

impl Drop for Saver {
    /// What was written is gone when this returns.
    fn drop(&mut self) {
        if self.thread.is_some() {
            Python::attach(|py| py.detach(|| drop(self.end())));
        }
    }
}

fn write_all(
    save: &Save,
    arriving: &Receiver<Piece>,
    give_back: &Sender<Vec<u8>>,
) -> Result<Writer> {
    let mut writer = save.begin()?;
    for piece in arriving {
        piece.write(&mut writer)?;
        // Nobody takes it when the walk is over.
        let _ = give_back.send(piece.text);
    }
    Ok(writer)
}

/// A snapshot whose state is written, and not all of it handed on.
pub(crate) struct Saving {
    pub(super) stream: Stream,
    pub(super) rest: Piece,
    pub(super) weight: u64,
}

impl Saving {
    /// Saves the rest, and with it the snapshot.
    pub(crate) fn finish(self, py: Python<'_>) -> std::result::Result<Version, Failure> {
        let Self { stream, rest, weight } = self;
        let Stream { target, save, mut saver, given_up, mut ongoing, .. } = stream;
        let saved = target.wait_in(&mut ongoing, py, |_| {
            let mut writer = saver.as_mut().map_or_else(|| save.begin(), Saver::end)?;
            rest.write(&mut writer)?;
            writer.weigh(weight);
            Ok(writer.finish_version()?)
        });
        drop(given_up);
        ongoing.end(py)?;
        saved
    }
}
