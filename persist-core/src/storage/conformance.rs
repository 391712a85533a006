//! The suite that every store must pass, ours and yours; and stores that fail, for your tests.
//!
//! ```
//! use persist_core::{MemoryStorage, storage::conformance};
//!
//! conformance::check(&MemoryStorage::new(), "prefix/");
//! ```

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod faulty;
mod stale;

use std::sync::Barrier;

pub use faulty::{FaultyStorage, Moment};
pub use stale::StaleStorage;

use super::{ETag, Key, PutOptions, Storage};
use crate::error::{ErrorKind, Result};

/// Checks that the store keeps the promises of [`Storage`]; the prefix is where it may write.
///
/// # Panics
///
/// With what the store does wrong.
pub fn check(storage: &dyn Storage, prefix: &str) {
    let key = |name: &str| Key::new(format!("{prefix}{name}")).expect("a key");
    what_is_written_is_read(storage, &key("read"));
    the_head_is_written_last(storage, &key("head"));
    parts_of_an_object_are_read(storage, &key("parts"));
    what_is_missing_is_not_found(storage, &key("missing"));
    an_abandoned_upload_leaves_nothing(storage, &key("abandoned"));
    an_object_is_replaced_whole(storage, &key("replaced"));
    creating_twice_is_a_conflict(storage, &key("created"));
    of_many_creators_one_wins(storage, &key("raced"));
    only_the_version_that_was_named_is_replaced(storage, &key("versions"));
    deleted_is_gone(storage, &key("deleted"));
    a_listing_names_every_object(storage, prefix);
}

fn write(storage: &dyn Storage, key: &Key, body: &[u8], overwrite: bool) -> Result<()> {
    let options = PutOptions { overwrite, ..PutOptions::default() };
    let mut upload = storage.create(key, &options)?;
    upload.write(body)?;
    upload.commit(&[]).map(drop)
}

fn read(storage: &dyn Storage, key: &Key) -> Vec<u8> {
    let object = storage.open(key).expect("an object that was written opens");
    object.read_at(0, usize::try_from(object.size()).expect("a small object")).expect("it is read")
}

fn what_is_written_is_read(storage: &dyn Storage, key: &Key) {
    for body in [vec![], vec![1], vec![7; 3 << 20]] {
        write(storage, key, &body, true).expect("a write");
        assert_eq!(read(storage, key), body, "what is read is not what was written");
        let size = storage.stat(key).expect("an object that was written is there").size;
        assert_eq!(size, body.len() as u64, "the size is wrong");
    }
}

fn the_head_is_written_last(storage: &dyn Storage, key: &Key) {
    let options = PutOptions { head_length: 4, ..PutOptions::default() };
    let mut upload = storage.create(key, &options).expect("an upload");
    upload.write(b"body").expect("a write");
    upload.write(b"more").expect("a second write");
    upload.commit(b"head").expect("a commit");
    assert_eq!(read(storage, key), b"headbodymore", "the head is not in front");
}

fn parts_of_an_object_are_read(storage: &dyn Storage, key: &Key) {
    write(storage, key, b"0123456789", true).expect("a write");
    let object = storage.open(key).expect("an object");
    for (offset, length, expected) in
        [(0, 4, &b"0123"[..]), (4, 3, b"456"), (8, 9, b"89"), (10, 1, b""), (99, 1, b"")]
    {
        assert_eq!(object.read_at(offset, length).expect("a read"), expected, "at {offset}");
    }
}

fn what_is_missing_is_not_found(storage: &dyn Storage, key: &Key) {
    let not_found = Some(ErrorKind::NotFound);
    assert_eq!(storage.open(key).err().map(|error| error.kind()), not_found, "open");
    assert_eq!(storage.stat(key).err().map(|error| error.kind()), not_found, "stat");
    assert_eq!(storage.delete(key).err().map(|error| error.kind()), not_found, "delete");
    assert!(!storage.exists(key).expect("exists answers"), "exists");
}

fn an_abandoned_upload_leaves_nothing(storage: &dyn Storage, key: &Key) {
    let mut upload = storage.create(key, &PutOptions::default()).expect("an upload");
    upload.write(b"half").expect("a write");
    assert!(!storage.exists(key).expect("exists answers"), "an open upload shows");
    drop(upload);
    assert!(!storage.exists(key).expect("exists answers"), "an abandoned upload shows");
}

