//! The local disk, beyond what every store does.

use persist_core::{Key, LocalStorage, PutOptions, Storage};

#[cfg(feature = "conformance")]
#[test]
fn every_store_of_ours_passes_the_suite() {
    use persist_core::storage::conformance;

    let folder = tempfile::tempdir().unwrap();
    conformance::check(&LocalStorage::below(folder.path()), "a/");
    let absolute = format!("{}/b/", folder.path().to_str().unwrap());
    conformance::check(&LocalStorage::new(), &absolute);
    conformance::check(&persist_core::MemoryStorage::new(), "c/");
}

#[test]
fn an_upload_that_is_dropped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::below(folder.path());
    let key = Key::new("a/b.json.gz").unwrap();
    let mut upload = storage.create(&key, &PutOptions::default()).unwrap();
    upload.write(b"half").unwrap();
    drop(upload);
    assert_eq!(std::fs::read_dir(folder.path().join("a")).unwrap().count(), 0);
}

#[test]
fn a_listing_leaves_out_uploads_and_does_not_walk_in_circles() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::below(folder.path());
    for name in ["b.json.gz", "a/c.json.gz"] {
        let key = Key::new(name).unwrap();
        storage.create(&key, &PutOptions::default()).unwrap().commit(b"").unwrap();
    }
    std::os::unix::fs::symlink(folder.path(), folder.path().join("a/circle")).unwrap();
    let open = storage.create(&Key::new("open").unwrap(), &PutOptions::default()).unwrap();
    let listed: Vec<_> = storage
        .list(&Key::new(".").unwrap())
        .unwrap()
        .map(|o| o.unwrap().key.file_name())
        .collect();
    drop(open);
    assert_eq!(listed, ["c.json.gz", "b.json.gz"]);
}

#[test]
fn an_open_object_stays_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::below(folder.path());
    let key = Key::new("a").unwrap();
    storage.create(&key, &PutOptions::default()).unwrap().commit(b"").unwrap();
    let mut upload = storage.create(&key, &PutOptions::default()).unwrap();
    upload.write(b"old").unwrap();
    upload.commit(b"").unwrap();
    let object = storage.open(&key).unwrap();
    let mut upload = storage.create(&key, &PutOptions::default()).unwrap();
    upload.write(b"new").unwrap();
    upload.commit(b"").unwrap();
    assert_eq!(object.read_at(0, 9).unwrap(), b"old");
}

#[test]
fn what_is_deleted_meanwhile_spoils_no_listing() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::below(folder.path());
    for number in 0..3 {
        let key = Key::new(format!("a/{number}/x.json.gz")).unwrap();
        storage.create(&key, &PutOptions::default()).unwrap().commit(b"").unwrap();
    }
    let mut listed = storage.list(&Key::new("a").unwrap()).unwrap();
    listed.next().unwrap().unwrap();
    std::fs::remove_dir_all(folder.path().join("a/1")).unwrap();
    let rest: Vec<_> = listed.map(|object| object.unwrap().key).collect();
    assert_eq!(rest, [Key::new("a/2/x.json.gz").unwrap()]);
    let missing = storage.list(&Key::new("b").unwrap()).unwrap().next().unwrap();
    assert_eq!(missing.unwrap_err().kind(), persist_core::ErrorKind::NotFound);
}

#[test]
fn a_folder_is_no_object() {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::below(folder.path());
    std::fs::create_dir(folder.path().join("agents")).unwrap();
    for (name, what) in [("agents", "a folder"), (".", "the folder itself")] {
        assert!(!storage.exists(&Key::new(name).unwrap()).unwrap(), "{what}");
    }
    assert!(storage.stat(&Key::new("agents").unwrap()).is_err());
}
