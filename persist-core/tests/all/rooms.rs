//! The one way through the rooms: a room imports only rooms to its right, and side rooms.

use std::fs;
use std::path::{Path, PathBuf};

const ROOMS: [&str; 5] = ["health", "snapshot", "format", "compression", "storage"];
const SIDE_ROOMS: [&str; 7] =
    ["error", "hashing", "id", "json", "metadata", "parallel", "telemetry"];

fn files_of(room: &str) -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = vec![source.join(format!("{room}.rs"))];
    let mut folders = vec![source.join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

/// The rooms that a file names in `use crate::…` or `crate::…`.
fn imports(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let names = code.flat_map(|line| line.split("crate::").skip(1).map(str::to_owned));
    let ends = |name: &String| name.find(|c: char| !c.is_alphanumeric() && c != '_');
    names.map(|name| ends(&name).map_or(name.clone(), |end| name[..end].to_owned())).collect()
}

#[test]
fn a_room_imports_only_rooms_to_its_right() {
    for (place, room) in ROOMS.iter().enumerate() {
        for file in files_of(room) {
            for name in imports(&file) {
                let is_right = ROOMS[place..].contains(&name.as_str());
                let is_side = SIDE_ROOMS.contains(&name.as_str());
                assert!(is_right || is_side, "{} imports {name}", file.display());
            }
        }
    }
}

#[test]
fn side_rooms_import_side_rooms_alone() {
    for file in SIDE_ROOMS.iter().flat_map(|room| files_of(room)) {
        for name in imports(&file) {
            assert!(SIDE_ROOMS.contains(&name.as_str()), "{} imports {name}", file.display());
        }
    }
}

#[test]
fn every_room_is_on_the_list() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let modules = text
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    for module in modules {
        assert!(ROOMS.contains(&module) || SIDE_ROOMS.contains(&module), "{module}");
    }
}
