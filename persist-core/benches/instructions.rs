//! One operation of the core, for counting its instructions: see `benches/instructions.py`.
//!
//! Nothing here depends on the disk, the clock or the number of cores: the state is the same each
//! time, small enough to be packed and read without threads, and kept in memory.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::fmt::Write as _;

use persist_core::{Key, MemoryStorage, ReadOptions, SaveOptions, snapshot};

const LARGE: usize = 1_500_000;
const SMALL: usize = 10_000;
const WORDS: [&str; 16] = [
    "the", "model", "of", "answers", "a", "tool", "call", "with", "weather", "in", "Paris", "café",
    "is", "and", "12.5", "degrees",
];

/// A conversation of about this many bytes, and where its messages end.
fn conversation(length: usize) -> (String, Vec<usize>) {
    let (mut state, mut marks) = (String::from("["), Vec::new());
    let mut seed = 1_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 40).unwrap()
    };
    while state.len() < length {
        let kind = ["HumanMessage", "AIMessage", "ToolMessage"][marks.len() % 3];
        write!(
            state,
            r#"{{"lc":1,"type":"constructor","id":["langchain","schema","messages","{kind}"],"#
        )
        .unwrap();
        write!(state, r#""kwargs":{{"id":"run-{:x}{:x}","content":""#, random(), random()).unwrap();
        for _ in 0..(10 + random() % 90) {
            // Common words are common, as in a language.
            let word = WORDS[(random() % 16) * (random() % 16) / 16];
            write!(state, "{word}{} ", random() % 50).unwrap();
        }
        state.push_str(r#"\n","tool_calls":[],"usage":{"total_tokens":812,"score":0.25}}},"#);
        marks.push(state.len());
    }
    state.push_str("null]");
    (state, marks)
}

fn save(length: usize, compression: &str, storage: &MemoryStorage, key: &Key) {
    let (state, marks) = conversation(length);
    let mut options = SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap());
    options.compression = Some(compression.to_owned());
    options.snapshot_id = "01a20cff-7d00-7803-9c58-ad40960d168c".parse().unwrap();
    if compression != "no" {
        snapshot::save(storage, key, state.as_bytes(), &marks, &options).unwrap();
    }
}

fn main() {
    let operation = std::env::args().nth(1).unwrap_or_default();
    let (storage, key) = (MemoryStorage::new(), Key::new("agent").unwrap());
    let options = ReadOptions::default();
    match operation.as_str() {
        "large state" => save(LARGE, "no", &storage, &key),
        "small state" => save(SMALL, "no", &storage, &key),
        "save large gzip" => save(LARGE, "gzip", &storage, &key),
        "save large zstd" => save(LARGE, "zstd", &storage, &key),
        "save small gzip" => save(SMALL, "gzip", &storage, &key),
        "verify large gzip" => {
            save(LARGE, "gzip", &storage, &key);
            snapshot::verify(&storage, &key, &options).unwrap();
        }
        "read metadata" => {
            save(SMALL, "gzip", &storage, &key);
            for _ in 0..100 {
                snapshot::read_metadata(&storage, &key, &options).unwrap();
            }
        }
        // `cargo bench` names no operation.
        _ => {}
    }
}
