//! The newest snapshot of each agent, in memory that does not grow with the store.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use jiff::Timestamp;

use crate::compression::Algorithms;
use crate::error::{ErrorKind, Result};
use crate::format::ReadOptions;
use crate::snapshot;
use crate::storage::{Key, ObjectInfo, Storage};

/// This many of the newest objects are asked for their agents.
const MOST_READ: usize = 1000;

/// The newest snapshot of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Newest {
    /// Where it is.
    pub key: Key,
    /// When it was taken.
    pub timestamp: Timestamp,
    /// How long ago that was.
    pub age_seconds: i64,
}

/// What the looks at a store have found so far.
///
/// A look asks at most the 1,000 newest objects for their agents, without those that the look before
/// has read. An agent that fell behind them is remembered while its newest snapshot is there.
#[derive(Debug, Default)]
pub struct Freshness {
    read: HashMap<Key, Seen>,
    agents: BTreeMap<String, (Key, Timestamp)>,
}

/// A snapshot that was read, and what says whether it is still the same.
#[derive(Debug)]
struct Seen {
    version: (Option<Timestamp>, u64),
    agent: String,
    timestamp: Timestamp,
}

impl Freshness {
    /// Looks at the store once more, and says in words how much there is.
    pub fn look(&mut self, storage: &dyn Storage, prefix: &Key) -> Result<String> {
        let (newest, count) = newest_objects(storage, prefix)?;
        self.read_new_ones(storage, newest);
        self.forget_the_deleted(storage);
        for (key, seen) in &self.read {
            let known = self.agents.entry(seen.agent.clone());
            let known = known.or_insert_with(|| (key.clone(), seen.timestamp));
            if (known.1, key) < (seen.timestamp, &known.0) {
                *known = (key.clone(), seen.timestamp);
            }
        }
        Ok(format!("{count} objects, snapshots of {} agents", self.agents.len()))
    }

    /// The newest snapshot of each agent, as old as it is now.
    pub fn agents(&self, now: Timestamp) -> BTreeMap<String, Newest> {
        let newest = |(name, (key, timestamp)): (&String, &(Key, Timestamp))| {
            let age_seconds = now.duration_since(*timestamp).as_secs();
            (name.clone(), Newest { key: key.clone(), timestamp: *timestamp, age_seconds })
        };
        self.agents.iter().map(newest).collect()
    }

    /// Objects that are no snapshots are left out: `persist verify` names those.
    fn read_new_ones(&mut self, storage: &dyn Storage, newest: Vec<ObjectInfo>) {
        let mut before = std::mem::take(&mut self.read);
        let mut unread = Vec::new();
        for object in newest {
            let version = (object.modified, object.size);
            match before.remove(&object.key) {
                Some(seen) if seen.version == version && seen.version.0.is_some() => {
                    self.read.insert(object.key, seen);
                }
                _ => unread.push((object.key, version)),
            }
        }
        let (keys, versions): (Vec<_>, Vec<_>) = unread.into_iter().unzip();
        let read = snapshot::read_metadata_of_all(storage, &keys, &ReadOptions::default());
        for ((key, version), metadata) in keys.into_iter().zip(versions).zip(read) {
            let Ok(metadata) = metadata else { continue };
            let (agent, timestamp) = (metadata.agent_id.as_str().to_owned(), metadata.timestamp);
            self.read.insert(key, Seen { version, agent, timestamp });
        }
    }

    /// Keeps what was read just now, and what is still there or cannot be asked.
    fn forget_the_deleted(&mut self, storage: &dyn Storage) {
        let Self { read, agents } = self;
        agents.retain(|agent, (key, timestamp)| match read.get(key) {
            Some(seen) => (&seen.agent, &seen.timestamp) == (agent, timestamp),
            None => !storage.stat(key).is_err_and(|error| error.kind() == ErrorKind::NotFound),
        });
    }
}

/// The objects that are named like snapshots and were written last, and how many objects there are.
fn newest_objects(storage: &dyn Storage, prefix: &Key) -> Result<(Vec<ObjectInfo>, u64)> {
    let mut newest = BinaryHeap::with_capacity(MOST_READ);
    let mut count = 0;
    for object in storage.list(prefix)? {
        let object = object?;
        count += 1;
        if Algorithms::named_by(&object.key.file_name()).is_none() {
            continue;
        }
        newest.push(Reverse((object.modified, object.key, object.size)));
        if newest.len() > MOST_READ {
            newest.pop();
        }
    }
    let info = |Reverse((modified, key, size))| ObjectInfo { key, size, modified, e_tag: None };
    let objects = newest.into_iter().map(info);
    Ok((objects.collect(), count))
}
