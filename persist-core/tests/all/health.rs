//! What a health check finds, in stores that are not well and in stores with much in them.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use persist_core::health::{Freshness, Health, check, probe};
use persist_core::{
    AgentId, Error, ErrorKind, Key, MemoryStorage, Object, ObjectInfo, PutOptions, Result,
    SaveOptions, Storage, Upload, snapshot,
};

type List<'a> = Box<dyn Iterator<Item = Result<ObjectInfo>> + 'a>;

/// A store in memory that can be odd in one way.
#[derive(Debug, Default)]
struct Odd {
    inner: MemoryStorage,
    refuses: bool,
    overwrites: bool,
    clock_is_ahead: SignedDuration,
    has_many_others: u64,
    opened: AtomicUsize,
}

impl Odd {
    /// Saves at second `second`; the object is as old as the snapshot.
    fn save(&self, agent: &str, second: i64) {
        let mut options = SaveOptions::at(Timestamp::from_second(second).unwrap());
        options.agent_id = AgentId::new(agent).unwrap();
        let key = Key::new(format!("a/{second:05}.json.gz")).unwrap();
        snapshot::save(&self.inner, &key, b"[]", &[], &options).unwrap();
    }

    fn info(&self, info: ObjectInfo) -> ObjectInfo {
        let name = info.key.file_name();
        let second = name.strip_suffix(".json.gz").and_then(|name| name.parse().ok());
        let modified = second
            .map_or(now() + self.clock_is_ahead, |second| Timestamp::from_second(second).unwrap());
        ObjectInfo { modified: Some(modified), ..info }
    }
}

impl Storage for Odd {
    fn open(&self, key: &Key) -> Result<Box<dyn Object>> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.inner.open(key)
    }

    fn create(&self, key: &Key, options: &PutOptions) -> Result<Box<dyn Upload>> {
        let overwrite = options.overwrite || self.overwrites;
        self.inner.create(key, &PutOptions { overwrite, ..options.clone() })
    }

    fn stat(&self, key: &Key) -> Result<ObjectInfo> {
        self.inner.stat(key).map(|info| self.info(info))
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.inner.delete(key)
    }

    fn list(&self, prefix: &Key) -> Result<List<'_>> {
        if self.refuses {
            return Err(Error::new(ErrorKind::AccessDenied, "wrong key"));
        }
        let listed = self.inner.list(prefix)?.map(|info| info.map(|info| self.info(info)));
        let other = |number| {
            let key = Key::new(format!("a/no-snapshot-{number}.json.gz"))?;
            Ok(ObjectInfo { key, size: 1, modified: Some(now()), e_tag: None })
        };
        Ok(Box::new(listed.chain((0..self.has_many_others).map(other))))
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(100_000).unwrap()
}

fn prefix() -> Key {
    Key::new("a").unwrap()
}

fn failures(health: &Health) -> Vec<(&'static str, ErrorKind)> {
    let failed = health
        .checks
        .iter()
        .filter_map(|check| check.outcome.as_ref().err().map(|error| (check.name, error.kind())));
    failed.collect()
}

fn agents(storage: &Odd, freshness: &mut Freshness) -> Vec<(String, i64)> {
    let health = check(storage, &prefix(), &now, freshness);
    assert_eq!(failures(&health), []);
    health.agents.into_iter().map(|(name, newest)| (name, newest.age_seconds)).collect()
}

#[test]
fn a_store_that_refuses_the_caller_answers_but_is_not_tried() {
    let storage = Odd { refuses: true, ..Odd::default() };
    let health = check(&storage, &prefix(), &now, &mut Freshness::default());
    let names: Vec<_> = health.checks.iter().map(|check| check.name).collect();
    assert_eq!(names, ["reach", "credentials"]);
    assert_eq!(failures(&health), [("credentials", ErrorKind::AccessDenied)]);
}

#[test]
fn a_store_that_overwrites_what_exists_is_not_healthy() {
    let storage = Odd { overwrites: true, ..Odd::default() };
    let health = probe(&storage, &prefix(), &now);
    assert_eq!(failures(&health), [("condition", ErrorKind::Storage)]);
}

#[test]
fn a_clock_that_is_a_minute_away_is_told() {
    for (seconds, found) in [(59, vec![]), (61, vec![("clock", ErrorKind::Storage)])] {
        for ahead in [seconds, -seconds] {
            let clock_is_ahead = SignedDuration::from_secs(ahead);
            let storage = Odd { clock_is_ahead, ..Odd::default() };
            assert_eq!(failures(&probe(&storage, &prefix(), &now)), found);
        }
    }
}

#[test]
fn a_probe_leaves_nothing_behind() {
    let storage = Odd::default();
    assert_eq!(failures(&probe(&storage, &prefix(), &now)), []);
    assert_eq!(storage.list(&prefix()).unwrap().count(), 0);
}

#[test]
fn an_agent_behind_a_thousand_newer_snapshots_is_remembered_until_its_own_is_deleted() {
    let (storage, mut freshness) = (Odd::default(), Freshness::default());
    storage.save("old", 1);
    assert_eq!(agents(&storage, &mut freshness), [("old".to_owned(), 99_999)]);
    (2..1102).for_each(|second| storage.save("busy", second));
    let both = [("busy".to_owned(), 98_899), ("old".to_owned(), 99_999)];
    assert_eq!(agents(&storage, &mut freshness), both);
    storage.inner.delete(&Key::new("a/00001.json.gz").unwrap()).unwrap();
    assert_eq!(agents(&storage, &mut freshness), [("busy".to_owned(), 98_899)]);
}

#[test]
fn what_was_read_is_not_read_again_until_it_is_written_again() {
    let (storage, mut freshness) = (Odd::default(), Freshness::default());
    (1..20).for_each(|second| storage.save("bot", second));
    agents(&storage, &mut freshness);
    let before = storage.opened.load(Ordering::Relaxed);
    agents(&storage, &mut freshness);
    storage.save("bot", 20);
    agents(&storage, &mut freshness);
    // Each look reads back the object of its probe; the second found one new snapshot.
    assert_eq!(storage.opened.load(Ordering::Relaxed) - before, 1 + 2);
}

#[test]
fn an_agent_whose_newest_snapshot_is_deleted_is_as_old_as_the_one_before() {
    let (storage, mut freshness) = (Odd::default(), Freshness::default());
    storage.save("bot", 10);
    storage.save("bot", 20);
    assert_eq!(agents(&storage, &mut freshness), [("bot".to_owned(), 99_980)]);
    storage.inner.delete(&Key::new("a/00020.json.gz").unwrap()).unwrap();
    assert_eq!(agents(&storage, &mut freshness), [("bot".to_owned(), 99_990)]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_store_with_many_objects_takes_no_memory_for_them() {
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let storage = Odd { has_many_others: 400_000, ..Odd::default() };
    let before = peak();
    let health = check(&storage, &prefix(), &now, &mut Freshness::default());
    assert_eq!(failures(&health), []);
    assert!(peak() - before < 24 * 1024, "{} kB more", peak() - before);
}
