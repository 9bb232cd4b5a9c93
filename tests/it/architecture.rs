//! The borders between rooms, read from the sources and held against the table in `ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every source file with the room it belongs to; files of `server` belong to `server/ROOM`.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let relative = path.strip_prefix(&root).unwrap().with_extension("");
                let mut parts = relative.iter().map(|p| p.to_str().unwrap().to_owned());
                let first = parts.next().unwrap();
                let room = match (first.as_str(), parts.next()) {
                    ("server", Some(inner)) => format!("server/{inner}"),
                    _ => first,
                };
                let text = fs::read_to_string(&path).unwrap();
                found.push((room, relative, text));
            }
        }
    }
    // What a test imports is no border of the program.
    found.retain(|(_, path, _)| !path.iter().any(|part| part == "tests" || part == "samples"));
    found.sort();
    assert!(found.len() > 30, "the sources were not found");
    found
}

/// The room table: room to the rooms it may import. `all` means no limit.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| room |")).skip(2);
    let ticked = |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let table: BTreeMap<_, _> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let room = ticked(cells[1]).into_iter().next().unwrap();
            let mut imports = ticked(cells[3]);
            if cells[3].starts_with("all") {
                // What stands in backticks behind "all but" is what is not meant.
                imports = BTreeSet::from(["all".to_owned()]);
            }
            (room, imports)
        })
        .collect();
    assert!(table.len() > 10, "the table was not found");
    table
}

/// The names that stand behind `crate::` in code.
fn imports(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        for rest in line.split("crate::").skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                names.insert(name);
            }
        }
    }
    names
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let table = table();
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        let top = room.split('/').next().unwrap();
        if matches!(top, "main" | "lib") {
            continue;
        }
        let Some(allowed) = table.get(&room).or_else(|| table.get(top)) else {
            wrong.push(format!("{} is in a room that ARCHITECTURE.md does not name", path.display()));
            continue;
        };
        for name in imports(&text) {
            let room_exists = table.contains_key(&name);
            if room_exists && name != top && !allowed.contains("all") && !allowed.contains(&name) {
                wrong.push(format!("{} imports `{name}`", path.display()));
            }
        }
        if matches!(top, "app" | "server") && imports(&text).contains("cli") {
            wrong.push(format!("{} imports `cli`", path.display()));
        }
    }
    assert!(wrong.is_empty(), "forbidden arrows:\n{}", wrong.join("\n"));
}

