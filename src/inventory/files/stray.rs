//! Files that somebody may have meant to be read, and that nothing reads.

use std::path::Path;

use super::super::Code;
use super::super::diagnostic::Diagnostic;
use super::super::folders::{OPEN, TEMPLATES};
use super::super::near::did_you_mean;
use super::{Files, entries, whole};

/// How many files that are not read are named; a directory full of other things needs no longer list.
pub(super) const MAX_STRAY: usize = 50;
/// How deep folders are searched for such files.
const MAX_DEPTH: usize = 4;

/// True for names of files that somebody may have meant to be read.
pub(super) fn is_yaml(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    matches!(extension.as_deref(), Some("yaml" | "yml" | "json"))
}

pub(super) fn rename_help(name: &str) -> String {
    format!("rename it to `{}.yaml`", name.rsplit_once('.').map_or(name, |(stem, _)| stem))
}

/// Where a file beside `nodes.yaml` may belong.
pub(super) fn top_level_help(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match did_you_mean(stem, ["nodes", "cluster"].into_iter()) {
        Some(known) if stem == known => rename_help(name),
        Some(known) => format!("did you mean `{known}.yaml`?"),
        None => "cloud-init entries belong into `cloud-init/`, nodes into `nodes.yaml`, variables into `cluster.yaml`"
            .into(),
    }
}

/// A folder beside `nodes.yaml` that seems to be meant for something else.
pub(super) fn folder(directory: &Path, name: &str, found: &mut Files) {
    let help = match name {
        OPEN | TEMPLATES => return,
        "secure" => "move it into `cloud-init/secure/`",
        "group_vars" | "host_vars" => "write the variables into `cluster.yaml`",
        _ if did_you_mean(name, [OPEN].into_iter()).is_some() => "move it into `cloud-init/`",
        _ => return,
    };
    below(directory, name, help, found);
}

/// Warns of files in a folder that nothing reads. Links to folders are not followed, as they may lead in a circle.
pub(super) fn below(directory: &Path, folder: &str, help: &str, found: &mut Files) {
    let mut folders = vec![(folder.to_owned(), 1)];
    while let Some((folder, depth)) = folders.pop() {
        for (name, is_folder) in entries(&directory.join(&folder)).unwrap_or_default() {
            let path = format!("{folder}/{name}");
            let is_link = directory.join(&path).is_symlink();
            if is_folder && !is_link && depth < MAX_DEPTH {
                folders.push((path, depth + 1));
            } else if !is_folder && is_yaml(&name) {
                let known = found.problems.iter().filter(|problem| problem.code == Code::StrayFile).count();
                if known >= MAX_STRAY {
                    return;
                }
                found.problems.push(file(&path, help));
            }
        }
    }
}

/// A file that somebody may have meant to be read.
pub(super) fn file(path: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::StrayFile, Some(whole(path)), format!("`{path}` is not read")).help(help)
}
