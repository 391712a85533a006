//! Reads a file block by block: every block is checked, then parsed, then forgotten.
//!
//! A large native file is never in memory whole: threads fetch and unpack blocks a few ahead of the
//! one that is parsed. Anything that is not laid out as we write it takes the way of `read`.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::read::{Kind, kind_of, read, read_all, start_of};
use super::table::Entry;
use super::{MAX_BLOCK, PAGE, Protection, ReadOptions, framing, head, native};
use crate::compression::{Algorithm, Container};
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Running;
use crate::json::{Events, Parser};
use crate::metadata::Metadata;
use crate::parallel;
use crate::storage::Object;
use crate::telemetry::spans;

/// A file up to this size is read at once.
const SMALL: u64 = 256 * 1024;

/// Up to this many bytes of text, threads cost more than they save.
const SMALL_TEXT: u64 = 2 * 1024 * 1024;

/// A block table that is longer than this is not one of ours.
const LONGEST_TABLE: u64 = 8 * 1024 * 1024;

/// A block of ours is not longer, packed or not.
const LARGEST: u64 = 2 * MAX_BLOCK as u64;

/// So much of a text that is there whole is parsed at once.
const PIECE: usize = 1024 * 1024;

/// Blocks that a thread has ready before it waits.
const AHEAD: usize = 1;

/// Checks all of a snapshot, and tells what its state holds on the way.
pub(crate) fn read_events(
    object: &dyn Object,
    options: &ReadOptions,
    events: &mut impl Events,
) -> Result<(Metadata, Protection)> {
    if object.size() > SMALL
        && let Some(plan) = events.detached(|| Plan::of(object, options))?
    {
        return plan.run(object, options, events);
    }
    let snapshot = events.detached(|| read(read_all(object, options)?.into(), options))?;
    events.begin(&snapshot.metadata);
    let mut parser = Parser::new(options.limits.bounds(object.size()));
    // In pieces, so that a long text is handed on in parts.
    snapshot.state.chunks(PIECE).try_for_each(|piece| parser.feed(piece, events))?;
    parser.finish(events)?;
    Ok((snapshot.metadata, snapshot.protection))
}

/// What is known of a large native file before its blocks are fetched.
struct Plan {
    metadata: Metadata,
    container: Container,
    algorithm: Arc<dyn Algorithm>,
    /// Where the blocks begin.
    start: u64,
    table: Vec<Entry>,
}

impl Plan {
    /// `None` when the file is not laid out as we write it, and is to be read as a whole.
    fn of(object: &dyn Object, options: &ReadOptions) -> Result<Option<Self>> {
        let page = object.read_at(0, PAGE)?;
        let Ok(Kind { container, is_native: true }) = kind_of(&page) else {
            return Ok(None);
        };
        let start = start_of(object, container, page)?;
        let Ok((text, length)) = framing::take_head(container, &start) else {
            return Ok(None);
        };
        let Ok(metadata) = head::metadata_in(text).and_then(Metadata::parse) else {
            return Ok(None);
        };
        let head = start.get(..length).unwrap_or_default();
        let Some(end) = closing(object, head.len() as u64, &metadata)? else {
            return Ok(None);
        };
        let file = [head, &end].concat();
        let Ok(layout) = framing::take_apart(container, &file) else {
            return Ok(None);
        };
        let table = layout.table;
        if !layout.blocks.is_empty() || !fits(&table) {
            return Ok(None);
        }
        let Ok(algorithm) = native::algorithm_of(&metadata, container, &layout.blocks, options)
        else {
            return Ok(None);
        };
        if native::check_table(&table, &metadata, object.size(), options).is_err() {
            return Ok(None);
        }
        Ok(Some(Self { metadata, container, algorithm, start: head.len() as u64, table }))
    }

    fn run(
        self,
        object: &dyn Object,
        options: &ReadOptions,
        events: &mut impl Events,
    ) -> Result<(Metadata, Protection)> {
        events.begin(&self.metadata);
        let mut reader = Reader {
            parser: Parser::new(options.limits.bounds(object.size())),
            parsed: Ok(()),
            hasher: Running::default(),
        };
        if self.metadata.uncompressed_size <= SMALL_TEXT {
            let mut buffer = Vec::new();
            for (offset, entry) in self.places() {
                buffer = reader.take(events, || self.block(object, offset, entry, buffer))?;
            }
        } else {
            self.on_threads(object, &mut reader, events)?;
        }
        native::check_content(reader.hasher.finish(), &self.metadata)?;
        reader.parsed.and_then(|()| reader.parser.finish(events))?;
        Ok((self.metadata, Protection::Full))
    }

