//! `persist health`: whether a store can keep snapshots, and how fresh they are.

use std::ffi::OsString;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use persist_core::health::{self, Freshness, Health};
use persist_core::{Error, ErrorKind, Result};

use super::stores::Stores;
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
    #[command(flatten)]
    stores: Stores,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let place = arguments.stores.open(&arguments.path)?;
    let health =
        health::check(&*place.storage, &place.key, &Timestamp::now, &mut Freshness::default());
    if arguments.json {
        output::json(terminal, &health.to_value())?;
    } else {
        show(&health, terminal)?;
    }
    let stale = arguments.max_age.map_or(Ok(()), |max_age| fresh(&health, max_age));
    match (health.failure(), stale) {
        (Some(error), _) => Ok(exit_code(error.kind())),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Ok(0),
    }
}

fn show(health: &Health, terminal: &mut Terminal<'_>) -> Result<()> {
    for check in &health.checks {
        let words = match &check.outcome {
            Ok(detail) => detail.clone(),
            Err(error) => error.to_string(),
        };
        let verdict = output::verdict(check.outcome.is_ok(), terminal);
        let line = format!("{verdict} {}: {}", check.name, output::printable(&words));
        output::line(terminal, &line)?;
    }
    for (name, newest) in &health.agents {
        let line = format!("newest snapshot of {name:?}: {:#} old", rough(newest.age_seconds));
        output::line(terminal, &output::printable(&line))?;
    }
    Ok(())
}

/// Whole hours, whole minutes or seconds, as a person says how old something is.
fn rough(seconds: i64) -> SignedDuration {
    let unit = [3600, 60].into_iter().find(|unit| seconds >= *unit).unwrap_or(1);
    SignedDuration::from_secs(seconds.max(0) / unit * unit)
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
