//! Whether a store can keep snapshots, and how fresh those are that it keeps.
//!
//! [`probe`] asks the store little, and can be asked often; [`check`] lists it as well, for the newest
//! snapshot of each agent. Who checks again and again keeps a [`Freshness`]: what was read once is not
//! read again.

mod freshness;
mod probe;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::storage::{Key, Storage};

pub use freshness::{Freshness, Newest};
pub use probe::probe;

/// One thing that was checked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Check {
    /// What was checked, in one word.
    pub name: &'static str,
    /// What was found, for people; or why it failed.
    pub outcome: Result<String>,
}

/// What is known of a store.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Health {
    /// Every check, in the order in which they were made.
    pub checks: Vec<Check>,
    /// The newest snapshot of each agent, by the agent's name.
    pub agents: BTreeMap<String, Newest>,
}

impl Health {
    /// The first check that failed.
    pub fn failure(&self) -> Option<&Error> {
        self.checks.iter().find_map(|check| check.outcome.as_ref().err())
    }

    /// All of it as JSON: `healthy`, `checks` and `agents`.
    pub fn to_value(&self) -> Value {
        let agent = |(name, newest): (&String, &Newest)| {
            json!({
                "agent_id": name,
                "path": newest.key.as_os_str().to_string_lossy(),
                "timestamp": newest.timestamp.to_string(),
                "age_seconds": newest.age_seconds,
            })
        };
        json!({
            "healthy": self.failure().is_none(),
            "checks": self.checks.iter().map(check_as_json).collect::<Vec<_>>(),
            "agents": self.agents.iter().map(agent).collect::<Vec<_>>(),
        })
    }

    fn add(&mut self, name: &'static str, outcome: Result<String>) {
        self.checks.push(Check { name, outcome });
    }
}

fn check_as_json(check: &Check) -> Value {
    match &check.outcome {
        Ok(detail) => json!({"name": check.name, "ok": true, "detail": detail}),
        Err(error) => json!({
            "name": check.name,
            "ok": false,
            "kind": error.kind().code(),
            "detail": error.to_string(),
        }),
    }
}

/// Probes the store, and looks for the newest snapshot of each agent below the prefix.
///
/// `clock` says what time it is here. What fails is in the result; a store that cannot be reached is
/// not listed.
pub fn check(
    storage: &dyn Storage,
    prefix: &Key,
    clock: &dyn Fn() -> Timestamp,
    freshness: &mut Freshness,
) -> Health {
    let mut health = probe(storage, prefix, clock);
    if health.checks.iter().any(|check| check.name == "write") {
        health.add("list", freshness.look(storage, prefix));
        health.agents = freshness.agents(clock());
    }
    health
}
