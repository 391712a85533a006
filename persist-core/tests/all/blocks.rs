//! Large files are read block by block: the verdict is the one of reading them as a whole.

use std::fmt::Write as _;

use persist_core::{
    ErrorKind, Key, LocalStorage, MemoryStorage, PutOptions, ReadOptions, SaveOptions, Storage,
    snapshot,
};

/// 6 MB of text that does not compress well, with texts and numbers on every edge of a block.
fn large_state() -> Vec<u8> {
    let mut state = String::from("[");
    for number in 0_u64..90_000 {
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        write!(state, "{{\"id\":{mixed},\"text\":\"é{mixed:x}\\n\",\"n\":[]}},").unwrap();
    }
    state.push_str("null]");
    state.into_bytes()
}

fn options(algorithm: &str) -> SaveOptions {
    let mut options = SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap());
    options.compression = Some(algorithm.into());
    options
}

fn store(bytes: &[u8]) -> (MemoryStorage, Key) {
    let (storage, key) = (MemoryStorage::new(), Key::new("snapshot").unwrap());
    storage.create(&key, &PutOptions::default()).unwrap().write_and_commit(bytes);
    (storage, key)
}

trait WriteAndCommit {
    fn write_and_commit(self, bytes: &[u8]);
}

impl WriteAndCommit for Box<dyn persist_core::Upload> {
    fn write_and_commit(mut self, bytes: &[u8]) {
        self.write(bytes).unwrap();
        self.commit(&[]).unwrap();
    }
}

#[test]
fn a_large_snapshot_of_every_algorithm_passes() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::below(folder.path());
    for algorithm in ["gzip", "zstd", "none"] {
        let key = Key::new(format!("agent-{algorithm}")).unwrap();
        let saved =
            snapshot::save(&storage, &key, &large_state(), &[], &options(algorithm)).unwrap();
        let verified = snapshot::verify(&storage, &key, &ReadOptions::default()).unwrap();
        assert_eq!(verified.metadata, saved);
    }
}

#[test]
fn a_changed_byte_anywhere_in_a_large_file_is_found() {
    for algorithm in ["gzip", "zstd"] {
        let file = snapshot::encode(&large_state(), &[], &options(algorithm)).unwrap();
        for place in (0..file.len()).step_by(file.len() / 16).chain([file.len() - 1]) {
            let mut changed = file.clone();
            changed[place] ^= 0x10;
            let (storage, key) = store(&changed);
            let whole = snapshot::load(&storage, &key, &ReadOptions::default()).unwrap_err();
            let streamed = snapshot::verify(&storage, &key, &ReadOptions::default()).unwrap_err();
            assert_eq!(streamed.to_string(), whole.to_string(), "{algorithm}, byte {place}");
        }
    }
}

#[test]
fn a_large_file_that_is_cut_fails() {
    let file = snapshot::encode(&large_state(), &[], &options("gzip")).unwrap();
    for length in [300_000, file.len() / 2, file.len() - 1] {
        let (storage, key) = store(&file[..length]);
        let error = snapshot::verify(&storage, &key, &ReadOptions::default()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Integrity | ErrorKind::Format), "{error}");
    }
}
