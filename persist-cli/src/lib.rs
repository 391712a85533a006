//! The `persist` command as a library: [`run`] takes the arguments and the terminal.
//!
//! The binary of this crate and the Python wheel's console script both call [`run_in_terminal`].
//! Results go to the output, everything else to the error output. Exit codes: 0 ok, 1 not found,
//! 2 usage, 3 integrity, 4 format or limit, 5 key or signature, 6 storage, 7 conflict, 8 no space,
//! 130 ended by Ctrl-C.

mod args;
mod commands;
mod interrupt;
mod output;
mod traced;

use std::error::{self, Error as _};
use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use clap::{CommandFactory, Parser};
use persist_core::{Error, ErrorKind};

use args::Arguments;

/// What the command reads from and writes to.
pub struct Terminal<'a> {
    /// Where answers are read from.
    pub input: &'a mut dyn BufRead,
    /// Where results are written to.
    pub output: &'a mut dyn Write,
    /// Where messages are written to.
    pub errors: &'a mut dyn Write,
    /// Whether a person can be asked and shown progress.
    pub is_interactive: bool,
    /// Whether results are shown in colours.
    pub output_is_coloured: bool,
    /// Whether messages are shown in colours.
    pub errors_is_coloured: bool,
}

/// Runs the command in the terminal of this process and returns its exit code.
///
/// Colours are for terminals, unless `NO_COLOR` or `CLICOLOR_FORCE` says otherwise. Logs and traces go where the environment says.
pub fn run_in_terminal(arguments: Vec<OsString>) -> u8 {
    traced::run(arguments, run_untraced)
}

fn run_untraced(arguments: Vec<OsString>) -> u8 {
    let (input, output, mut errors) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let is_interactive = input.is_terminal() && errors.is_terminal();
    let mut terminal = Terminal {
        output_is_coloured: AutoStream::choice(&output) != ColorChoice::Never,
        errors_is_coloured: AutoStream::choice(&errors) != ColorChoice::Never,
        input: &mut input.lock(),
        output: &mut output.lock(),
        // Not locked: the logs of other threads go there, too.
        errors: &mut errors,
        is_interactive,
    };
    run(arguments, &mut terminal)
}

/// Runs the command and returns its exit code.
///
/// ```
/// let mut terminal = persist_cli::Terminal {
///     input: &mut std::io::empty(),
///     output: &mut Vec::new(),
///     errors: &mut Vec::new(),
///     is_interactive: false,
///     output_is_coloured: false,
///     errors_is_coloured: false,
/// };
/// let code = persist_cli::run(["persist", "show", "missing.json.gz"].map(Into::into).into(), &mut terminal);
/// assert_eq!(code, 1);
/// ```
pub fn run(arguments: Vec<OsString>, terminal: &mut Terminal<'_>) -> u8 {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return answer_of_parser(&error, terminal),
    };
    match commands::run(parsed.command, terminal) {
        Ok(code) => code,
        // Nobody reads on, as behind `| head`.
        Err(error) if error.source().is_some_and(<dyn error::Error>::is::<OutputClosed>) => 0,
        Err(error) => {
            output::report(terminal, &error);
            exit_code(error.kind())
        }
    }
}

/// The command's description of itself, for completions and reference pages.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Help and version are results; a wrong argument is an error.
fn answer_of_parser(error: &clap::Error, terminal: &mut Terminal<'_>) -> u8 {
    let (target, is_coloured) = if error.use_stderr() {
        (&mut terminal.errors, terminal.errors_is_coloured)
    } else {
        (&mut terminal.output, terminal.output_is_coloured)
    };
    let text = error.render();
    // A closed pipe leaves nobody to tell.
    let _ = if is_coloured { write!(target, "{}", text.ansi()) } else { write!(target, "{text}") };
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// The exit code for an error of this kind.
pub(crate) fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::NotFound => 1,
        ErrorKind::Configuration => 2,
        ErrorKind::Integrity => 3,
        ErrorKind::Format | ErrorKind::UnsupportedVersion | ErrorKind::LimitExceeded => 4,
        ErrorKind::Conflict => 7,
        ErrorKind::NoSpace => 8,
        ErrorKind::Cancelled => interrupt::INTERRUPTED,
        _ => 6,
    }
}

/// What writing to a closed pipe or a full disk is.
pub(crate) fn output_failed(error: std::io::Error) -> Error {
    let is_closed = error.kind() == std::io::ErrorKind::BrokenPipe;
    let failed = Error::from_io(error, "write", &"the output");
    if is_closed { failed.with_source(OutputClosed) } else { failed }
}

/// Marks the error of an output that is no longer read.
#[derive(Debug)]
struct OutputClosed;

impl fmt::Display for OutputClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the output is closed")
    }
}

impl std::error::Error for OutputClosed {}
