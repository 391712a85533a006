//! `persist watch`: tells when a store fails or snapshots get old, and when that is over.

use std::ffi::OsString;
use std::thread;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use persist_core::health::{self, Health};
use persist_core::{Error, Result};

use super::alarm::{Alarm, Alarms, Target};
use super::places::Place;
use crate::{Terminal, output, output_failed};

/// Watch a store, and tell a webhook or Alertmanager when it fails or snapshots get old
///
/// A webhook gets one message when something begins and one when it is over, in the shape that
/// Alertmanager sends. A message that cannot be delivered is tried again, and again in the next round.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist watch snapshots --max-age 15m --webhook https://example.com/hook\n  persist watch snapshots --alertmanager http://127.0.0.1:9093\n  persist watch snapshots --max-age 1h --once"
)]
pub(crate) struct Arguments {
    /// The folder: a path or a URL
    path: OsString,
    /// How old the newest snapshot of each agent may be, as 90s, 15m or 1h
    #[arg(long, value_name = "DURATION")]
    max_age: Option<SignedDuration>,
    /// Where messages are posted
    #[arg(long, value_name = "URL")]
    webhook: Vec<String>,
    /// An Alertmanager, which sends messages as it is told to
    #[arg(long, value_name = "URL")]
    alertmanager: Vec<String>,
    /// How long to wait between rounds
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    every: SignedDuration,
    /// Look once, and tell all that is wrong; the exit code is 6 when something is
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let (mut targets, mut known) = (targets(arguments), Alarms::new());
    loop {
        let now = Timestamp::now();
        let mut found = look(arguments, now);
        for (labels, alarm) in &mut found {
            alarm.since = known.get(labels).map_or(now, |known| known.since);
        }
        show(&known, &found, terminal)?;
        for target in &mut targets {
            if let Err(error) = target.tell(&found, now) {
                output::report(terminal, &error);
            }
        }
        if arguments.once {
            return Ok(if found.is_empty() { 0 } else { 6 });
        }
        known = found;
        thread::sleep(Duration::try_from(arguments.every).unwrap_or_default());
    }
}

fn targets(arguments: &Arguments) -> Vec<Target> {
    let webhooks = arguments.webhook.iter().map(|url| Target::webhook(url));
    webhooks.chain(arguments.alertmanager.iter().map(|url| Target::alertmanager(url))).collect()
}

/// Writes a line for what began, and for what is over.
fn show(known: &Alarms, found: &Alarms, terminal: &mut Terminal<'_>) -> Result<()> {
    let began = found.iter().filter(|(labels, _)| !known.contains_key(*labels));
    let over = known.iter().filter(|(labels, _)| !found.contains_key(*labels));
    let lines = began.map(|one| ("firing", one)).chain(over.map(|one| ("over", one)));
    for (status, (labels, alarm)) in lines {
        let name = labels.get("alertname").map_or("", String::as_str);
        let line = format!("{status:6} {name}: {}", alarm.words);
        output::line(terminal, &output::printable(&line))?;
    }
    terminal.output.flush().map_err(output_failed)
}

/// What is wrong now.
fn look(arguments: &Arguments, now: Timestamp) -> Alarms {
    let store = arguments.path.to_string_lossy().into_owned();
    let alarm = |(name, label, value, words): (&str, _, String, String)| {
        let name = ("alertname", name.to_owned());
        let labels = [name, (label, value), ("store", store.clone())].into();
        (labels, Alarm { words, since: now })
    };
    let place = Place::parse(&arguments.path);
    let health = match place.map(|place| health::check(&*place.storage, &place.key, now)) {
        Ok(health) => health,
        Err(error) => return [alarm(failing("open", &error))].into(),
    };
    let failures = health
        .checks
        .iter()
        .filter_map(|check| check.outcome.as_ref().err().map(|error| failing(check.name, error)));
    let old = stale(&health, arguments.max_age).into_iter();
    let old = old.map(|(agent, words)| ("PersistNoFreshSnapshot", "agent_id", agent, words));
    failures.chain(old).map(alarm).collect()
}

fn failing(check: &str, error: &Error) -> (&'static str, &'static str, String, String) {
    ("PersistStoreFailing", "check", check.to_owned(), error.to_string())
}

/// A store that cannot be reached says nothing about the age of its snapshots.
fn stale(health: &Health, max_age: Option<SignedDuration>) -> Vec<(String, String)> {
    let Some(max_age) = max_age.filter(|_| health.failure().is_none()) else { return Vec::new() };
    if health.agents.is_empty() {
        return vec![(String::new(), "there is no snapshot".to_owned())];
    }
    let is_old = |newest: &health::Newest| newest.age_seconds > max_age.as_secs();
    let old = health.agents.iter().filter(|(_, newest)| is_old(newest));
    old.map(|(agent, newest)| {
        (agent.clone(), format!("the newest snapshot of {agent:?} is of {}", newest.timestamp))
    })
    .collect()
}