    fn on_threads(
        &self,
        object: &dyn Object,
        reader: &mut Reader,
        events: &mut impl Events,
    ) -> Result<()> {
        thread::scope(|scope| {
            let mut sources: Vec<_> = (0..parallel::threads())
                .map(|first| {
                    let (sender, blocks) = sync_channel(AHEAD);
                    let (back, buffers) = channel();
                    let fetch = move || self.fetch(object, first, &sender, &buffers);
                    scope.spawn(spans::carried(fetch));
                    Source { blocks, back }
                })
                .collect();
            let mut left = self.table.len();
            while left > 0 {
                for source in sources.iter_mut().take(left) {
                    let buffer = reader.take(events, || source.next())?;
                    // A thread that has fetched its last block needs no buffer.
                    let _ = source.back.send(buffer);
                }
                left = left.saturating_sub(sources.len());
            }
            Ok(())
        })
    }

    /// Where each block stands.
    fn places(&self) -> impl Iterator<Item = (u64, &Entry)> {
        self.table.iter().scan(self.start, |next, entry| {
            let offset = *next;
            *next = offset.saturating_add(u64::from(entry.length));
            Some((offset, entry))
        })
    }

    /// Fetches and checks every n-th block, until nobody listens any more.
    fn fetch(
        &self,
        object: &dyn Object,
        first: usize,
        sender: &SyncSender<Result<Vec<u8>>>,
        buffers: &Receiver<Vec<u8>>,
    ) {
        for (offset, entry) in self.places().skip(first).step_by(parallel::threads()) {
            let buffer = buffers.try_recv().unwrap_or_default();
            let block = self.block(object, offset, entry, buffer);
            let is_last = block.is_err();
            if sender.send(block).is_err() || is_last {
                return;
            }
        }
    }

    fn block(
        &self,
        object: &dyn Object,
        offset: u64,
        entry: &Entry,
        buffer: Vec<u8>,
    ) -> Result<Vec<u8>> {
        let length = usize::try_from(entry.length).unwrap_or(usize::MAX);
        let bytes = object.read_at(offset, length)?;
        let block = framing::take_block(self.container, &bytes)?;
        native::check_block(&block, entry)?;
        if block.is_private != (self.algorithm.container() == Container::Private) {
            return Err(native::not_compressed_with(&self.metadata.compression_algorithm));
        }
        native::unpack_block(&block, entry, &*self.algorithm, buffer)
    }
}

/// What became of the blocks so far.
struct Reader {
    parser: Parser,
    /// Damage is told before what the text holds: it may be the reason.
    parsed: Result<()>,
    hasher: Running,
}

impl Reader {
    /// Hashes and parses the next block; returns it, to be used again.
    fn take(
        &mut self,
        events: &mut impl Events,
        get: impl FnOnce() -> Result<Vec<u8>> + Send,
    ) -> Result<Vec<u8>> {
        let hasher = &mut self.hasher;
        let block = events.detached(|| get().inspect(|block| hasher.update(block)))?;
        if self.parsed.is_ok() {
            self.parsed = self.parser.feed(&block, events);
        }
        Ok(block)
    }
}

/// A thread that fetches blocks, and the way back for their buffers.
struct Source {
    blocks: Receiver<Result<Vec<u8>>>,
    back: Sender<Vec<u8>>,
}

impl Source {
    fn next(&mut self) -> Result<Vec<u8>> {
        let died = |_| Error::new(ErrorKind::Storage, "a thread that reads ended before its work");
        self.blocks.recv().map_err(died)?
    }
}

/// The bytes behind the blocks, when the sizes in the metadata can be true.
fn closing(object: &dyn Object, head: u64, metadata: &Metadata) -> Result<Option<Vec<u8>>> {
    let blocks = metadata.compressed_size.unwrap_or(u64::MAX);
    let left = head.checked_add(blocks).and_then(|start| object.size().checked_sub(start));
    match left {
        Some(length) if length <= LONGEST_TABLE => {
            let start = object.size().saturating_sub(length);
            object.read_at(start, usize::try_from(length).unwrap_or(usize::MAX)).map(Some)
        }
        _ => Ok(None),
    }
}

/// Whether no block takes more memory than one of ours.
fn fits(table: &[Entry]) -> bool {
    table.iter().all(|entry| u64::from(entry.length.max(entry.plain)) <= LARGEST)
}
