//! `persist watch`: tells when a store fails or snapshots get old, and when that is over.

use std::ffi::OsString;
use std::thread;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use persist_core::health::{self, Freshness, Health};
use persist_core::{Error, Result};
use ureq::http::Uri;

use super::alarm::{Alarm, Alarms, Labels, Target};
use super::stores::Stores;
use super::values::{duration, url};
use crate::{Terminal, output, output_failed};

const STALE: &str = "PersistNoFreshSnapshot";

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
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_age: Option<SignedDuration>,
    /// Where messages are posted
    #[arg(long, value_name = "URL", value_parser = url)]
    webhook: Vec<Uri>,
    /// An Alertmanager, which sends messages as it is told to
    #[arg(long, value_name = "URL", value_parser = url)]
    alertmanager: Vec<Uri>,
    /// How long to wait between rounds
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    every: SignedDuration,
    /// Look once, and tell all that is wrong; the exit code is 6 when something is
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    stores: Stores,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    let (mut targets, mut known) = (targets(arguments), Alarms::new());
    let mut freshness = Freshness::default();
    loop {
        let now = Timestamp::now();
        let mut found = look(arguments, now, &mut freshness, &known);
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
    let webhooks = arguments.webhook.iter().map(Target::webhook);
    let manager = |url| Target::alertmanager(url, arguments.every);
    webhooks.chain(arguments.alertmanager.iter().map(manager)).collect()
}

/// Writes a line for what began, and for what is over.
fn show(known: &Alarms, found: &Alarms, terminal: &mut Terminal<'_>) -> Result<()> {
    let began = found.iter().filter(|(labels, _)| !known.contains_key(*labels));
    let over = known.iter().filter(|(labels, _)| !found.contains_key(*labels));
    let began = began.map(|one| ("firing", output::BAD, one));
    let lines = began.chain(over.map(|one| ("over  ", output::GOOD, one)));
    for (status, style, (labels, alarm)) in lines {
        let status = output::painted(status, style, terminal.output_is_coloured);
        let name = labels.get("alertname").map_or("", String::as_str);
        let line = format!("{status} {name}: {}", output::printable(&alarm.words));
        output::line(terminal, &line)?;
    }
    terminal.output.flush().map_err(output_failed)
}

/// What is wrong now; what cannot be known while the store fails is as it was before.
fn look(
    arguments: &Arguments,
    now: Timestamp,
    freshness: &mut Freshness,
    known: &Alarms,
) -> Alarms {
    let store = arguments.path.to_string_lossy().into_owned();
    let alarm = |(name, label, value, words): (&str, _, String, String)| {
        let name = ("alertname", name.to_owned());
        let labels = [name, (label, value), ("store", store.clone())].into();
        (labels, Alarm { words, since: now })
    };
    let health = arguments
        .stores
        .open(&arguments.path)
        .map(|place| health::check(&*place.storage, &place.key, &Timestamp::now, freshness));
    let (failures, ages) = match &health {
        Ok(health) => (failures(health), stale(health, arguments.max_age)),
        Err(error) => (vec![failing("open", error)], None),
    };
    let found = failures.into_iter().map(alarm);
    match ages {
        Some(old) => found.chain(old.into_iter().map(alarm)).collect(),
        None => found.chain(known.clone().into_iter().filter(is_of_an_age)).collect(),
    }
}

/// The name of an alarm, the name and value of its other label, and its words.
type Finding = (&'static str, &'static str, String, String);

fn failing(check: &str, error: &Error) -> Finding {
    ("PersistStoreFailing", "check", check.to_owned(), error.to_string())
}

fn failures(health: &Health) -> Vec<Finding> {
    let failed = |check: &health::Check| {
        check.outcome.as_ref().err().map(|error| failing(check.name, error))
    };
    health.checks.iter().filter_map(failed).collect()
}

/// The agents without a fresh snapshot; `None` when the store did not say what it holds.
fn stale(health: &Health, max_age: Option<SignedDuration>) -> Option<Vec<Finding>> {
    health.checks.iter().find(|check| check.name == "list" && check.outcome.is_ok())?;
    let Some(max_age) = max_age else { return Some(Vec::new()) };
    let finding = |agent: &str, words: String| (STALE, "agent_id", agent.to_owned(), words);
    if health.agents.is_empty() {
        return Some(vec![finding("", "there is no snapshot".to_owned())]);
    }
    let is_old = |newest: &health::Newest| newest.age_seconds > max_age.as_secs();
    let old = health.agents.iter().filter(|(_, newest)| is_old(newest));
    let words = |(agent, newest): (&String, &health::Newest)| {
        finding(agent, format!("the newest snapshot of {agent:?} is of {}", newest.timestamp))
    };
    Some(old.map(words).collect())
}

fn is_of_an_age((labels, _): &(Labels, Alarm)) -> bool {
    labels.get("alertname").is_some_and(|name| name == STALE)
}
