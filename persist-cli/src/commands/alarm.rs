//! What is wrong, and those who want to know it.

use std::collections::BTreeMap;
use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};
use persist_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Uri;

const TIMEOUT: Duration = Duration::from_secs(10);

/// After this many rounds without a word, an Alertmanager takes an alarm for over.
const ROUNDS: i32 = 4;
/// But not before this time: a round takes long where a store does not answer.
const SHORTEST: SignedDuration = SignedDuration::from_mins(5);

/// What tells one alarm from another, as in Prometheus.
pub(crate) type Labels = BTreeMap<&'static str, String>;

/// Everything that is wrong.
pub(crate) type Alarms = BTreeMap<Labels, Alarm>;

/// Something that is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    /// What it is, for people.
    pub(crate) words: String,
    /// Since when it is so.
    pub(crate) since: Timestamp,
}

/// Somebody who wants to know.
pub(crate) struct Target {
    url: String,
    /// For an Alertmanager: how long it takes an alarm for true that it does not hear of again.
    lasts: Option<SignedDuration>,
    told: Alarms,
    agent: Agent,
}

impl Target {
    /// A URL that takes the messages that Alertmanager sends.
    pub(crate) fn webhook(url: &Uri) -> Self {
        let config = Agent::config_builder().timeout_global(Some(TIMEOUT)).build();
        let (url, told) = (url.to_string(), Alarms::new());
        Self { url, lasts: None, told, agent: config.new_agent() }
    }

    /// An Alertmanager that is told of each round; the URL is the one that its page has.
    pub(crate) fn alertmanager(url: &Uri, every: SignedDuration) -> Self {
        let lasts = Some(every.saturating_mul(ROUNDS).max(SHORTEST));
        let target = Self::webhook(url);
        let url = format!("{}/api/v2/alerts", target.url.trim_end_matches('/'));
        Self { url, lasts, ..target }
    }

    /// Tells what began and what is over since the last time that telling worked.
    ///
    /// An Alertmanager is told what goes on as well: it forgets what it does not hear of.
    pub(crate) fn tell(&mut self, alarms: &Alarms, now: Timestamp) -> Result<()> {
        let goes_on = |labels: &Labels| self.told.contains_key(labels) && self.lasts.is_none();
        let firing: Vec<_> = alarms.iter().filter(|(labels, _)| !goes_on(labels)).collect();
        let over: Vec<_> =
            self.told.iter().filter(|(labels, _)| !alarms.contains_key(*labels)).collect();
        let ends = self.lasts.and_then(|lasts| now.checked_add(lasts).ok());
        for (status, ends, part) in [("firing", ends, firing), ("resolved", Some(now), over)] {
            if !part.is_empty() {
                let alerts = part.iter().map(|(labels, alarm)| alert(status, labels, alarm, ends));
                self.post(&self.message(status, alerts.collect()))?;
            }
        }
        self.told = alarms.clone();
        Ok(())
    }

    fn message(&self, status: &str, alerts: Vec<Value>) -> Value {
        if self.lasts.is_some() {
            return Value::Array(alerts);
        }
        json!({"version": "4", "receiver": "persist", "status": status, "alerts": alerts})
    }

    fn post(&self, message: &Value) -> Result<()> {
        let send = || self.agent.post(&self.url).send_json(message);
        let often = ExponentialBuilder::default().with_jitter();
        let sent = send.retry(often).when(can_be_better_later).call();
        sent.map(drop).map_err(|error| {
            let message = format!("could not post to {}: {error}", place(&self.url));
            Error::new(ErrorKind::Storage, message).with_source(error).with_retryable(true)
        })
    }
}

/// The URL up to its path: what comes behind is often a secret.
fn place(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}")
        }
        None => "the URL".to_owned(),
    }
}

fn alert(status: &str, labels: &Labels, alarm: &Alarm, ends: Option<Timestamp>) -> Value {
    let mut alert = json!({
        "status": status,
        "labels": labels,
        "annotations": {"summary": alarm.words},
        "startsAt": alarm.since.to_string(),
    });
    if let (Some(ends), Some(alert)) = (ends, alert.as_object_mut()) {
        alert.insert("endsAt".into(), ends.to_string().into());
    }
    alert
}

/// A request that is refused as wrong is refused again.
fn can_be_better_later(error: &ureq::Error) -> bool {
    !matches!(error, ureq::Error::StatusCode(code) if (400..500).contains(code) && ![408, 429].contains(code))
}
