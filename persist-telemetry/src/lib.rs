//! Where the logs, traces and metrics of `persist_core` go, when somebody asks for them.
//!
//! A front door reads the environment into [`Variables`] and calls [`start`] once; before a process
//! ends it calls [`finish`]. A host language takes the records that no variable sends to stderr
//! ([`records`]), and gives and takes spans ([`traces`]).

mod client;
pub mod metrics;
mod page;
mod process;
mod protocol;
pub mod push;
pub mod records;
mod stderr;
pub mod traces;
pub mod variables;

use std::sync::Once;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use tracing::warn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

pub use variables::Variables;

/// How long a process waits at its end for what is still to be sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where records go that no variable sends to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unasked {
    /// To the host language, which takes them.
    Host,
    /// Warnings of this crate to stderr; nothing else anywhere.
    Stderr,
}

/// Installs what the variables ask for, once for each process and those that it forks.
pub fn start(variables: &Variables, unasked: Unasked) {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let (stderr, mut complaints) = stderr::layer(variables, unasked);
        let host = stderr.is_none().then(records::layer);
        client::configure(variables);
        complaints.extend(traces::configure(variables));
        complaints.extend(push::configure(variables));
        let subscriber = registry().with(stderr).with(host).with(traces::layer());
        if tracing::subscriber::set_global_default(subscriber).is_err() {
            return; // Another front door of this process came first.
        }
        for complaint in complaints {
            warn!("{complaint}");
        }
    });
}

/// Sends what waits to be sent, and goes on; returns whether all of it was sent in time.
pub fn flush(patience: Duration) -> bool {
    let (sender, receiver) = sync_channel(1);
    let flush = move || {
        let (traces, metrics) = (traces::flush(), metrics::flush());
        // Nobody listens any more when it took too long.
        let _ = sender.send(traces && metrics);
    };
    let started = thread::Builder::new().name("persist-flush".into()).spawn(flush);
    started.is_ok() && receiver.recv_timeout(patience).unwrap_or(false)
}

/// Sends what is left, and waits a few seconds for it at most.
pub fn finish() {
    traces::finish(PATIENCE);
    metrics::finish(PATIENCE);
}

/// Forgets, in a forked child, what only the parent's threads could finish.
pub fn in_child() {
    process::renew();
}

/// What traces and metrics say of the service: what the environment does, else the name `persist`.
pub(crate) fn resource() -> Resource {
    let found = Resource::builder().build();
    let name = found.get(&"service.name".into());
    if name.is_none_or(|name| name.as_str().starts_with("unknown_service")) {
        return Resource::builder().with_service_name("persist").build();
    }
    found
}
