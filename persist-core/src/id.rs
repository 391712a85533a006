//! Names of agents, sessions and snapshots: types, parsed once.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};

macro_rules! name_type {
    ($name:ident, $noun:literal, $default:literal) => {
        #[doc = concat!("The name of ", $noun, ": any text that is not empty.")]
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Takes a name; an empty one is a configuration error.
            pub fn new(name: impl Into<String>) -> Result<Self> {
                let name = name.into();
                if name.is_empty() {
                    let message = concat!("the name of ", $noun, " is empty");
                    return Err(Error::new(ErrorKind::Configuration, message));
                }
                Ok(Self(name))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type!(AgentId, "an agent", "default_agent");
name_type!(SessionId, "a session", "default_session");

/// The id of one snapshot: a UUID (RFC 9562), version 7 in those that we make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SnapshotId(Uuid);

impl SnapshotId {
    /// Makes a version 7 id whose leading digits are this time, so that ids sort by time.
    pub fn at(timestamp: Timestamp) -> Self {
        let seconds = u64::try_from(timestamp.as_second()).unwrap_or(0);
        let nanoseconds = u32::try_from(timestamp.subsec_nanosecond()).unwrap_or(0);
        let time = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds);
        Self(Uuid::new_v7(time))
    }
}

impl FromStr for SnapshotId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
        parsed.map(Self).ok_or_else(|| {
            Error::new(ErrorKind::Format, format!("snapshot id {text:?} is not a UUID"))
        })
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let early = SnapshotId::at(Timestamp::from_second(1_700_000_000).unwrap());
        let late = SnapshotId::at(Timestamp::from_second(1_700_000_001).unwrap());
        assert!(early < late);
        assert_eq!(early.to_string().parse::<SnapshotId>().unwrap(), early);
    }

    #[test]
    fn an_empty_name_is_refused() {
        assert_eq!(AgentId::new("").unwrap_err().kind(), ErrorKind::Configuration);
        assert_eq!(AgentId::default().as_str(), "default_agent");
    }
}
