//! The vectors in `tests/vectors`: files that each break one thing.

use std::fs;
use std::path::Path;

use persist_core::{Limits, Protection, snapshot};
use serde_json::{Map, Value};

fn judge(bytes: &[u8]) -> &'static str {
    match snapshot::decode(bytes, &Limits::DEFAULT.into()) {
        Err(error) => error.kind().code(),
        Ok(read) if read.protection == Protection::Full => "full",
        Ok(_) => "metadata unprotected",
    }
}

#[test]
fn every_vector_is_judged_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let index = fs::read(folder.join("vectors.json")).unwrap();
    let index: Map<String, Value> = serde_json::from_slice(&index).unwrap();
    assert!(index.len() > 100);
    for (name, vector) in &index {
        let bytes = fs::read(folder.join(format!("{name}.bin"))).unwrap();
        let verdict = judge(&bytes);
        let expected = vector["expect"].as_array().unwrap();
        assert!(expected.iter().any(|kind| kind == verdict), "{name}: {verdict}, {vector}");
    }
}
