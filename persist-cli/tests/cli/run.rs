//! Each command, in what goes right and what goes wrong.

use std::fs;

use insta::assert_snapshot;

use crate::support::Folder;

const STATE: &str = r#"{"messages":["hello"],"turns":1.50}"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.save("a.json.gz", "support", STATE);
    folder.save("b/c.json.zst", "sales", r#"{"messages":["hello","again"],"turns":2}"#);
    folder
}

#[test]
fn help() {
    assert_snapshot!(Folder::new().run(&["--help"]));
}

#[test]
fn colours_say_what_is_well_and_what_is_wrong() {
    let folder = folder();
    fs::write(folder.path("bad.json.gz"), "not gzip").unwrap();
    assert_snapshot!(folder.coloured(&["verify", "DIR"]));
    assert_snapshot!(folder.coloured(&["show", "DIR/bad.json.gz"]));
    assert_snapshot!(folder.coloured(&["show", "DIR/bad.json.gz", "--nonsense"]));
    assert_snapshot!(folder.coloured(&["health", "DIR/missing/a"]));
    assert_snapshot!(folder.coloured(&["watch", "DIR/missing/a", "--once"]));
    let help = folder.coloured(&["--help"]);
    assert!(help.contains("ESC["), "{help}");
}

#[test]
fn no_arguments() {
    assert_snapshot!(Folder::new().run(&[]));
}

#[test]
fn an_unknown_command() {
    assert_snapshot!(Folder::new().run(&["explode"]));
}

#[test]
fn show() {
    assert_snapshot!(folder().run(&["show", "DIR/a.json.gz"]));
}

#[test]
fn show_json() {
    assert_snapshot!(folder().run(&["show", "--json", "DIR/a.json.gz"]));
}

#[test]
fn show_what_is_missing() {
    assert_snapshot!(folder().run(&["show", "DIR/missing.json.gz"]));
}

#[test]
fn show_a_folder() {
    assert_snapshot!(folder().run(&["show", "DIR"]));
}

#[test]
fn an_empty_folder_holds_no_snapshots() {
    let folder = Folder::new();
    fs::create_dir(folder.path("empty")).unwrap();
    assert_snapshot!(folder.run(&["show", "DIR/empty"]));
    assert_snapshot!(folder.run(&["convert", "DIR/empty", "DIR/packed"]));
}

#[test]
fn show_a_folder_names_what_is_no_snapshot() {
    let folder = folder();
    fs::write(folder.path("bad.json.gz"), "not gzip").unwrap();
    assert_snapshot!(folder.run(&["show", "DIR"]));
}

#[test]
fn show_in_a_store_that_is_unknown() {
    assert_snapshot!(folder().run(&["show", "ftp://bucket/a.json.gz"]));
}

#[test]
fn copy_to_another_store() {
    let folder = folder();
    assert_snapshot!(folder.run(&["copy", "DIR", "memory://copies/all"]));
    assert_snapshot!("copy_listed", folder.run(&["list", "memory://copies"]));
    assert_snapshot!(
        "copy_again",
        folder.run(&["copy", "DIR/a.json.gz", "memory://copies/all/a.json.gz"])
    );
    assert_snapshot!(
        "copy_back",
        folder.run(&["copy", "memory://copies/all", "DIR/back", "--json"])
    );
    assert_eq!(
        fs::read(folder.path("back/b/c.json.zst")).unwrap(),
        fs::read(folder.path("b/c.json.zst")).unwrap()
    );
}

#[test]
fn list_a_bucket_with_nothing_in_it() {
    assert_snapshot!(folder().run(&["list", "memory://nothing"]));
}

#[test]
fn show_escapes_what_a_terminal_would_obey() {
    let folder = Folder::new();
    folder.save("a.json.gz", "\u{1b}[31mred\r\n", "1");
    assert_snapshot!(folder.run(&["show", "DIR/a.json.gz"]));
}

#[test]
fn list() {
    assert_snapshot!(folder().run(&["list", "DIR"]));
}

#[test]
fn list_one_agent_as_json() {
    assert_snapshot!(folder().run(&["list", "DIR", "--agent", "sales", "--json"]));
}

#[test]
fn list_names_what_is_no_snapshot() {
    let folder = folder();
    fs::write(folder.path("bad.json.gz"), "not gzip").unwrap();
    fs::write(folder.path("notes.txt"), "not looked at").unwrap();
    assert_snapshot!(folder.run(&["list", "DIR"]));
}

#[test]
fn list_an_empty_folder() {
    assert_snapshot!(Folder::new().run(&["list", "DIR"]));
}

#[test]
fn verify() {
    assert_snapshot!(folder().run(&["verify", "DIR"]));
}

#[test]
fn verify_names_what_was_changed() {
    let folder = folder();
    let path = folder.path("a.json.gz");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_snapshot!(folder.run(&["verify", "DIR"]));
}

