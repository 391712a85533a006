//! Whether a store can keep snapshots, and how fresh those are that it keeps.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::compression::Algorithms;
use crate::error::{Error, ErrorKind, Result};
use crate::format::ReadOptions;
use crate::id::SnapshotId;
use crate::snapshot;
use crate::storage::{Key, ObjectInfo, PutOptions, Storage};

/// A store whose clock is further away than this cannot order what is written.
const MAX_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// A disk with less room than one part in this many is nearly full.
const FREE_SHARE: u64 = 20;

/// This many of the newest objects are asked for their agents.
const MAX_READ: usize = 1000;

const PROBE: &[u8] = b"persist health probe";

/// One thing that was checked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Check {
    /// What was checked, in one word.
    pub name: &'static str,
    /// What was found, for people; or why it failed.
    pub outcome: Result<String>,
}

/// The newest snapshot of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Newest {
    /// When it was taken.
    pub timestamp: Timestamp,
    /// How long ago that was.
    pub age_seconds: i64,
}

/// What is known of a store.
#[derive(Debug)]
#[non_exhaustive]
pub struct Health {
    /// Every check, in the order in which they were made.
    pub checks: Vec<Check>,
    /// The newest snapshot of each agent, by the agent's name.
    pub agents: BTreeMap<String, Newest>,
}

impl Health {
    /// The first check that failed.
    pub fn failure(&self) -> Option<&Error> {
        self.checks.iter().find_map(|check| check.outcome.as_ref().err())
    }

    /// All of it as JSON: `healthy`, `checks` and `agents`.
    pub fn to_value(&self) -> Value {
        let agent = |(name, newest): (&String, &Newest)| {
            json!({
                "agent_id": name,
                "timestamp": newest.timestamp.to_string(),
                "age_seconds": newest.age_seconds,
            })
        };
        json!({
            "healthy": self.failure().is_none(),
            "checks": self.checks.iter().map(check_as_json).collect::<Vec<_>>(),
            "agents": self.agents.iter().map(agent).collect::<Vec<_>>(),
        })
    }
}

fn check_as_json(check: &Check) -> Value {
    match &check.outcome {
        Ok(detail) => json!({"name": check.name, "ok": true, "detail": detail}),
        Err(error) => json!({
            "name": check.name,
            "ok": false,
            "kind": error.kind().code(),
            "detail": error.to_string(),
        }),
    }
}

/// Checks the store below a prefix: lists it, writes, reads and deletes a small object there.
///
/// What fails is in the result; when the store cannot be reached, nothing else is tried.
pub fn check(storage: &dyn Storage, prefix: &Key, now: Timestamp) -> Health {
    let mut health = Health { checks: Vec::new(), agents: BTreeMap::new() };
    let listed = storage.list(prefix).and_then(Iterator::collect::<Result<Vec<_>>>);
    let objects = match listed {
        Ok(objects) => objects,
        Err(error) => {
            health.checks.push(Check { name: "reach", outcome: Err(error) });
            return health;
        }
    };
    health.add("reach", Ok(format!("{} objects", objects.len())));
    health.probe(storage, prefix, now);
    health.add("room", room(storage, prefix));
    health.agents = newest_of_agents(storage, objects, now);
    health
}

impl Health {
    fn add(&mut self, name: &'static str, outcome: Result<String>) {
        self.checks.push(Check { name, outcome });
    }

    fn probe(&mut self, storage: &dyn Storage, prefix: &Key, now: Timestamp) {
        let name = format!(".persist-health-{}", SnapshotId::at(now));
        let key = match Key::new(prefix.as_path().join(name)) {
            Ok(key) => key,
            Err(error) => return self.add("write", Err(error)),
        };
        if let Err(error) = write(storage, &key) {
            return self.add("write", Err(error));
        }
        self.add("write", Ok("an object was written".into()));
        self.add("read", read_back(storage, &key));
        self.add("condition", condition(storage, &key));
        self.add("clock", clock(storage, &key, now));
        self.add("delete", storage.delete(&key).map(|()| "the object was deleted".into()));
    }
}

fn write(storage: &dyn Storage, key: &Key) -> Result<()> {
    let options = PutOptions { overwrite: false, ..PutOptions::default() };
    let mut upload = storage.create(key, &options)?;
    upload.write(PROBE)?;
    upload.commit(&[])
}

fn read_back(storage: &dyn Storage, key: &Key) -> Result<String> {
    let bytes = storage.open(key)?.read_at(0, PROBE.len())?;
    if bytes == PROBE {
        return Ok("what was written came back".into());
    }
    Err(Error::new(ErrorKind::Integrity, format!("{key} came back changed")))
}

/// Two writers that must not overwrite each other need this.
fn condition(storage: &dyn Storage, key: &Key) -> Result<String> {
    match write(storage, key) {
        Err(error) if error.kind() == ErrorKind::Conflict => {
            Ok("what exists is not overwritten".into())
        }
        Err(error) => Err(error),
        Ok(()) => {
            let message = "the store overwrites what exists, though it was told not to";
            Err(Error::new(ErrorKind::Storage, message)
                .with_hint("use a store with conditional writes"))
        }
    }
}

fn clock(storage: &dyn Storage, key: &Key, now: Timestamp) -> Result<String> {
    let Some(modified) = storage.stat(key)?.modified else {
        return Ok("the store keeps no times".into());
    };
    let skew = modified.duration_since(now);
    let words = format!("the store's clock is {} s away", skew.abs().as_secs());
    if skew.abs() > MAX_SKEW {
        return Err(Error::new(ErrorKind::Storage, words).with_hint("set the clock by NTP"));
    }
    Ok(words)
}

fn room(storage: &dyn Storage, prefix: &Key) -> Result<String> {
    let Some(room) = storage.room(prefix) else { return Ok("the store has no end".into()) };
    let words = format!("{} of {} bytes are free", room.free, room.size);
    if room.free < room.size / FREE_SHARE {
        return Err(Error::new(ErrorKind::NoSpace, words).with_hint("free some room"));
    }
    Ok(words)
}

/// Objects that are no snapshots are left out: `persist verify` names those.
fn newest_of_agents(
    storage: &dyn Storage,
    mut objects: Vec<ObjectInfo>,
    now: Timestamp,
) -> BTreeMap<String, Newest> {
    objects.retain(|object| Algorithms::named_by(&object.key.file_name()).is_some());
    objects.sort_by_key(|object| std::cmp::Reverse(object.modified));
    let mut agents = BTreeMap::<String, Newest>::new();
    for object in objects.iter().take(MAX_READ) {
        let read = snapshot::read_metadata(storage, &object.key, &ReadOptions::default());
        let Ok(metadata) = read else { continue };
        let timestamp = metadata.timestamp;
        let age_seconds = now.duration_since(timestamp).as_secs();
        let newest = Newest { timestamp, age_seconds };
        let known = agents.entry(metadata.agent_id.as_str().to_owned()).or_insert(newest.clone());
        if known.timestamp < timestamp {
            *known = newest;
        }
    }
    agents
}
