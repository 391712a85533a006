//! A changed byte is an error, or changes nothing that anybody reads.

use persist_core::{ErrorKind, Limits, SaveOptions, snapshot};
use proptest::prelude::*;

fn file(compression: &str) -> Vec<u8> {
    let mut options = SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap());
    options.compression = Some(compression.to_owned());
    options.description = Some("a description".to_owned());
    let state = r#"{"messages":["hello","hello again"],"numbers":[1,2.5,-3e-7]}"#;
    snapshot::encode(state.as_bytes(), &[], &options).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_changed_byte_is_an_error_or_harmless(
        compression in prop_oneof!["gzip", "zstd", "none"],
        place in any::<prop::sample::Index>(),
        flip in 1_u8..=255,
    ) {
        let whole = file(&compression);
        let before = snapshot::decode(&whole, &Limits::DEFAULT.into()).unwrap();
        let mut changed = whole.clone();
        changed[place.index(whole.len())] ^= flip;
        if let Ok(after) = snapshot::decode(&changed, &Limits::DEFAULT.into()) {
            prop_assert_eq!(after, before);
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for start in [&b""[..], b"\x1f\x8b\x08\x04\0\0\0\0\0\xff", b"\x28\xb5\x2f\xfd\xa0", b"{"] {
            let _ = snapshot::decode(&[start, &bytes].concat(), &Limits::DEFAULT.into());
        }
    }
}

#[test]
fn every_cut_file_is_an_error() {
    for compression in ["gzip", "zstd", "none"] {
        let whole = file(compression);
        for length in 0..whole.len() {
            snapshot::decode(&whole[..length], &Limits::DEFAULT.into()).unwrap_err();
        }
    }
}

#[test]
fn bytes_behind_the_end_are_an_error() {
    for compression in ["gzip", "zstd", "none"] {
        let whole = file(compression);
        for extra in [&b"\0"[..], b"x", &whole] {
            let glued = [&whole, extra].concat();
            snapshot::decode(&glued, &Limits::DEFAULT.into()).unwrap_err();
        }
    }
}

#[test]
fn a_foreign_split_of_the_same_text_is_read() {
    use std::io::{Read, Write};

    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(&file("gzip")[..]).read_to_end(&mut text).unwrap();
    let mut packed = Vec::new();
    for part in text.chunks(1000) {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(part).unwrap();
        packed.extend(encoder.finish().unwrap());
    }
    let native = snapshot::decode(&file("gzip"), &Limits::DEFAULT.into()).unwrap();
    let foreign = snapshot::decode(&packed, &Limits::DEFAULT.into()).unwrap();
    assert_eq!(foreign.state, native.state);
}

#[test]
fn a_bomb_is_refused_before_it_fills_memory() {
    use std::io::Write;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..200 {
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let error = snapshot::decode(&encoder.finish().unwrap(), &Limits::DEFAULT.into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}
