//! What a store must do for snapshots, tried on a small object.

use jiff::{SignedDuration, Timestamp};

use super::Health;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SnapshotId;
use crate::storage::{Key, PutOptions, Storage};

/// A store whose clock is further away than this cannot order what is written.
const MAX_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// A disk with less room than one part in this many is nearly full.
const FREE_SHARE: u64 = 20;

const PROBE: &[u8] = b"persist health probe";

/// Checks the store below a prefix: writes, reads and deletes a small object there.
///
/// `clock` says what time it is here. What fails is in the result; when the store cannot be reached,
/// or refuses the caller, nothing else is tried.
pub fn probe(storage: &dyn Storage, prefix: &Key, clock: &dyn Fn() -> Timestamp) -> Health {
    let mut health = Health::default();
    let answer = storage.list(prefix).and_then(|mut found| found.next().transpose());
    match answer {
        Err(error) if error.kind() != ErrorKind::AccessDenied => health.add("reach", Err(error)),
        Err(error) => {
            health.add("reach", Ok("the store answers".into()));
            health.add("credentials", Err(error));
        }
        Ok(_) => {
            health.add("reach", Ok("the store answers".into()));
            health.add("credentials", Ok("the store lets this caller in".into()));
            health.try_an_object(storage, prefix, clock);
            health.add("room", room(storage, prefix));
        }
    }
    health
}

impl Health {
    fn try_an_object(
        &mut self,
        storage: &dyn Storage,
        prefix: &Key,
        clock: &dyn Fn() -> Timestamp,
    ) {
        let name = format!(".persist-health-{}", SnapshotId::at(clock()));
        let key = match Key::new(prefix.as_path().join(name)) {
            Ok(key) => key,
            Err(error) => return self.add("write", Err(error)),
        };
        let before = clock();
        if let Err(error) = write(storage, &key) {
            return self.add("write", Err(error));
        }
        let after = clock();
        self.add("write", Ok("an object was written".into()));
        self.add("read", read_back(storage, &key));
        self.add("condition", condition(storage, &key));
        self.add("clock", skew(storage, &key, before, after));
        self.add("delete", storage.delete(&key).map(|()| "the object was deleted".into()));
    }
}

fn write(storage: &dyn Storage, key: &Key) -> Result<()> {
    let options = PutOptions { overwrite: false, ..PutOptions::default() };
    let mut upload = storage.create(key, &options)?;
    upload.write(PROBE)?;
    upload.commit(&[]).map(drop)
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

/// How far the time of the object is from the time in which it was written, as seen from here.
fn skew(storage: &dyn Storage, key: &Key, before: Timestamp, after: Timestamp) -> Result<String> {
    let Some(modified) = storage.stat(key)?.modified else {
        return Ok("the store keeps no times".into());
    };
    let nearest = modified.max(before).min(after.max(before));
    let skew = modified.duration_since(nearest);
    let words = format!("the store's clock is {} s away", skew.abs().as_secs());
    if skew.abs() > MAX_SKEW {
        return Err(Error::new(ErrorKind::Storage, words).with_hint("set the clock by NTP"));
    }
    Ok(words)
}

fn room(storage: &dyn Storage, prefix: &Key) -> Result<String> {
    let Some(room) = storage.room(prefix) else { return Ok("the store has no end".into()) };
    let share = u128::from(room.free).saturating_mul(100).checked_div(room.size.into());
    let share = share.unwrap_or(0);
    let words = format!("{} of {} bytes are free ({share} %)", room.free, room.size);
    if room.free < room.size / FREE_SHARE {
        return Err(Error::new(ErrorKind::NoSpace, words).with_hint("free some room"));
    }
    Ok(words)
}
