//! What is wrong, and those who want to know it.

use std::collections::BTreeMap;
use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use jiff::Timestamp;
use persist_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use ureq::Agent;

const TIMEOUT: Duration = Duration::from_secs(10);

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
    is_alertmanager: bool,
    told: Alarms,
    agent: Agent,
}

impl Target {
    /// A URL that takes the messages that Alertmanager sends.
    pub(crate) fn webhook(url: &str) -> Self {
        let config = Agent::config_builder().timeout_global(Some(TIMEOUT)).build();
        let (url, told) = (url.to_owned(), Alarms::new());
        Self { url, is_alertmanager: false, told, agent: config.new_agent() }
    }

    /// An Alertmanager; the URL is the one that its page has.
    pub(crate) fn alertmanager(url: &str) -> Self {
        let url = format!("{}/api/v2/alerts", url.trim_end_matches('/'));
        Self { is_alertmanager: true, ..Self::webhook(&url) }
    }

    /// Tells what began and what is over since the last time that telling worked.
    ///
    /// An Alertmanager is told what goes on as well: it forgets what it does not hear of.
    pub(crate) fn tell(&mut self, alarms: &Alarms, now: Timestamp) -> Result<()> {
        let goes_on = |labels: &Labels| self.told.contains_key(labels) && !self.is_alertmanager;
        let firing: Vec<_> = alarms.iter().filter(|(labels, _)| !goes_on(labels)).collect();
        let over: Vec<_> =
            self.told.iter().filter(|(labels, _)| !alarms.contains_key(*labels)).collect();
        for (status, ended, part) in [("firing", None, firing), ("resolved", Some(now), over)] {
            if !part.is_empty() {
                let alerts = part.iter().map(|(labels, alarm)| alert(labels, alarm, ended));
                self.post(&self.message(status, alerts.collect()))?;
            }
        }
        self.told = alarms.clone();
        Ok(())
    }

    fn message(&self, status: &str, alerts: Vec<Value>) -> Value {
        if self.is_alertmanager {
            return Value::Array(alerts);
        }
        json!({"version": "4", "receiver": "persist", "status": status, "alerts": alerts})
    }

    fn post(&self, message: &Value) -> Result<()> {
        let send = || self.agent.post(&self.url).send_json(message);
        let sent = send.retry(ExponentialBuilder::default().with_jitter()).call();
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

fn alert(labels: &Labels, alarm: &Alarm, ended: Option<Timestamp>) -> Value {
    let mut alert = json!({
        "status": if ended.is_some() { "resolved" } else { "firing" },
        "labels": labels,
        "annotations": {"summary": alarm.words},
        "startsAt": alarm.since.to_string(),
    });
    if let (Some(ended), Some(alert)) = (ended, alert.as_object_mut()) {
        alert.insert("endsAt".into(), ended.to_string().into());
    }
    alert
}
