//! `persist health`: whether a store can keep snapshots, and how fresh they are.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use persist_core::health::{self, Freshness, Health};
use persist_core::{Error, ErrorKind, Result};

use super::places::Place;
use super::values::duration;
use crate::{Terminal, exit_code, output};

/// Check that a store can keep snapshots, and how old the newest of each agent is
///
/// A small object is written, read and deleted there. The exit code is 0 when all is well, else that of
/// the first check that failed; 6 when a snapshot is older than asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist health snapshots\n  persist health snapshots --max-age 15m --json"
)]
pub(crate) struct Arguments {
    /// The folder: a path or a URL
    path: OsString,
    /// How old the newest snapshot of each agent may be, as 90s, 15m or 1h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_age: Option<SignedDuration>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let place = Place::parse(&arguments.path)?;
    let health =
        health::check(&*place.storage, &place.key, &Timestamp::now, &mut Freshness::default());
    if arguments.json {
        output::json(terminal, &health.to_value())?;
    } else {
        for line in lines(&health) {
            output::line(terminal, &output::printable(&line))?;
        }
    }
    let stale = arguments.max_age.map_or(Ok(()), |max_age| fresh(&health, max_age));
    match (health.failure(), stale) {
        (Some(error), _) => Ok(exit_code(error.kind())),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Ok(0),
    }
}

fn lines(health: &Health) -> Vec<String> {
    let check = |check: &health::Check| match &check.outcome {
        Ok(detail) => format!("ok   {}: {detail}", check.name),
        Err(error) => format!("bad  {}: {error}", check.name),
    };
    let agent = |(name, newest): (&String, &health::Newest)| {
        let age = Duration::from_secs(u64::try_from(newest.age_seconds).unwrap_or(0));
        format!("newest snapshot of {name:?}: {} s old", age.as_secs())
    };
    health.checks.iter().map(check).chain(health.agents.iter().map(agent)).collect()
}

fn fresh(health: &Health, max_age: SignedDuration) -> Result<()> {
    let stale = health.agents.iter().find(|(_, newest)| newest.age_seconds > max_age.as_secs());
    let message = match stale {
        Some((name, _)) => format!("the newest snapshot of {name:?} is older than {max_age:#}"),
        None if health.agents.is_empty() => "there is no snapshot".to_owned(),
        None => return Ok(()),
    };
    Err(Error::new(ErrorKind::Storage, message))
}
