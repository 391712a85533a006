//! Work on several blocks at once, on threads that end before the call does.
//!
//! No pool is kept: a pool does not survive a fork, and for small states no thread is worth its start.

use std::num::NonZero;
use std::thread;

use crate::error::{Error, ErrorKind, Result};
use crate::telemetry::spans;

/// Below this many bytes, another thread costs more than it saves.
const WORTH_A_THREAD: usize = 2 * 1024 * 1024;

/// More threads than this are not used.
const MOST: usize = 8;

/// Whether this many bytes are more than one thread should work on.
pub(crate) fn is_worth_a_thread(bytes: usize) -> bool {
    bytes >= WORTH_A_THREAD
}

/// How many blocks are worked on at once.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(MOST)
}

/// Applies the function to each item, in order, on several threads when `bytes` are many.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    bytes: usize,
    apply: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    if items.len() < 2 || !is_worth_a_thread(bytes) || threads() < 2 {
        return items.iter().map(apply).collect();
    }
    let share = items.len().div_ceil(threads());
    let apply = &apply;
    thread::scope(|scope| {
        let start = |items| scope.spawn(spans::carried(move || items_of(items, apply)));
        let workers: Vec<_> = items.chunks(share).map(start).collect();
        let mut results = Vec::with_capacity(items.len());
        for worker in workers {
            results.extend(worker.join().map_err(|_| worker_died())??);
        }
        Ok(results)
    })
}

fn items_of<T, R>(items: &[T], apply: impl Fn(&T) -> Result<R>) -> Result<Vec<R>> {
    items.iter().map(apply).collect()
}

pub(crate) fn worker_died() -> Error {
    Error::new(ErrorKind::Storage, "a worker thread ended before its work was done")
}
