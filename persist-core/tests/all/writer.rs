//! A state that arrives in pieces is saved like one that is there.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use persist_core::{
    Algorithm, Algorithms, Container, ETag, Error, ErrorKind, Key, Level, Limits, MemoryStorage,
    Object, ObjectInfo, PutOptions, Result, SaveOptions, Storage, Upload, snapshot,
};
use proptest::prelude::*;

fn options(compression: &str) -> SaveOptions {
    let mut options = SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap());
    options.compression = Some(compression.to_owned());
    options
}

fn key() -> Key {
    Key::new("agent").unwrap()
}

fn file(storage: &dyn Storage) -> Vec<u8> {
    let object = storage.open(&key()).unwrap();
    object.read_at(0, usize::try_from(object.size()).unwrap()).unwrap()
}

/// About this many bytes of text, which compress as a conversation does.
fn state(length: usize) -> String {
    let mut state = String::from("[0");
    let mut number = 1_u64;
    while state.len() < length {
        number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
        write!(state, ",{{\"id\":{number},\"text\":\"message é {:x}\"}}", number >> 40).unwrap();
    }
    state.push(']');
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn pieces_make_the_file_of_the_whole(
        length in prop_oneof![0_usize..5000, 900_000_usize..1_200_000, 2_000_000_usize..4_500_000],
        pieces in prop::collection::vec(1_usize..700_000, 1..6),
        mark_each in 1_usize..9,
        compression in prop_oneof!["gzip", "zstd", "none"],
        trusted in any::<bool>(),
    ) {
        let (state, options) = (state(length), options(&compression));
        let storage = MemoryStorage::new();
        let begin = if trusted { snapshot::begin_trusted } else { snapshot::begin };
        let mut writer = begin(&storage, &key(), &options).unwrap();
        let (mut rest, mut start, mut marks) = (state.as_bytes(), 0, Vec::new());
        for (turn, piece) in pieces.iter().cycle().enumerate() {
            let (piece, behind) = rest.split_at((*piece).min(rest.len()));
            writer.write(piece).unwrap();
            start += piece.len();
            if turn % mark_each == 0 {
                writer.mark();
                marks.push(start);
            }
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        let metadata = writer.finish().unwrap();
        let whole = snapshot::encode(state.as_bytes(), &marks, &options).unwrap();
        prop_assert!(file(&storage) == whole);
        prop_assert_eq!(metadata, snapshot::decode(&whole, &Limits::DEFAULT.into()).unwrap().metadata);
    }
}

#[test]
fn a_dropped_writer_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let storage = persist_core::LocalStorage::below(folder.path());
    snapshot::save(&storage, &key(), b"1", &[], &options("gzip")).unwrap();
    let before = file(&storage);
    for length in [10, 5_000_000] {
        let mut writer = snapshot::begin(&storage, &key(), &options("gzip")).unwrap();
        writer.write(state(length).as_bytes()).unwrap();
        drop(writer);
        assert_eq!(file(&storage), before);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

/// Writes until the writer refuses, then finishes; returns the error.
fn error_of(storage: &dyn Storage, state: &[u8], options: &SaveOptions) -> Error {
    let mut writer = snapshot::begin(storage, &key(), options).unwrap();
    for piece in state.chunks(100_000) {
        if let Err(error) = writer.write(piece) {
            return error;
        }
    }
    writer.finish().unwrap_err()
}

#[test]
fn what_is_no_json_is_refused_however_long_it_is() {
    for length in [10, 1_500_000, 3_000_000] {
        let whole = state(length);
        for spoil in [",]", "\u{1}", "]]", "{\"a\":1,\"a\":2}]", "\"\\ud800\"]"] {
            for place in [length / 2, length - 1] {
                let mut state = whole.clone();
                let at = state.match_indices(',').map(|(at, _)| at).find(|at| *at >= place / 2);
                state.replace_range(at.unwrap_or(2)..at.unwrap_or(2), spoil);
                let error = error_of(&MemoryStorage::new(), state.as_bytes(), &options("none"));
                assert_eq!(error.kind(), ErrorKind::Format, "{length} {spoil:?} {error}");
            }
        }
    }
}

/// Fails, or panics, at a given block.
#[derive(Debug)]
struct Bad {
    left: AtomicUsize,
    panics: bool,
}

impl Algorithm for Bad {
    fn name(&self) -> &'static str {
        "x-bad"
    }
    fn container(&self) -> Container {
        Container::Private
    }
    fn compress(&self, block: &[u8], _: Level) -> Result<Vec<u8>> {
        let left = self.left.fetch_sub(1, Ordering::Relaxed);
        assert!(left != 1 || !self.panics, "as asked");
        if left == 1 {
            return Err(Error::new(ErrorKind::NoSpace, "as asked"));
        }
        Ok(block.to_vec())
    }
    fn decompress(&self, bytes: &[u8], _: usize) -> Result<Vec<u8>> {
        Ok(bytes.to_vec())
    }
}

#[test]
fn an_algorithm_that_fails_or_panics_on_a_thread_is_an_error() {
    for (left, panics, kind) in [
        (1, false, ErrorKind::NoSpace),
        (4, false, ErrorKind::NoSpace),
        (4, true, ErrorKind::Storage),
    ] {
        let bad = Bad { left: AtomicUsize::new(left), panics };
        let mut options = options("x-bad");
        options.algorithms = Algorithms::default().with(Arc::new(bad)).unwrap();
        let storage = MemoryStorage::new();
        let error = error_of(&storage, state(8_000_000).as_bytes(), &options);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!storage.exists(&key()).unwrap());
    }
}

/// A store that takes only so many writes.
#[derive(Debug)]
struct Full(MemoryStorage, usize);

struct FullUpload(Box<dyn Upload>, usize);

impl Storage for Full {
    fn open(&self, key: &Key) -> Result<Box<dyn Object>> {
        self.0.open(key)
    }
    fn create(&self, key: &Key, options: &PutOptions) -> Result<Box<dyn Upload>> {
        Ok(Box::new(FullUpload(self.0.create(key, options)?, self.1)))
    }
    fn stat(&self, key: &Key) -> Result<ObjectInfo> {
        self.0.stat(key)
    }
    fn delete(&self, key: &Key) -> Result<()> {
        self.0.delete(key)
    }
    fn list(&self, prefix: &Key) -> Result<Box<dyn Iterator<Item = Result<ObjectInfo>> + '_>> {
        self.0.list(prefix)
    }
}

impl Upload for FullUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.1 = self
            .1
            .checked_sub(1)
            .ok_or_else(|| Error::new(ErrorKind::NoSpace, "the store is full"))?;
        self.0.write(bytes)
    }
    fn commit(self: Box<Self>, head: &[u8]) -> Result<Option<ETag>> {
        self.0.commit(head)
    }
}

#[test]
fn a_store_that_fails_on_the_way_is_an_error_and_nothing_shows() {
    for writes in [0, 1, 5] {
        let storage = Full(MemoryStorage::new(), writes);
        let error = error_of(&storage, state(8_000_000).as_bytes(), &options("gzip"));
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
        assert!(!storage.exists(&key()).unwrap());
    }
}
