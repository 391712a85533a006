//! What is refused before a cloud's store is asked, and what is never shown.

use persist_core::{
    Backend, CancelToken, CloudStorage, ErrorKind, Key, Location, Storage, StorageOptions,
};

fn variables(pairs: &[(&str, &str)]) -> StorageOptions {
    StorageOptions::new(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "name"),
    ("AWS_SECRET_ACCESS_KEY", "canary"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
];

#[test]
fn what_is_wrong_or_missing_is_named() {
    let cases = [
        ("s3://bucket/a", &KEYS[..2], vec![], "no region is set"),
        ("s3://bucket/a", &KEYS[1..], vec![], "AWS_ACCESS_KEY_ID is not set"),
        ("s3://bucket/a", &KEYS[..], vec![("zone", "x")], "the store has no option \"zone\""),
        ("s3://bucket/a", &KEYS[..], vec![("deadline", "soon")], "deadline is \"soon\""),
        ("s3://bucket/a", &KEYS[..], vec![("part_size", "1024")], "below 5 MiB"),
        ("s3://bucket/a", &KEYS[..], vec![("profile", "x")], "reads no AWS profiles"),
        ("s3://bucket?x/a", &KEYS[..], vec![], "\"bucket?x\" is not the name of a bucket"),
        ("az://container/a", &[][..], vec![], "no storage account is set"),
        (
            "az://container/a",
            &[("AZURE_STORAGE_CONNECTION_STRING", "canary")][..],
            vec![],
            "the connection string is not made of NAME=VALUE; parts",
        ),
    ];
    for (url, environment, values, words) in cases {
        let mut options = variables(environment);
        for (name, value) in values {
            options = options.set(name, value);
        }
        let error = Location::parse(url).unwrap().storage_with(&options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error:?}{options:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn a_key_that_a_store_takes_for_another_is_refused() {
    let storage = CloudStorage::new(Backend::S3, "bucket", variables(&KEYS)).unwrap();
    for name in ["/a", "a/", "a//b", "a/../b", "./a", "a/\n"] {
        let error = storage.stat(&Key::new(name).unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{name:?}");
    }
}

#[test]
fn a_dead_endpoint_fails_with_its_place_and_without_a_secret() {
    let options = variables(&KEYS).set("max_retries", "0");
    let storage = CloudStorage::new(Backend::S3, "bucket", options).unwrap();
    let error = storage.exists(&Key::new("a/b").unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.is_retryable());
    let text = r#"could not find "a/b" in s3://bucket: connection refused"#;
    assert_eq!(error.to_string(), text);
    let failed = error.failed().unwrap();
    assert_eq!((failed.store.as_str(), failed.operation), ("s3://bucket", "find"));
    assert!(!format!("{error:?}{storage:?}").contains("canary"));
}

#[test]
fn a_cancelled_token_ends_what_begins() {
    let cancel = CancelToken::new();
    cancel.cancel();
    let options = variables(&KEYS).with_cancel(cancel);
    let storage = CloudStorage::new(Backend::S3, "bucket", options).unwrap();
    let error = storage.stat(&Key::new("a").unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}
