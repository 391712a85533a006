//! The metadata of many snapshots.

use persist_core::{
    ErrorKind, Key, MemoryStorage, PutOptions, ReadOptions, SaveOptions, Storage, snapshot,
};

fn key(number: u64) -> Key {
    Key::new(format!("{number:03}.json.gz")).unwrap()
}

#[test]
fn metadata_of_many_comes_in_order_and_a_bad_one_spoils_no_other() {
    let storage = MemoryStorage::new();
    for number in 0..100 {
        let mut options = SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap());
        options.snapshot_index = number;
        snapshot::save(&storage, &key(number), b"[]", &[], &options).unwrap();
    }
    storage.create(&key(50), &PutOptions::default()).unwrap().commit(b"").unwrap();
    storage.delete(&key(99)).unwrap();
    let keys: Vec<_> = (0..100).map(key).collect();
    let found = snapshot::read_metadata_of_all(&storage, &keys, &ReadOptions::default());
    assert_eq!(found.len(), keys.len());
    for (number, metadata) in (0..).zip(found) {
        match number {
            50 => assert_eq!(metadata.unwrap_err().kind(), ErrorKind::Format),
            99 => assert_eq!(metadata.unwrap_err().kind(), ErrorKind::NotFound),
            _ => assert_eq!(metadata.unwrap().snapshot_index, number),
        }
    }
}
