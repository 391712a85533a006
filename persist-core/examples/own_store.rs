//! A service of your own with a store of your own: snapshots that are kept under a prefix.
//!
//! Run it with `cargo run -p persist-core --example own_store --features conformance`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use persist_core::{
    Key, Limits, LocalStorage, Object, ObjectInfo, PutOptions, Result, SaveOptions, Storage,
    Upload, snapshot, storage::conformance,
};

/// Puts a tenant's name in front of every key of another store.
#[derive(Debug)]
struct Tenant<S> {
    name: String,
    inner: S,
}

impl<S: Storage> Tenant<S> {
    fn key(&self, key: &Key) -> Result<Key> {
        Key::new(format!("{}/{}", self.name, key.as_os_str().to_string_lossy()))
    }

    fn own(&self, mut object: ObjectInfo) -> Result<ObjectInfo> {
        let text = object.key.as_os_str().to_string_lossy().into_owned();
        object.key = Key::new(text.strip_prefix(&format!("{}/", self.name)).unwrap_or(&text))?;
        Ok(object)
    }
}

impl<S: Storage> Storage for Tenant<S> {
    fn open(&self, key: &Key) -> Result<Box<dyn Object>> {
        self.inner.open(&self.key(key)?)
    }

    fn create(&self, key: &Key, options: &PutOptions) -> Result<Box<dyn Upload>> {
        self.inner.create(&self.key(key)?, options)
    }

    fn stat(&self, key: &Key) -> Result<ObjectInfo> {
        self.own(self.inner.stat(&self.key(key)?)?)
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.inner.delete(&self.key(key)?)
    }

    fn list(&self, prefix: &Key) -> Result<Box<dyn Iterator<Item = Result<ObjectInfo>> + '_>> {
        let listed = self.inner.list(&self.key(prefix)?)?;
        Ok(Box::new(listed.map(|object| object.and_then(|object| self.own(object)))))
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let storage = Tenant { name: "acme".into(), inner: LocalStorage::below(folder.path()) };
    conformance::check(&storage, "check/");

    let key = Key::new("support/ticket-7.json.gz")?;
    let options = SaveOptions::at("2026-11-24T10:00:00Z".parse()?);
    let metadata = snapshot::save(&storage, &key, br#"{"turns":3}"#, &[], &options)?;
    let loaded = snapshot::load(&storage, &key, &Limits::DEFAULT.into())?;
    println!("{} holds {}", metadata.snapshot_id, String::from_utf8(loaded.state)?);
    Ok(())
}
