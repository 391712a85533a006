//! The command as operators see it: its logs, and one span around all that it does.

use std::ffi::OsString;

use persist_telemetry::traces::{self, Parent, Span};
use persist_telemetry::variables::TRACEPARENT;
use persist_telemetry::{Unasked, Variables};

/// Runs the command and returns its exit code; sends its logs and spans where the environment says.
pub(crate) fn run(arguments: Vec<OsString>, command: impl FnOnce(Vec<OsString>) -> u8) -> u8 {
    let pairs = || {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
    };
    persist_telemetry::start(&pairs().collect::<Variables>(), Unasked::Stderr);
    let code = if traces::are_recorded() {
        let above = pairs().find(|(name, _)| name == TRACEPARENT);
        let above = above.and_then(|(_, text)| Parent::from_header(&text));
        in_span(arguments, above, command)
    } else {
        command(arguments)
    };
    persist_telemetry::finish();
    code
}

fn in_span(
    arguments: Vec<OsString>,
    above: Option<Parent>,
    command: impl FnOnce(Vec<OsString>) -> u8,
) -> u8 {
    let span = Span::begin(title(&arguments), [], above);
    let entered = span.parent().enter();
    let code = command(arguments);
    drop(entered);
    span.set("process.exit.code".to_owned(), i64::from(code).into());
    if code != 0 {
        span.fail(format!("exit_code_{code}"), format!("the exit code is {code}"));
    }
    span.end();
    code
}

/// `persist`, and the name of the command that is run.
fn title(arguments: &[OsString]) -> String {
    let known = crate::command();
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    let verb = words.find(|word| known.find_subcommand(word).is_some());
    verb.map_or_else(|| "persist".to_owned(), |verb| format!("persist {verb}"))
}
