//! The files of an inventory directory, as bytes.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::Code;
use super::diagnostic::{Diagnostic, Place};
use super::yaml::MAX_BYTES;

/// A file, or why it could not be read.
pub(super) enum Content {
    Bytes(Vec<u8>),
    Problem(Box<Diagnostic>),
}

/// What a directory holds, by path below it, in the order in which it is reported.
#[derive(Default)]
pub(super) struct Files {
    pub(super) files: Vec<(String, Content)>,
    /// Problems with the directory itself.
    pub(super) problems: Vec<Diagnostic>,
}

/// The folders with cloud-init entries.
pub(super) const OPEN: &str = "cloud-init";
/// Those for the secure store.
pub(super) const SECURE: &str = "cloud-init/secure";

/// Reads what belongs to an inventory.
pub(super) fn read(directory: &Path) -> Files {
    let mut found = Files::default();
    match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            found.problems.push(Diagnostic::new(Code::MissingFile, None, "the inventory is not a directory"));
            return found;
        }
        Err(error) => {
            let message = format!("the inventory directory cannot be read: {error}");
            found.problems.push(Diagnostic::new(Code::MissingFile, None, message));
            return found;
        }
    }
    for name in ["nodes.yaml", "cluster.yaml"] {
        let stray = name.replace(".yaml", ".yml");
        if directory.join(&stray).exists() {
            found.problems.push(stray_file(&stray));
        }
        let content = match read_file(&directory.join(name)) {
            Ok(bytes) => Content::Bytes(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let message = format!("the inventory has no `{name}`");
                Content::Problem(Diagnostic::new(Code::MissingFile, Some(whole(name)), message).into())
            }
            Err(error) => Content::Problem(unreadable(name, &error).into()),
        };
        found.files.push((name.to_owned(), content));
    }
    for folder in [OPEN, SECURE] {
        read_folder(directory, folder, &mut found);
    }
    found
}

fn read_folder(directory: &Path, folder: &str, found: &mut Files) {
    let entries = match fs::read_dir(directory.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return found.problems.push(unreadable(folder, &error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        match entry.map(|entry| entry.file_name().into_string()) {
            Ok(Ok(name)) if !name.starts_with('.') => names.push(name),
            // A name that is not UTF-8 cannot be shown or committed portably, and a hidden one belongs to an editor.
            Ok(_) => {}
            Err(error) => found.problems.push(unreadable(folder, &error)),
        }
    }
    names.sort_unstable();
    for name in names {
        let path = format!("{folder}/{name}");
        if name.ends_with(".yaml") {
            let content = match read_file(&directory.join(&path)) {
                Ok(bytes) => Content::Bytes(bytes),
                Err(error) => Content::Problem(unreadable(&path, &error).into()),
            };
            found.files.push((path, content));
        } else if name.ends_with(".yml") {
            found.problems.push(stray_file(&path));
        }
    }
}

/// The bytes of a plain file, a little more than may be read of it at most.
pub(super) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn unreadable(path: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::new(Code::Unreadable, Some(whole(path)), format!("`{path}` cannot be read: {error}"))
}

fn stray_file(path: &str) -> Diagnostic {
    let message = format!("`{path}` is not read, because its name does not end with `.yaml`");
    let help = format!("rename it to `{}.yaml`", path.trim_end_matches(".yml"));
    Diagnostic::new(Code::StrayFile, Some(whole(path)), message).help(help)
}

/// The start of a file, for problems with it as a whole.
pub(super) fn whole(path: &str) -> Place {
    Place { file: path.into(), line: 1, column: 1, end_line: 1, end_column: 1, start: 0, end: 0 }
}
