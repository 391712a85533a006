//! Saving when a call to the store fails: what was there before, or what is new; never else.

use persist_core::storage::conformance::{FaultyStorage, Moment, StaleStorage};
use persist_core::{
    Key, Limits, LocalStorage, MemoryStorage, PutOptions, SaveOptions, Storage, snapshot,
};

const OLD: &[u8] = br#"{"turns":1}"#;
const NEW: &[u8] = br#"{"turns":2}"#;

fn options() -> SaveOptions {
    SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap())
}

fn state(storage: &dyn Storage, key: &Key) -> Option<Vec<u8>> {
    let exists = storage.exists(key).unwrap();
    exists.then(|| snapshot::load(storage, key, &Limits::DEFAULT.into()).unwrap().state)
}

/// Saves with the first call failing, then with the second, until no call fails.
fn save_with_every_fault<S: Storage>(make: impl Fn() -> S, moment: Moment, is_new: bool) {
    let key = Key::new("a.json.gz").unwrap();
    for nth in 1.. {
        let storage = make();
        let before = (!is_new).then(|| {
            snapshot::save(&storage, &key, OLD, &[], &options()).unwrap();
            OLD.to_vec()
        });
        let storage = FaultyStorage::new(storage, nth, moment);
        let saved = snapshot::save(&storage, &key, NEW, &[], &options());
        if !storage.has_failed() {
            return assert_eq!(state(storage.inner(), &key).as_deref(), Some(NEW));
        }
        let after = state(storage.inner(), &key);
        assert!(saved.is_err(), "a call failed in silence");
        assert!(after == before || after.as_deref() == Some(NEW), "call {nth}: {after:?}");
    }
}

#[test]
fn a_call_that_fails_leaves_the_old_or_the_new() {
    for moment in [Moment::Before, Moment::After] {
        for is_new in [true, false] {
            save_with_every_fault(MemoryStorage::new, moment, is_new);
            let folder = tempfile::tempdir().unwrap();
            save_with_every_fault(
                || {
                    let inside = tempfile::tempdir_in(folder.path()).unwrap().keep();
                    LocalStorage::below(inside)
                },
                moment,
                is_new,
            );
        }
    }
}

#[test]
fn reading_fails_with_the_call_that_fails() {
    let (inner, key) = (MemoryStorage::new(), Key::new("a.json.gz").unwrap());
    snapshot::save(&inner, &key, NEW, &[], &options()).unwrap();
    for nth in 1.. {
        let storage = FaultyStorage::new(inner.clone(), nth, Moment::Before);
        let loaded = snapshot::load(&storage, &key, &Limits::DEFAULT.into());
        if !storage.has_failed() {
            return assert_eq!(loaded.unwrap().state, NEW);
        }
        assert!(loaded.unwrap_err().is_retryable(), "call {nth}");
    }
}

#[test]
fn a_copy_with_a_fault_is_whole_or_absent() {
    let key = Key::new("a.json.gz").unwrap();
    for nth in 1.. {
        let (source, target) = (MemoryStorage::new(), MemoryStorage::new());
        snapshot::save(&source, &key, NEW, &[], &options()).unwrap();
        let faulty = FaultyStorage::new(target.clone(), nth, Moment::Before);
        let put = PutOptions { overwrite: false, ..PutOptions::default() };
        let limits = Limits::DEFAULT.into();
        let copied = snapshot::copy((&source, &key), (&faulty, &key), &put, &limits);
        if !faulty.has_failed() {
            return assert!(copied.is_ok());
        }
        assert!(copied.is_err());
        assert_eq!(state(&target, &key), None);
    }
}

#[test]
fn what_a_listing_does_not_show_yet_is_there() {
    let storage = StaleStorage::new(MemoryStorage::new(), 2);
    let (key, all) = (Key::new("a/b.json.gz").unwrap(), Key::new("a").unwrap());
    snapshot::save(&storage, &key, NEW, &[], &options()).unwrap();
    assert_eq!(storage.list(&all).unwrap().count(), 0);
    assert_eq!(state(&storage, &key).as_deref(), Some(NEW));
}
