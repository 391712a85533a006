//! What a reader of JSON text tells of it.

use crate::metadata::Metadata;

/// What is found in the text of a state, in the order of the text.
///
/// Nothing of it is to be acted on before all of the snapshot is checked: [`crate::snapshot::read`]
/// returns only then.
pub trait Events {
    /// The metadata, before anything else. When it comes again, so does all that follows: what was
    /// told before is to be forgotten.
    fn begin(&mut self, metadata: &Metadata) {
        let _ = metadata;
    }

    /// `null`.
    fn null(&mut self) {}

    /// `true` or `false`.
    fn boolean(&mut self, value: bool) {
        let _ = value;
    }

    /// A number, as it stands in the text.
    fn number(&mut self, text: &str) {
        let _ = text;
    }

    /// A part of a long text; [`Events::string`] brings the last one.
    fn part(&mut self, text: &str) {
        let _ = text;
    }

    /// A text, or what is left of one that came in parts.
    fn string(&mut self, text: &str) {
        let _ = text;
    }

    /// The key of the next value; it is new in its object.
    fn key(&mut self, text: &str) {
        let _ = text;
    }

    /// The start of an array.
    fn begin_array(&mut self) {}

    /// The end of the innermost array.
    fn end_array(&mut self) {}

    /// The start of an object.
    fn begin_object(&mut self) {}

    /// The end of the innermost object.
    fn end_object(&mut self) {}

    /// Does work that needs nothing of the receiver, as reading and hashing the next block.
    fn detached<T: Send>(&mut self, work: impl FnOnce() -> T + Send) -> T {
        work()
    }
}

/// Looks at nothing: for checking alone.
pub(crate) struct Ignored;

impl Events for Ignored {}