fn an_object_is_replaced_whole(storage: &dyn Storage, key: &Key) {
    write(storage, key, b"a long first body", true).expect("a write");
    let open = storage.open(key).expect("an object");
    write(storage, key, b"short", true).expect("a second write");
    assert_eq!(read(storage, key), b"short", "the old body shows through");
    match open.read_at(0, 6) {
        Ok(bytes) => assert_eq!(bytes, b"a long", "an open object changed"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
    }
}

fn creating_twice_is_a_conflict(storage: &dyn Storage, key: &Key) {
    write(storage, key, b"first", false).expect("the first creation");
    let second = write(storage, key, b"second", false);
    assert_eq!(second.err().map(|error| error.kind()), Some(ErrorKind::Conflict));
    assert_eq!(read(storage, key), b"first", "the second creation left something");
}

fn of_many_creators_one_wins(storage: &dyn Storage, key: &Key) {
    let barrier = Barrier::new(8);
    let create = |body: u8| {
        let options = PutOptions { overwrite: false, ..PutOptions::default() };
        let upload = storage.create(key, &options);
        barrier.wait();
        let commit = upload.and_then(|mut upload| {
            upload.write(&[body])?;
            upload.commit(&[])
        });
        match commit {
            Ok(_) => Some(body),
            Err(error) if error.kind() == ErrorKind::Conflict => None,
            Err(error) => panic!("a creator that came too late is told {error}"),
        }
    };
    let create = &create;
    let winners: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8).map(|body| scope.spawn(move || create(body))).collect();
        racers.into_iter().filter_map(|racer| racer.join().expect("no panic")).collect()
    });
    assert_eq!(winners.len(), 1, "not one creator won");
    assert_eq!(read(storage, key), winners, "another creator's body is there");
}

/// A store that knows no versions says so when one is named.
fn only_the_version_that_was_named_is_replaced(storage: &dyn Storage, key: &Key) {
    let replace = |tag: &ETag, body: &[u8]| -> Result<Option<ETag>> {
        let options = PutOptions { if_match: Some(tag.clone()), ..PutOptions::default() };
        let mut upload = storage.create(key, &options)?;
        upload.write(body)?;
        upload.commit(&[])
    };
    let mut upload = storage.create(key, &PutOptions::default()).expect("an upload");
    upload.write(b"first").expect("a write");
    let Some(first) = upload.commit(&[]).expect("a commit") else {
        let refused = replace(&ETag::new("1"), b"second").err().map(|error| error.kind());
        assert_eq!(refused, Some(ErrorKind::Configuration), "a version that means nothing");
        return;
    };
    let open = storage.open(key).expect("an object");
    assert_eq!(open.e_tag().as_ref(), Some(&first), "the tag of a write is not that of the object");
    let second = replace(&first, b"second").expect("the version is there").expect("a tag");
    assert_ne!(second, first, "another body has the same tag");
    let late = replace(&first, b"third").err().map(|error| error.kind());
    assert_eq!(late, Some(ErrorKind::Conflict), "a version that is gone was replaced");
    assert_eq!(read(storage, key), b"second", "the late writer left something");
    storage.delete(key).expect("a delete");
    let gone = replace(&second, b"fourth").err().map(|error| error.kind());
    assert_eq!(gone, Some(ErrorKind::Conflict), "what is gone was replaced");
    assert!(!storage.exists(key).expect("exists answers"), "what is gone came back");
}

fn deleted_is_gone(storage: &dyn Storage, key: &Key) {
    write(storage, key, b"x", true).expect("a write");
    storage.delete(key).expect("a delete");
    assert!(!storage.exists(key).expect("exists answers"), "a deleted object is there");
}

fn a_listing_names_every_object(storage: &dyn Storage, prefix: &str) {
    let names = ["list/a", "list/b/c", "list/b/d", "list/e"];
    for name in names {
        let key = Key::new(format!("{prefix}{name}")).expect("a key");
        write(storage, &key, name.as_bytes(), true).expect("a write");
    }
    let below = Key::new(format!("{prefix}list")).expect("a key");
    let listed = storage.list(&below).expect("a listing");
    let listed: Vec<_> = listed.map(|object| object.expect("an object")).collect();
    let keys: Vec<_> =
        listed.iter().map(|object| object.key.as_os_str().to_string_lossy()).collect();
    let expected: Vec<_> = names.iter().map(|name| format!("{prefix}{name}")).collect();
    assert_eq!(keys, expected, "the listing is wrong");
    assert!(listed.iter().zip(names).all(|(object, name)| object.size == name.len() as u64));
}
