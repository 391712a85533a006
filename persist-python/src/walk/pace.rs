//! When the walk lets other threads run, and what it compares when it did.

use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// Looks at the clock once for so many values.
const VALUES_A_LOOK: u32 = 128;

/// How long the walk may keep other threads from running.
pub(super) struct Pace {
    longest: Option<Duration>,
    since: Instant,
    values: u32,
    was_interrupted: bool,
}

impl Pace {
    pub(super) fn new(seconds: Option<f64>) -> Self {
        let longest =
            seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default());
        Self { longest, since: Instant::now(), values: 0, was_interrupted: false }
    }

    /// Whether other code ran since the walk began: the state may have changed.
    pub(super) fn was_interrupted(&self) -> bool {
        self.was_interrupted
    }

    /// Code of Python runs, which may let other threads run.
    pub(super) fn interrupted(&mut self) {
        self.was_interrupted = true;
    }

    /// Goes on without a pause.
    pub(super) fn hurry(&mut self) {
        self.longest = None;
    }

    /// Lets other threads run, if it is time.
    pub(super) fn breathe(&mut self, py: Python<'_>) {
        let Some(longest) = self.longest else {
            return;
        };
        self.values += 1;
        if self.values < VALUES_A_LOOK {
            return;
        }
        self.values = 0;
        if self.since.elapsed() >= longest {
            self.was_interrupted = true;
            py.detach(std::thread::yield_now);
            self.since = Instant::now();
        }
    }
}

/// The row that a field is in.
pub(super) struct Outside(u64);

/// What was seen, in two numbers: which objects, how long they are, and the numbers themselves.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Print {
    /// What was seen in a row.
    row: u64,
    /// The rows of fields, whatever the order they were seen in.
    fields: u64,
}

impl Print {
    pub(super) fn saw(&mut self, what: u64) {
        // A mix as in FxHash; nobody has an interest in a collision.
        self.row = (self.row.rotate_left(5) ^ what).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    /// Sees what a field of an object holds; returns what `leave` takes.
    pub(super) fn enter(&mut self, field: u64) -> Outside {
        let outside = Outside(self.row);
        self.saw(field);
        outside
    }

    pub(super) fn leave(&mut self, outside: Outside) {
        self.fields = self.fields.wrapping_add(self.row);
        self.row = outside.0;
    }

    pub(super) fn saw_bytes(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            self.saw(u64::from_le_bytes(*eight));
        }
        for byte in rest {
            self.saw((*byte).into());
        }
    }
}
