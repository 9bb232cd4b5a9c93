//! The files of an inventory directory, as bytes.

mod stray;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::Code;
use super::diagnostic::{Diagnostic, Place};
use super::folders::{GROUPS, INSTANCES, OPEN, SECURE, TEMPLATES};
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

/// The name under which profiles know the template in this file; none for a file that is none.
pub(super) fn template_name(file: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    file.strip_suffix(".j2").filter(|name| !name.is_empty() && name.chars().all(plain))
}

/// Reads what belongs to an inventory.
///
/// Links are followed: Kubernetes mounts a ConfigMap as links to a hidden folder beside them, and an inventory may be a
/// link itself. One that leads out of the directory is followed, too, with a warning, since git does not keep what it
/// leads to. Anything but a plain file is an error and not opened, so that a pipe cannot block.
pub(super) fn read(directory: &Path) -> Files {
    let mut found = Files::default();
    match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            let problem = Diagnostic::new(Code::MissingFile, None, "the inventory is not a directory");
            found.problems.push(problem.help(DIRECTORY_HELP));
            return found;
        }
        Err(error) => {
            let message = format!("the inventory directory cannot be read: {error}");
            found.problems.push(Diagnostic::new(Code::MissingFile, None, message).help(DIRECTORY_HELP));
            return found;
        }
    }
    let root = directory.canonicalize().ok();
    let reader = Reader { directory, root: root.as_deref() };
    let mut known: Vec<String> = Vec::new();
    for name in ["nodes.yaml", "cluster.yaml"] {
        let content = match reader.file(name, &mut found.problems) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let message = format!("the inventory has no `{name}`");
                let problem = Diagnostic::new(Code::MissingFile, Some(whole(name)), message);
                let near = ["yml", "json"].iter().map(|other| name.replace("yaml", other));
                let near = near.into_iter().find(|other| directory.join(other).exists());
                Content::Problem(match near {
                    Some(other) => {
                        let problem = problem.help(format!("rename `{other}` to `{name}`"));
                        known.push(other);
                        problem.into()
                    }
                    None => problem.help(format!("write `{name}`, or name another directory by `--inventory`")).into(),
                })
            }
            other => content(name, other),
        };
        found.files.push((name.to_owned(), content));
        known.push(name.to_owned());
    }
    // A directory that can be searched and not listed has its files all the same.
    for (name, is_folder) in entries(directory).unwrap_or_default() {
        if is_folder {
            stray::folder(directory, &name, &mut found);
        } else if stray::is_yaml(&name) && !known.contains(&name) {
            found.problems.push(stray::file(&name, &stray::top_level_help(&name)));
        }
    }
    for folder in [OPEN, GROUPS, INSTANCES, SECURE] {
        read_folder(&reader, folder, &mut found);
    }
    read_templates(&reader, &mut found);
    found
}

const DIRECTORY_HELP: &str = "name the directory that holds `nodes.yaml` and `cluster.yaml` by `--inventory`";

/// A directory under examination, and where it really is.
struct Reader<'d> {
    directory: &'d Path,
    root: Option<&'d Path>,
}

impl Reader<'_> {
    /// The bytes of a file; warns when it is a link that leads out of the directory.
    fn file(&self, path: &str, problems: &mut Vec<Diagnostic>) -> io::Result<Vec<u8>> {
        let bytes = read_file(&self.directory.join(path))?;
        self.check_link(path, problems);
        Ok(bytes)
    }

    /// True when what is at a path is somewhere else, which is reported.
    fn check_link(&self, path: &str, problems: &mut Vec<Diagnostic>) -> bool {
        let Some((root, real)) = self.root.zip(self.directory.join(path).canonicalize().ok()) else { return false };
        let outside = !real.starts_with(root);
        if outside {
            let message = format!("`{path}` is a link that leads out of the inventory directory");
            let problem = Diagnostic::new(Code::LinkOutside, Some(whole(path)), message);
            problems.push(problem.help("put the file itself there: git keeps the link and not what it leads to"));
        }
        outside
    }
}

fn content(path: &str, bytes: io::Result<Vec<u8>>) -> Content {
    bytes.map_or_else(|error| Content::Problem(unreadable(path, &error).into()), Content::Bytes)
}

/// The names in a folder, sorted, and whether each is a folder; hidden ones are left out, they belong to an editor, to
/// git or to Kubernetes.
fn entries(folder: &Path) -> io::Result<Vec<(String, bool)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push((name, entry.path().is_dir()));
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn read_folder(reader: &Reader<'_>, folder: &str, found: &mut Files) {
    let names = match entries(&reader.directory.join(folder)) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return found.problems.push(unreadable(folder, &error)),
    };
    // What is in a folder elsewhere is elsewhere, too, and needs no telling.
    let inside = Reader { root: reader.root.filter(|_| !reader.check_link(folder, &mut found.problems)), ..*reader };
    for (name, is_folder) in names {
        let path = format!("{folder}/{name}");
        // Such a name cannot be shown, and not every system can check it out of git.
        if name.contains('\u{fffd}') && stray::is_yaml(&name) {
            found.problems.push(stray::file(&path, "give it a name in UTF-8"));
        } else if name.ends_with(".yaml") {
            let bytes = inside.file(&path, &mut found.problems);
            found.files.push((path.clone(), content(&path, bytes)));
        } else if is_folder && ![SECURE, GROUPS, INSTANCES].contains(&path.as_str()) {
            stray::below(reader.directory, &path, &format!("move it into `{folder}/`"), found);
        } else if stray::is_yaml(&name) {
            found.problems.push(stray::file(&path, &stray::rename_help(&name)));
        }
    }
}

fn read_templates(reader: &Reader<'_>, found: &mut Files) {
    let names = match entries(&reader.directory.join(TEMPLATES)) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return found.problems.push(unreadable(TEMPLATES, &error)),
    };
    for (name, _) in names {
        let path = format!("{TEMPLATES}/{name}");
        if template_name(&name).is_some() {
            let bytes = reader.file(&path, &mut found.problems);
            found.files.push((path.clone(), content(&path, bytes)));
        } else if found.problems.iter().filter(|problem| problem.code == Code::StrayFile).count() < stray::MAX_STRAY {
            let help = "templates of boot scripts are called `NAME.j2`, of letters, digits, `.`, `_` and `-`";
            found.problems.push(stray::file(&path, help));
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
    let problem = Diagnostic::new(Code::Unreadable, Some(whole(path)), format!("`{path}` cannot be read: {error}"));
    problem.help(match error.kind() {
        io::ErrorKind::PermissionDenied => "let the user that runs this read it",
        _ => "put a plain file there, or remove it",
    })
}

/// The start of a file, for problems with it as a whole.
pub(super) fn whole(path: &str) -> Place {
    Place { file: path.into(), line: 1, column: 1, end_line: 1, end_column: 1, start: 0, end: 0 }
}

#[cfg(test)]
mod tests;
