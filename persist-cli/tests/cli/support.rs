//! A folder with sample snapshots, and the command run in it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use persist_core::{AgentId, Key, LocalStorage, SaveOptions, snapshot};
use serde_json::json;
use tempfile::TempDir;

/// A folder whose path is replaced by `DIR` in what the command prints.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    /// Saves a snapshot with fixed ids and times.
    pub(crate) fn save(&self, name: &str, agent: &str, state: &str) {
        let mut options = SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap());
        options.snapshot_id = "019ab000-0000-7000-8000-000000000000".parse().unwrap();
        options.agent_id = AgentId::new(agent).unwrap();
        options.description = Some("after hello".into());
        options.tags.insert("env".into(), json!("prod"));
        let key = Key::new(self.path(name)).unwrap();
        snapshot::save(&LocalStorage::new(), &key, state.as_bytes(), &[], &options).unwrap();
    }

    /// Runs the command; `DIR` in an argument is this folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.answer(arguments, "", false)
    }

    /// Runs the command with a person at the terminal who types this.
    pub(crate) fn answer(&self, arguments: &[&str], typed: &str, is_interactive: bool) -> String {
        self.in_colours(arguments, typed, is_interactive, false)
    }

    /// Runs the command where colours are shown; an escape is shown as `ESC`.
    pub(crate) fn coloured(&self, arguments: &[&str]) -> String {
        self.in_colours(arguments, "", false, true).replace('\u{1b}', "ESC")
    }

    fn in_colours(
        &self,
        arguments: &[&str],
        typed: &str,
        is_interactive: bool,
        is_coloured: bool,
    ) -> String {
        let root = self.root().to_str().unwrap();
        let line = std::iter::once("persist").chain(arguments.iter().copied());
        let arguments = line.map(|argument| argument.replace("DIR", root).into()).collect();
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let mut terminal = persist_cli::Terminal {
            input: &mut typed.as_bytes(),
            output: &mut output,
            errors: &mut errors,
            is_interactive,
            output_is_coloured: is_coloured,
            errors_is_coloured: is_coloured,
        };
        let code = persist_cli::run(arguments, &mut terminal);
        let mut shown = format!("exit code {code}\n");
        for (name, text) in [("output", output), ("errors", errors)] {
            let text = String::from_utf8(text).unwrap().replace(root, "DIR");
            if !text.is_empty() {
                let _ = write!(shown, "--- {name}\n{text}");
            }
        }
        shown
    }
}