#[test]
fn no_protocol_room_imports_another() {
    let rooms = ["smd", "bss", "cloud_init", "dhcp", "advertise", "local", "tftp", "images", "loaders"];
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        let Some(own) = room.strip_prefix("server/") else { continue };
        for other in rooms.iter().filter(|other| **other != own) {
            let names = [format!("server::{other}"), format!("super::{other}::"), format!("super::super::{other}::")];
            if names.iter().any(|name| text.contains(name.as_str())) {
                wrong.push(format!("{} imports `{other}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "forbidden arrows:\n{}", wrong.join("\n"));
}

/// The paths that the `use` of a file brings in, one for each name: `use super::{a, b::c};` is two.
fn uses(text: &str) -> Vec<Vec<String>> {
    let program = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: Vec<&str> = program.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join(" ");
    let mut paths = Vec::new();
    for statement in code.split("use ").skip(1).filter_map(|rest| rest.split(';').next()) {
        // The paths in front of the braces that are open.
        let mut open: Vec<Vec<String>> = vec![Vec::new()];
        let mut path = Vec::new();
        let mut name = String::new();
        for c in statement.chars().chain([',']) {
            match c {
                '{' => open.push(std::mem::take(&mut path)),
                ',' | '}' => {
                    if !name.is_empty() {
                        path.push(std::mem::take(&mut name));
                        paths.push(open.iter().flatten().chain(&path).cloned().collect());
                    }
                    path.clear();
                    if c == '}' && open.len() > 1 {
                        open.pop();
                    }
                }
                ':' if name.is_empty() => {}
                ':' => path.push(std::mem::take(&mut name)),
                c if c.is_alphanumeric() || c == '_' => name.push(c),
                _ => {}
            }
        }
    }
    paths
}

/// The files that each file imports, by their modules, without those that it is in or that are in it.
fn arrows() -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let module = |path: &Path| path.iter().map(|part| part.to_str().unwrap().to_owned()).collect::<Vec<_>>();
    let files: BTreeMap<Vec<String>, String> =
        sources().into_iter().map(|(_, path, text)| (module(&path), text)).collect();
    let mut arrows = BTreeMap::new();
    for (from, text) in &files {
        let mut found = BTreeSet::new();
        for path in uses(text) {
            let supers = path.iter().take_while(|part| *part == "super").count();
            let mut to = match path.first().map(String::as_str) {
                Some("crate") => path[1..].to_vec(),
                Some("self") => [from, &path[1..]].concat(),
                Some("super") if supers <= from.len() => [&from[..from.len() - supers], &path[supers..]].concat(),
                _ => [&from[..], &path[..]].concat(),
            };
            while !to.is_empty() && !files.contains_key(&to) {
                to.pop();
            }
            if !to.is_empty() && !from.starts_with(&to) && !to.starts_with(from) {
                found.insert(to);
            }
        }
        arrows.insert(from.clone(), found);
    }
    arrows
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    assert_eq!(uses("use super::{a, b::{c, d}};\n// use e;\npub use f;").concat().concat(), "superasuperbcsuperbdf");
    let mut arrows = arrows();
    let all: usize = arrows.values().map(BTreeSet::len).sum();
    assert!(all > 1000, "the imports were not read: {all}");
    // A file that imports none of those left is in no circle.
    while let Some(end) = arrows.iter().find(|(_, to)| to.is_empty()).map(|(from, _)| from.clone()) {
        arrows.remove(&end);
        for to in arrows.values_mut() {
            to.remove(&end);
        }
    }
    let circles: Vec<String> = arrows.keys().map(|file| file.join("/")).collect();
    assert!(circles.is_empty(), "in circles, or before one: {circles:?}");
}

#[test]
fn each_outside_library_with_a_room_of_its_own_stays_there() {
    let homes = [
        ("sqlx", &["store"][..]),
        ("minijinja", &["template"]),
        ("clap", &["cli"]),
        ("dhcproto", &["server/dhcp"]),
        ("socket2", &["server/dhcp", "server/advertise", "server/tftp"]),
        // Not `nix` alone, with which `std::os::unix` ends.
        ("nix::sys", &["server/tftp"]),
        ("saphyr_parser", &["inventory"]),
        ("annotate_snippets", &["inventory"]),
    ];
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        for (library, rooms) in homes {
            let named = text.lines().any(|line| {
                let line = line.trim_start();
                !line.starts_with("//")
                    && (line.contains(&format!("{library}::")) || line.contains(&format!("use {library}")))
            });
            if named && !rooms.contains(&room.as_str()) {
                wrong.push(format!("{} names `{library}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn code_of_the_boot_role_cannot_reach_a_whole_snapshot() {
    for (room, path, text) in sources() {
        if matches!(room.as_str(), "boot" | "server/dhcp") {
            let program = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code: Vec<&str> = program.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for name in ["SnapshotReader", "snapshot::Snapshot", "cloud_init_secure", "Store"] {
                assert!(!code.iter().any(|line| line.contains(name)), "{} names {name}", path.display());
            }
        }
    }
}

#[test]
fn every_file_opens_with_a_module_doc() {
    let bare: Vec<String> = sources()
        .into_iter()
        .filter(|(_, _, text)| !text.starts_with("//!"))
        .map(|(_, path, _)| path.display().to_string())
        .collect();
    assert!(bare.is_empty(), "without a module doc: {bare:?}");
}
