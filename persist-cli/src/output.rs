//! How results and errors are shown.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use persist_core::{Error, Result};
use serde_json::{Map, Value};

use crate::{Terminal, output_failed};

/// What is well, or over.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// Writes a line of the result.
pub(crate) fn line(terminal: &mut Terminal<'_>, text: &str) -> Result<()> {
    writeln!(terminal.output, "{text}").map_err(output_failed)
}

/// Writes a result as JSON.
pub(crate) fn json(terminal: &mut Terminal<'_>, value: &Value) -> Result<()> {
    line(terminal, &format!("{value:#}"))
}

/// A JSON list that is written element by element, as [`json`] writes it whole.
#[derive(Default)]
pub(crate) struct JsonList {
    has_elements: bool,
}

impl JsonList {
    pub(crate) fn push(&mut self, terminal: &mut Terminal<'_>, element: &Value) -> Result<()> {
        let start = if self.has_elements { "," } else { "[" };
        self.has_elements = true;
        let text = format!("{element:#}").replace('\n', "\n  ");
        write!(terminal.output, "{start}\n  {text}").map_err(output_failed)
    }

    pub(crate) fn end(self, terminal: &mut Terminal<'_>) -> Result<()> {
        line(terminal, if self.has_elements { "\n]" } else { "[]" })
    }
}

/// Writes a message that is not a result.
pub(crate) fn note(terminal: &mut Terminal<'_>, text: &str) {
    // A closed pipe leaves nobody to tell.
    let _ = writeln!(terminal.errors, "{text}");
}

/// Writes an error, and what to do about it.
pub(crate) fn report(terminal: &mut Terminal<'_>, error: &Error) {
    let is_coloured = terminal.errors_is_coloured;
    let word = painted("error:", BAD, is_coloured);
    note(terminal, &format!("{word} {}", printable(&error.to_string())));
    if let Some(hint) = error.hint() {
        let word = painted("hint:", HINT, is_coloured);
        note(terminal, &format!("{word} {}", printable(hint)));
    }
}

/// What begins the line of something that was checked.
pub(crate) fn verdict(is_ok: bool, terminal: &Terminal<'_>) -> String {
    let (word, style) = if is_ok { ("ok  ", GOOD) } else { ("bad ", BAD) };
    painted(word, style, terminal.output_is_coloured)
}

/// The text in a style, where colours are shown.
pub(crate) fn painted(text: &str, style: Style, is_coloured: bool) -> String {
    if is_coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// A table without borders.
pub(crate) fn table(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// A bar for a person who waits for many snapshots; nothing otherwise.
pub(crate) fn progress(length: usize, terminal: &Terminal<'_>) -> ProgressBar {
    if !terminal.is_interactive || length < 2 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(length as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} snapshots, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Shows control characters instead of obeying them: a name can hold a terminal's commands.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let is_bidirectional =
            matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || is_bidirectional {
            let _ = write!(shown, "{}", character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A field of metadata for a person.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A field of a map for a person.
pub(crate) fn field(map: &Map<String, Value>, name: &str) -> String {
    map.get(name).map_or_else(|| "-".to_owned(), shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_a_terminal_are_shown_not_obeyed() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202e}d é"), "a\\u{1b}[31mb\\nc\\u{202e}d é");
    }
}
