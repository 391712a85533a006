//! `persist completions`: what a shell needs to complete the command.

use clap::Args;
use clap_complete::Shell;
use persist_core::Result;

use crate::{Terminal, output_failed};

/// Write the completions for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  persist completions bash > /etc/bash_completion.d/persist\n  persist completions zsh > ~/.zfunc/_persist"
)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, terminal: &mut Terminal<'_>) -> Result<u8> {
    // The generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::command(), "persist", &mut script);
    terminal.output.write_all(&script).map_err(output_failed)?;
    Ok(0)
}
