//! The `persist` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    persist_cli::run_in_terminal(std::env::args_os().collect()).into()
}
