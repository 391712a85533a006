//! A service of your own that keeps snapshots where its operator says: a folder, S3, Azure, Google.
//!
//! `cargo run -p persist-core --example copy_to_cloud -- s3://bucket/agents` with `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY` and `AWS_REGION` set; without an argument, in memory.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use persist_core::{Key, Limits, Location, PutOptions, SaveOptions, StorageOptions, snapshot};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args()
        .find(|text| text.contains("://"))
        .unwrap_or_else(|| "memory://example/agents".into());
    let options = StorageOptions::new(std::env::vars()).set("deadline", "10");
    let prefix = Location::parse(&url)?;
    let storage = prefix.storage_with(&options)?;

    let key = Key::new(prefix.key().as_path().join("support.json.gz"))?;
    let save = SaveOptions::at("2026-11-24T10:00:00Z".parse()?);
    let first = snapshot::save_version(&*storage, &key, br#"{"turns":3}"#, &[], &save)?;

    // Another writer who read the same version would be told that it was replaced.
    let mut next = SaveOptions::again(&first.metadata);
    next.if_match.clone_from(&first.e_tag);
    snapshot::save(&*storage, &key, br#"{"turns":4}"#, &[], &next)?;

    let (here, copy) = (Location::parse("memory://example/copies")?, Key::new("support.json.gz")?);
    let target = here.storage()?;
    let put = PutOptions { overwrite: false, ..PutOptions::default() };
    snapshot::copy((&*storage, &key), (&*target, &copy), &put, &Limits::DEFAULT.into())?;

    for found in storage.list(prefix.key())? {
        let found = found?;
        println!("{} holds {} bytes", prefix.with_key(found.key), found.size);
    }
    storage.delete(&key)?;
    Ok(())
}