#[test]
fn verify_json() {
    let folder = folder();
    fs::write(folder.path("bad.json.gz"), "not gzip").unwrap();
    assert_snapshot!(folder.run(&["verify", "--json", "DIR"]));
}

#[test]
fn verify_says_that_the_originals_metadata_is_unprotected() {
    let folder = folder();
    folder.run(&["convert", "DIR/a.json.gz", "DIR/old.json.gz", "--to", "original"]);
    assert_snapshot!(folder.run(&["verify", "DIR/old.json.gz"]));
}

#[test]
fn export() {
    assert_snapshot!(folder().run(&["export", "DIR/a.json.gz"]));
}

#[test]
fn export_to_a_file_that_exists() {
    let folder = folder();
    let arguments = ["export", "DIR/a.json.gz", "-o", "DIR/state.json"];
    assert_eq!(folder.run(&arguments), "exit code 0\n");
    assert_eq!(fs::read_to_string(folder.path("state.json")).unwrap(), STATE);
    assert_snapshot!(folder.run(&arguments));
    assert_eq!(folder.run(&[&arguments[..], &["--force"]].concat()), "exit code 0\n");
}

#[test]
fn export_the_document() {
    let folder = folder();
    folder.run(&["export", "DIR/a.json.gz", "--document", "-o", "DIR/plain.json"]);
    assert_snapshot!(folder.run(&["verify", "DIR/plain.json"]));
}

#[test]
fn delete_asks() {
    let folder = folder();
    assert_snapshot!(folder.answer(&["delete", "DIR/a.json.gz"], "n\n", true));
    assert!(folder.path("a.json.gz").exists());
    assert_snapshot!("delete_asks_yes", folder.answer(&["delete", "DIR/a.json.gz"], "y\n", true));
    assert!(!folder.path("a.json.gz").exists());
}

#[test]
fn delete_without_a_terminal_needs_yes() {
    let folder = folder();
    assert_snapshot!(folder.run(&["delete", "DIR/a.json.gz"]));
    assert!(folder.path("a.json.gz").exists());
}

#[test]
fn delete_deletes_nothing_when_one_is_missing() {
    let folder = folder();
    assert_snapshot!(folder.run(&["delete", "--yes", "DIR/a.json.gz", "DIR/missing.json.gz"]));
    assert!(folder.path("a.json.gz").exists());
}

#[test]
fn diff() {
    assert_snapshot!(folder().run(&["diff", "DIR/a.json.gz", "DIR/b/c.json.zst"]));
}

#[test]
fn diff_json() {
    assert_snapshot!(folder().run(&["diff", "--json", "DIR/a.json.gz", "DIR/b/c.json.zst"]));
}

#[test]
fn convert_keeps_what_the_snapshot_says() {
    let folder = folder();
    assert_snapshot!(folder.run(&["convert", "DIR/a.json.gz", "DIR/a.json.zst", "--level", "19"]));
    assert_snapshot!("convert_diff", folder.run(&["diff", "DIR/a.json.gz", "DIR/a.json.zst"]));
}

#[test]
fn convert_to_the_originals_shape() {
    let folder = folder();
    folder.run(&["convert", "DIR/a.json.gz", "DIR/old.json.gz", "--to", "original"]);
    assert_snapshot!(folder.run(&["show", "DIR/old.json.gz"]));
    assert_snapshot!("original_state", folder.run(&["export", "DIR/old.json.gz"]));
}

