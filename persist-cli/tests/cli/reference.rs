//! The reference page is what the command says of itself.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Writes the page when `INSTA_UPDATE=always`, as the snapshots of this suite.
#[test]
fn the_reference_page_is_up_to_date() {
    let options = clap_markdown::MarkdownOptions::new()
        .title("Command line".to_owned())
        .show_footer(false)
        .show_table_of_contents(false);
    let mut page = clap_markdown::help_markdown_command_custom(&persist_cli::command(), &options);
    page.push_str(EXIT_CODES);
    let _ = writeln!(page, "Commands with `--json`: {}.", with_json().join(", "));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/cli.md");
    #[expect(clippy::disallowed_methods, reason = "`make gen` speaks through insta's variable")]
    if std::env::var("INSTA_UPDATE").is_ok_and(|value| value == "always") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == page, "run `make gen`");
}

const EXIT_CODES: &str = "
## Exit codes

| code | meaning |
|---|---|
| 0 | ok |
| 1 | not found |
| 2 | usage |
| 3 | integrity: a snapshot was changed |
| 4 | format or limit: a file is no snapshot, or too large |
| 5 | key or signature |
| 6 | storage |
| 7 | conflict: the file exists already |
| 8 | no space |
| 130 | ended by Ctrl-C; what was being written to a cloud's store is taken back |

Results go to the output, messages to the error output. Control characters in names are shown as
escapes.

";

fn with_json() -> Vec<String> {
    let has =
        |command: &&clap::Command| command.get_arguments().any(|each| each.get_id() == "json");
    let command = persist_cli::command();
    command.get_subcommands().filter(has).map(|each| format!("`{}`", each.get_name())).collect()
}

/// What these write is a file of its own kind, or a line for each event.
const WITHOUT_JSON: [&str; 5] = ["export", "watch", "alerts", "dashboards", "completions"];

#[test]
fn every_command_that_answers_in_a_table_has_json() {
    for command in persist_cli::command().get_subcommands() {
        let name = command.get_name();
        let expected = !WITHOUT_JSON.contains(&name);
        assert_eq!(with_json().contains(&format!("`{name}`")), expected, "{name}");
    }
}
