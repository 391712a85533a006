//! Runs the conformance suite on the store of a URL; the environment says how it is reached.
//!
//! `cargo run -p persist-core --example check_store --features conformance -- s3://bucket/check/`

use persist_core::storage::conformance;
use persist_core::{Location, StorageOptions};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args()
        .find(|text| text.contains("://"))
        .unwrap_or_else(|| "memory://check/check/".into());
    let location = Location::parse(&url)?;
    let storage = location.storage_with(&StorageOptions::new(std::env::vars()))?;
    conformance::check(&*storage, &location.key().as_os_str().to_string_lossy());
    Ok(())
}
