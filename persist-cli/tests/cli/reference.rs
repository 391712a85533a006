//! The reference page is what the command says of itself.

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

Results go to the output, messages to the error output. Control characters in names are shown as
escapes. Every command but `completions`, `export` and `convert` has `--json`.
";
