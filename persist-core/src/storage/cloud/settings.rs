//! The options of a store: by name, from the caller or from the environment.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use object_store::{BackoffConfig, ClientOptions, RetryConfig, TagSet};

use crate::error::{Error, ErrorKind, Result};
use crate::storage::StorageOptions;

/// An option of one cloud, and the variables that set it, the strongest first.
pub(super) type Row = (&'static str, &'static [&'static str]);

/// The options of every cloud.
pub(super) const COMMON: [&str; 8] = [
    "connect_timeout",
    "request_timeout",
    "deadline",
    "max_retries",
    "multipart_threshold",
    "part_size",
    "parts_in_flight",
    "storage_class",
];

/// `tag.team` is the tag `team` of every object that is written.
const TAG: &str = "tag.";

/// What carries the condition on an object that is written in parts; an option of S3 alone.
pub(super) const MULTIPART_CONDITION: &str = "multipart_condition";

/// S3 takes no smaller parts but the last.
const SMALLEST_PART: usize = 5 << 20;

/// How requests are made and retried, and how objects are written.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) connect_timeout: Duration,
    /// The longest that one request may take.
    pub(super) request_timeout: Duration,
    /// The longest that an operation with little to move may take, retries and all.
    pub(super) deadline: Duration,
    pub(super) max_retries: usize,
    /// An object that is longer is written in parts.
    pub(super) multipart_threshold: usize,
    pub(super) part_size: usize,
    pub(super) parts_in_flight: usize,
    pub(super) storage_class: Option<String>,
    pub(super) tags: TagSet,
    /// Whether a server of S3 looks at conditions when parts are completed, and not when it copies.
    pub(super) completes_under_condition: bool,
}

impl Settings {
    pub(super) fn of(options: &StorageOptions) -> Result<Self> {
        let values = &options.values;
        let part_size = number(values, "part_size", 8 << 20)?;
        if part_size < SMALLEST_PART {
            let message = format!("part_size is {part_size}; stores take no parts below 5 MiB");
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let threshold: usize = number(values, "multipart_threshold", 16 << 20)?;
        Ok(Self {
            connect_timeout: seconds(values, "connect_timeout", 5.0)?,
            request_timeout: seconds(values, "request_timeout", 60.0)?,
            deadline: seconds(values, "deadline", 30.0)?,
            max_retries: number(values, "max_retries", 10)?,
            multipart_threshold: threshold.max(part_size),
            part_size,
            parts_in_flight: number(values, "parts_in_flight", 4)?.max(1),
            storage_class: values.get("storage_class").cloned(),
            tags: tags(values),
            completes_under_condition: completes_under_condition(values)?,
        })
    }

    pub(super) fn client(&self, allow_http: bool) -> ClientOptions {
        ClientOptions::new()
            .with_user_agent(http::HeaderValue::from_static(concat!(
                "persist/",
                env!("CARGO_PKG_VERSION")
            )))
            .with_connect_timeout(self.connect_timeout)
            .with_timeout(self.request_timeout)
            .with_allow_http(allow_http)
    }

    pub(super) fn retry(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(5),
                base: 2.0,
            },
            max_retries: self.max_retries,
            retry_timeout: self.deadline,
        }
    }
}

fn completes_under_condition(values: &BTreeMap<String, String>) -> Result<bool> {
    match values.get(MULTIPART_CONDITION).map(String::as_str) {
        None | Some("copy") => Ok(false),
        Some("complete") => Ok(true),
        Some(other) => Err(wrong(MULTIPART_CONDITION, other, "copy or complete")),
    }
}

fn number<T: FromStr>(values: &BTreeMap<String, String>, name: &str, default: T) -> Result<T> {
    let Some(text) = values.get(name) else { return Ok(default) };
    text.parse().map_err(|_| wrong(name, text, "a whole number"))
}

fn seconds(values: &BTreeMap<String, String>, name: &str, default: f64) -> Result<Duration> {
    let seconds = match values.get(name) {
        Some(text) => text.parse().map_err(|_| wrong(name, text, "a number of seconds"))?,
        None => default,
    };
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| wrong(name, &seconds.to_string(), "a number of seconds above 0"))
}

fn tags(values: &BTreeMap<String, String>) -> TagSet {
    let mut tags = TagSet::default();
    for (name, value) in values {
        if let Some(name) = name.strip_prefix(TAG) {
            tags.push(name, value);
        }
    }
    tags
}

fn wrong(name: &str, text: &str, wanted: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("{name} is {text:?}, not {wanted}"))
}

/// What is set of a table's options: by the caller, else by the environment.
#[derive(Debug)]
pub(super) struct Found {
    set: BTreeMap<&'static str, String>,
}

impl Found {
    /// Fails with `Configuration` for a value that this cloud has no option for.
    pub(super) fn of(options: &StorageOptions, table: &[Row]) -> Result<Self> {
        let names = || table.iter().map(|(name, _)| *name).chain(COMMON);
        let unknown = options
            .values
            .keys()
            .find(|name| !name.starts_with(TAG) && !names().any(|known| known == *name));
        if let Some(name) = unknown {
            let message = format!("the store has no option {name:?}");
            let known: Vec<_> = names().collect();
            return Err(Error::new(ErrorKind::Configuration, message)
                .with_hint(format!("its options are {} and tag.NAME", known.join(", "))));
        }
        let value = |(name, variables): &Row| {
            let of_variable = || variables.iter().find_map(|name| options.environment.get(*name));
            Some((*name, options.values.get(*name).or_else(of_variable)?.clone()))
        };
        Ok(Self { set: table.iter().filter_map(value).collect() })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.set.get(name).map(String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.set.contains_key(name)
    }

    /// Forgets an option.
    pub(super) fn remove(&mut self, name: &str) {
        self.set.remove(name);
    }

    /// Sets an option that is not set.
    pub(super) fn fill(&mut self, name: &'static str, value: &str) {
        self.set.entry(name).or_insert_with(|| value.to_owned());
    }

    /// Whether an option that is true or false is true.
    pub(super) fn is_on(&self, name: &str) -> Result<bool> {
        match self.get(name).map(str::to_lowercase).as_deref() {
            None | Some("false" | "0" | "no") => Ok(false),
            Some("true" | "1" | "yes" | "requester") => Ok(true),
            Some(other) => Err(wrong(name, other, "true or false")),
        }
    }

    /// The options that are set, with the names that `object_store` has for them.
    pub(super) fn named<'a, K: Copy>(
        &'a self,
        names: &'a [(&'static str, K)],
    ) -> impl Iterator<Item = (K, &'a str)> {
        names.iter().filter_map(|(name, key)| Some((*key, self.get(name)?)))
    }
}
