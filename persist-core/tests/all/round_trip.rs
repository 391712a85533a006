//! What is saved comes back, for any state, algorithm and cut marks.

use persist_core::{
    Algorithms, Key, Limits, MemoryStorage, Object, PutOptions, SaveOptions, Storage, snapshot,
};
use proptest::prelude::*;

fn options(compression: &str) -> SaveOptions {
    let mut options = SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap());
    options.compression = Some(compression.to_owned());
    options
}

/// Any JSON text, as a tree that is printed with random white space.
fn json() -> impl Strategy<Value = String> {
    let space = prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\n\t")];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|v| format!("{v:e}")),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    let tree = leaf.prop_recursive(6, 64, 8, move |inner| {
        let items = prop::collection::vec(inner, 0..8);
        (items, space.clone(), any::<bool>()).prop_map(|(items, space, is_object)| {
            let join = |parts: Vec<String>| parts.join(&format!("{space},{space}"));
            if is_object {
                let member = |(n, item)| format!("\"k{n}\"{space}:{item}");
                format!("{{{}}}", join(items.into_iter().enumerate().map(member).collect()))
            } else {
                format!("[{}]", join(items))
            }
        })
    });
    tree.boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_saved_state_comes_back_to_the_byte(
        state in json(),
        marks in prop::collection::vec(0_usize..200, 0..8),
        compression in prop_oneof!["gzip", "zstd", "none"],
    ) {
        let mut marks = marks;
        marks.sort_unstable();
        let bytes = snapshot::encode(state.as_bytes(), &marks, &options(&compression)).unwrap();
        let loaded = snapshot::decode(&bytes, &Limits::DEFAULT.into()).unwrap();
        prop_assert_eq!(loaded.state, state.as_bytes());
        prop_assert_eq!(loaded.metadata.uncompressed_size, state.len() as u64);
    }
}

#[test]
fn a_large_state_is_cut_into_blocks_and_comes_back() {
    let items: Vec<_> = (0..400_000).map(|n| format!("\"message number {n}\"")).collect();
    let state = format!("[{}]", items.join(","));
    let marks: Vec<_> = state.match_indices(',').map(|(place, _)| place).collect();
    for compression in ["gzip", "zstd", "none"] {
        let bytes = snapshot::encode(state.as_bytes(), &marks, &options(compression)).unwrap();
        let loaded = snapshot::decode(&bytes, &Limits::DEFAULT.into()).unwrap();
        assert!(loaded.state == state.as_bytes());
        assert_eq!(loaded.metadata.block_root.is_some(), compression != "none");
    }
}

#[test]
fn a_copy_is_the_same_bytes_in_every_layout() {
    let (storage, keys) =
        (MemoryStorage::new(), ["from", "to"].map(|name| Key::new(name).unwrap()));
    let noise = |length: u64| {
        let digits = (0..length).map(|n| n.wrapping_mul(6_364_136_223_846_793_005).to_string());
        format!("[{}]", digits.collect::<Vec<_>>().join(","))
    };
    let states = [1, 120_000].map(noise);
    for (compression, description) in
        ["gzip", "zstd", "none"].into_iter().flat_map(|name| [(name, 0), (name, 9000)])
    {
        for state in &states {
            let mut options = options(compression);
            options.description = Some("x".repeat(description));
            snapshot::save(&storage, &keys[0], state.as_bytes(), &[], &options).unwrap();
            let (from, to) = ((&storage as _, &keys[0]), (&storage as _, &keys[1]));
            snapshot::copy(from, to, &PutOptions::default(), &Limits::DEFAULT.into()).unwrap();
            let [from, to] = keys.each_ref().map(|key| storage.open(key).unwrap());
            let bytes = |object: &dyn Object| object.read_at(0, 100 << 20).unwrap();
            assert!(bytes(&*from) == bytes(&*to), "{compression} {description} {}", state.len());
        }
    }
}

#[test]
fn the_metadata_costs_one_page_whatever_the_size() {
    let storage = MemoryStorage::new();
    let key = Key::new("a.json.gz").unwrap();
    let state = format!("\"{}\"", "abc ".repeat(1_000_000));
    let saved = snapshot::save(&storage, &key, state.as_bytes(), &[], &options("gzip")).unwrap();
    let head = persist_core::Storage::open(&storage, &key).unwrap().read_at(0, 4096).unwrap();
    let page = Key::new("page").unwrap();
    let put = persist_core::PutOptions { head_length: 4096, ..Default::default() };
    persist_core::Storage::create(&storage, &page, &put).unwrap().commit(&head).unwrap();
    let read = snapshot::read_metadata(&storage, &page, &Limits::DEFAULT.into()).unwrap();
    assert_eq!(read, saved);
}

#[test]
fn metadata_of_many_pages_comes_back() {
    let storage = MemoryStorage::new();
    let key = Key::new("a.json.gz").unwrap();
    let mut options = options("gzip");
    options.description = Some("long ".repeat(10_000));
    let saved = snapshot::save(&storage, &key, b"1", &[], &options).unwrap();
    let read = snapshot::read_metadata(&storage, &key, &Limits::DEFAULT.into()).unwrap();
    assert_eq!(read, saved);
    options.description = Some("long ".repeat(14_000));
    let error = snapshot::save(&storage, &key, b"1", &[], &options).unwrap_err();
    assert_eq!(error.kind(), persist_core::ErrorKind::LimitExceeded);
}

#[test]
fn the_writer_refuses_what_a_reader_would() {
    let deep = format!("{}{}", "[".repeat(513), "]".repeat(513));
    for state in ["", " 1", "{\"a\":1,\"a\":2}", "[1,]", &deep, &"1".repeat(4301), "\"\\ud800\""] {
        snapshot::encode(state.as_bytes(), &[], &options("gzip")).unwrap_err();
    }
    let dense = format!("\"{}\"", "a".repeat(80 << 20));
    snapshot::encode(dense.as_bytes(), &[], &options("zstd")).unwrap_err();
}

#[test]
fn an_algorithm_of_a_third_party_is_used_by_name() {
    use persist_core::{Algorithm, Container, Level, ReadOptions, Result};

    #[derive(Debug)]
    struct Inverted;

    impl Algorithm for Inverted {
        fn name(&self) -> &'static str {
            "x-inverted"
        }
        fn container(&self) -> Container {
            Container::Private
        }
        fn compress(&self, block: &[u8], _: Level) -> Result<Vec<u8>> {
            Ok(block.iter().map(|byte| !byte).collect())
        }
        fn decompress(&self, bytes: &[u8], _: usize) -> Result<Vec<u8>> {
            Ok(bytes.iter().map(|byte| !byte).collect())
        }
    }

    let algorithms = Algorithms::default().with(std::sync::Arc::new(Inverted)).unwrap();
    let mut options = options("x-inverted");
    options.algorithms = algorithms.clone();
    let bytes = snapshot::encode(b"{\"a\":1}", &[], &options).unwrap();
    let mut reading = ReadOptions::default();
    snapshot::decode(&bytes, &reading).unwrap_err();
    reading.algorithms = algorithms;
    assert_eq!(snapshot::decode(&bytes, &reading).unwrap().state, b"{\"a\":1}");
}
