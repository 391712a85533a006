//! One file for each command.

mod alarm;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod export;
pub(crate) mod health;
pub(crate) mod list;
mod places;
pub(crate) mod shipped;
pub(crate) mod show;
mod stores;
mod values;
pub(crate) mod verify;
pub(crate) mod watch;

use persist_core::Result;

use crate::Terminal;
use crate::args::Command;

/// Runs a command and returns its exit code.
pub(crate) fn run(command: Command, terminal: &mut Terminal<'_>) -> Result<u8> {
    match command {
        Command::Show(arguments) => show::run(&arguments, terminal),
        Command::List(arguments) => list::run(&arguments, terminal),
        Command::Verify(arguments) => verify::run(&arguments, terminal),
        Command::Export(arguments) => export::run(&arguments, terminal),
        Command::Delete(arguments) => delete::run(&arguments, terminal),
        Command::Diff(arguments) => diff::run(&arguments, terminal),
        Command::Convert(arguments) => convert::run(&arguments, terminal),
        Command::Copy(arguments) => copy::run(&arguments, terminal),
        Command::Health(arguments) => health::run(&arguments, terminal),
        Command::Watch(arguments) => watch::run(&arguments, terminal),
        Command::Alerts(arguments) => shipped::run(shipped::ALERTS, &arguments, terminal),
        Command::Dashboards(arguments) => shipped::run(shipped::DASHBOARD, &arguments, terminal),
        Command::Completions(arguments) => completions::run(&arguments, terminal),
    }
}
