//! Hands the text on to a snapshot while the walk goes on.

use persist_core::snapshot::{Version, Writer, begin_trusted};
use persist_core::{Result, SaveOptions};
use pyo3::prelude::*;

use super::Done;
use crate::error::Failure;
use crate::place::Target;
use crate::telemetry::Ongoing;

/// Text of less than this is kept until the walk is over, so that nothing else runs meanwhile.
const KEPT: usize = 4 << 20;
/// From then on, so much is handed on at once.
const PIECE: usize = 1 << 20;

/// A snapshot that is being saved; it begins with the first piece.
pub(crate) struct Stream {
    target: Target,
    options: SaveOptions,
    writer: Option<Writer>,
    ongoing: Ongoing,
}

impl Stream {
    pub(crate) fn new(target: Target, options: SaveOptions) -> Self {
        Self { target, options, writer: None, ongoing: Ongoing::default() }
    }

    /// How much text is kept before it is handed on.
    pub(super) fn kept(&self) -> usize {
        if self.writer.is_some() { PIECE } else { KEPT }
    }

    /// Forgets what was handed on: all of it comes again.
    pub(super) fn restart(&mut self) {
        self.writer = None;
    }

    /// Takes a piece and its marks, while other threads run.
    pub(super) fn take(&mut self, py: Python<'_>, text: &[u8], marks: &[usize]) -> Done {
        let (begun, options) = (self.writer.take(), &self.options);
        let write = |at: &Target| Ok(written(at, options, begun, text, marks)?);
        self.writer = Some(self.target.wait_in(&mut self.ongoing, py, write)?);
        Ok(())
    }
}

/// The writer, once it has taken a piece.
fn written(
    at: &Target,
    options: &SaveOptions,
    begun: Option<Writer>,
    text: &[u8],
    marks: &[usize],
) -> Result<Writer> {
    let mut writer = match begun {
        Some(writer) => writer,
        None => begin_trusted(&*at.storage, at.key(), options)?,
    };
    let mut from = 0;
    for mark in marks {
        writer.write(text.get(from..*mark).unwrap_or_default())?;
        writer.mark();
        from = *mark;
    }
    writer.write(text.get(from..).unwrap_or_default())?;
    Ok(writer)
}

/// A snapshot whose state is written, and not all of it handed on.
pub(crate) struct Saving {
    pub(super) stream: Stream,
    pub(super) text: Vec<u8>,
    pub(super) marks: Vec<usize>,
    pub(super) weight: u64,
}

impl Saving {
    /// Saves the rest, and with it the snapshot.
    pub(crate) fn finish(self, py: Python<'_>) -> std::result::Result<Version, Failure> {
        let Self { stream, text, marks, weight } = self;
        let Stream { target, options, writer, mut ongoing } = stream;
        let saved = target.wait_in(&mut ongoing, py, |at| {
            let mut writer = written(at, &options, writer, &text, &marks)?;
            writer.weigh(weight);
            Ok(writer.finish_version()?)
        });
        ongoing.end(py)?;
        saved
    }
}