#[test]
fn convert_refuses_what_the_original_has_no_words_for() {
    let folder = folder();
    folder.save("tags.json.gz", "a", r#"[{"$persist":"tuple","v":[1]}]"#);
    assert_snapshot!(folder.run(&[
        "convert",
        "DIR/tags.json.gz",
        "DIR/x.json.gz",
        "--to",
        "original"
    ]));
    assert!(!folder.path("x.json.gz").exists());
}

#[test]
fn convert_refuses_a_name_that_contradicts_the_algorithm() {
    let folder = folder();
    let arguments = ["convert", "DIR/a.json.gz", "DIR/x.json.gz", "--compression", "zstd"];
    assert_snapshot!(folder.run(&arguments));
}

#[test]
fn completions() {
    let shown = Folder::new().run(&["completions", "bash"]);
    assert!(shown.starts_with("exit code 0\n--- output\n_persist()"), "{shown}");
}

#[test]
fn show_a_folder_as_json() {
    assert_snapshot!(folder().run(&["show", "DIR", "--json"]));
}

#[test]
fn delete_a_folder_and_keep_what_is_no_snapshot() {
    let folder = folder();
    fs::write(folder.path("b/notes.txt"), "not deleted").unwrap();
    assert_snapshot!(folder.run(&["delete", "DIR", "--recursive", "--yes"]));
    assert!(folder.path("b/notes.txt").exists());
    assert!(!folder.path("a.json.gz").exists());
}

#[test]
fn export_a_folder() {
    let folder = folder();
    assert_snapshot!(folder.run(&["export", "DIR", "-o", "DIR/states"]));
    assert_eq!(fs::read_to_string(folder.path("states/a.json")).unwrap(), STATE);
    assert!(folder.path("states/b/c.json").exists());
}

#[test]
fn export_a_folder_needs_another_folder() {
    assert_snapshot!(folder().run(&["export", "DIR"]));
}

#[test]
fn a_file_of_a_folder_that_fails_is_named_and_the_others_go_on() {
    let folder = folder();
    fs::write(folder.path("a-bad.json.gz"), "not gzip").unwrap();
    for (arguments, made) in [
        (&["convert", "DIR", "DIR/converted"][..], "converted/b/c.json.gz"),
        (&["copy", "DIR", "DIR/copied", "--json"], "copied/b/c.json.zst"),
        (&["export", "DIR", "-o", "DIR/exported"], "exported/b/c.json"),
    ] {
        assert_snapshot!(format!("folder_{}", arguments[0]), folder.run(arguments));
        assert!(folder.path(made).exists());
        // Each goes to a folder that the next one would take for more of the same.
        fs::remove_dir_all(folder.path(made.split('/').next().unwrap())).unwrap();
    }
    folder.run(&["copy", "DIR/b", "DIR/again"]);
    assert_snapshot!("copy_what_is_there", folder.run(&["copy", "DIR/b", "DIR/again"]));
}

#[test]
fn convert_a_folder() {
    let folder = folder();
    assert_snapshot!(folder.run(&["convert", "DIR/b", "DIR/packed", "--compression", "none"]));
    assert_snapshot!(folder.run(&["show", "DIR/packed/c.json"]));
}

#[test]
fn convert_as_json() {
    assert_snapshot!(folder().run(&["convert", "DIR/a.json.gz", "DIR/a.json.zst", "--json"]));
}

/// The numbers of a disk and a clock are not the same twice; the exit code is.
fn without_numbers(shown: &str) -> String {
    let (code, rest) = shown.split_once('\n').unwrap();
    let mut text = rest.replace(|c: char| c.is_ascii_digit(), "N");
    while text.contains("NN") {
        text = text.replace("NN", "N");
    }
    // Ages are in the unit that fits them.
    let text = ["Nh", "Nm", "Ns"].iter().fold(text, |text, age| text.replace(age, "AGE"));
    format!("{code}\n{text}")
}

#[test]
fn health() {
    assert_snapshot!(without_numbers(&folder().run(&["health", "DIR"])));
}

#[test]
fn health_of_what_is_missing() {
    assert_snapshot!(Folder::new().run(&["health", "DIR/missing/a"]));
}

#[test]
fn health_when_snapshots_are_old() {
    let shown = folder().run(&["health", "DIR", "--max-age", "1s"]);
    assert!(shown.starts_with("exit code 6\n"), "{shown}");
    assert!(shown.contains("the newest snapshot of \"sales\" is older than 1s"), "{shown}");
}

#[test]
fn alerts_and_dashboards_are_written_once() {
    let folder = Folder::new();
    for (verb, name, holds) in
        [("alerts", "a.yml", "PersistDiskNearlyFull"), ("dashboards", "d.json", "\"panels\"")]
    {
        let arguments = [verb, "export", "-o", &format!("DIR/{name}")];
        assert_eq!(folder.run(&arguments), "exit code 0\n");
        assert!(fs::read_to_string(folder.path(name)).unwrap().contains(holds));
        assert!(folder.run(&arguments).starts_with("exit code 7\n"));
        assert!(folder.run(&arguments[..2]).contains(holds));
    }
}

#[test]
fn watch_once() {
    let folder = folder();
    assert_eq!(folder.run(&["watch", "DIR", "--once"]), "exit code 0\n");
    assert_snapshot!(folder.run(&["watch", "DIR", "--once", "--max-age", "1s"]));
    assert_snapshot!(folder.run(&["watch", "DIR/missing/a", "--once", "--max-age", "1s"]));
}

#[test]
fn options_of_a_store_are_its_own() {
    let run = |arguments: &[&str]| Folder::new().run(arguments);
    assert_snapshot!("option_of_the_local_disk", run(&["list", "DIR", "-O", "region=x"]));
    assert_snapshot!("option_unknown", run(&["list", "gs://bucket/a", "-O", "zone=x"]));
    assert_snapshot!("option_without_a_name", run(&["list", "gs://bucket/a", "-O", "secret"]));
    let copy = ["copy", "DIR", "gs://bucket/a", "--to-option", "region=x"];
    assert_snapshot!("option_of_another_store", run(&copy));
}
