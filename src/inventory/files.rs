//! The files of an inventory directory, as bytes.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::Code;
use super::diagnostic::{Diagnostic, Place};
use super::walker::did_you_mean;
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

/// How many files that are not read are named; a directory full of other things needs no longer list.
const MAX_STRAY: usize = 50;
/// How deep folders are searched for such files.
const MAX_DEPTH: usize = 4;

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
            stray_folder(directory, &name, &mut found);
        } else if is_yaml(&name) && !known.contains(&name) {
            found.problems.push(stray_file(&name, &top_level_help(&name)));
        }
    }
    for folder in [OPEN, SECURE] {
        read_folder(&reader, folder, &mut found);
    }
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
        if name.contains('\u{fffd}') && is_yaml(&name) {
            found.problems.push(stray_file(&path, "give it a name in UTF-8"));
        } else if name.ends_with(".yaml") {
            let bytes = inside.file(&path, &mut found.problems);
            found.files.push((path.clone(), content(&path, bytes)));
        } else if is_folder && path != SECURE {
            stray_below(reader.directory, &path, &format!("move it into `{folder}/`"), found);
        } else if is_yaml(&name) {
            found.problems.push(stray_file(&path, &rename_help(&name)));
        }
    }
}

/// True for names of files that somebody may have meant to be read.
fn is_yaml(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    matches!(extension.as_deref(), Some("yaml" | "yml" | "json"))
}

fn rename_help(name: &str) -> String {
    format!("rename it to `{}.yaml`", name.rsplit_once('.').map_or(name, |(stem, _)| stem))
}

/// Where a file beside `nodes.yaml` may belong.
fn top_level_help(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match did_you_mean(stem, ["nodes", "cluster"].into_iter()) {
        Some(known) if stem == known => rename_help(name),
        Some(known) => format!("did you mean `{known}.yaml`?"),
        None => "cloud-init entries belong into `cloud-init/`, nodes into `nodes.yaml`, variables into `cluster.yaml`"
            .into(),
    }
}

/// A folder beside `nodes.yaml` that seems to be meant for something else.
fn stray_folder(directory: &Path, name: &str, found: &mut Files) {
    let help = match name {
        OPEN => return,
        "secure" => "move it into `cloud-init/secure/`",
        "group_vars" | "host_vars" => "write the variables into `cluster.yaml`",
        _ if did_you_mean(name, [OPEN].into_iter()).is_some() => "move it into `cloud-init/`",
        _ => return,
    };
    stray_below(directory, name, help, found);
}

/// Warns of files in a folder that nothing reads. Links to folders are not followed, as they may lead in a circle.
fn stray_below(directory: &Path, folder: &str, help: &str, found: &mut Files) {
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
                found.problems.push(stray_file(&path, help));
            }
        }
    }
}

/// The bytes of a plain file, a little more than may be read of it at most.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &str, error: &io::Error) -> Diagnostic {
    let problem = Diagnostic::new(Code::Unreadable, Some(whole(path)), format!("`{path}` cannot be read: {error}"));
    problem.help(match error.kind() {
        io::ErrorKind::PermissionDenied => "let the user that runs this read it",
        _ => "put a plain file there, or remove it",
    })
}

/// A file that somebody may have meant to be read.
fn stray_file(path: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::StrayFile, Some(whole(path)), format!("`{path}` is not read")).help(help)
}

/// The start of a file, for problems with it as a whole.
pub(super) fn whole(path: &str) -> Place {
    Place { file: path.into(), line: 1, column: 1, end_line: 1, end_column: 1, start: 0, end: 0 }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A directory with the two files that have to be there.
    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for name in ["nodes.yaml", "cluster.yaml"] {
            fs::write(directory.path().join(name), "a: b\n").unwrap();
        }
        directory
    }

    fn write(directory: &tempfile::TempDir, path: &str) {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "a: b\n").unwrap();
    }

    /// The files of all problems with their codes and help.
    fn problems(directory: &tempfile::TempDir) -> Vec<(String, Code, String)> {
        let found = read(directory.path());
        let of_files = found.files.into_iter().filter_map(|(_, content)| match content {
            Content::Problem(problem) => Some(*problem),
            Content::Bytes(_) => None,
        });
        let all = found.problems.into_iter().chain(of_files);
        all.map(|p| (p.place.unwrap().file.to_string(), p.code, p.help.unwrap())).collect()
    }

    #[test]
    fn files_that_nothing_reads_are_named_with_the_place_where_they_belong() {
        let directory = directory();
        for path in [
            "node.yaml",
            "hosts.yaml",
            "cluster.yml",
            "group_vars/all.yaml",
            "cloud_init/compute.yaml",
            "cloud-init/gpu/deep/login.yaml",
            "cloud-init/secure/old/munge.yaml",
            "cloud-init/login.yml",
            "cloud-init/io.json",
        ] {
            write(&directory, path);
        }
        for other in ["README.md", "cloud-init/.hidden.yaml", "cloud-init/compute.yaml~", ".git/x.yaml", "docs/x.yaml"]
        {
            write(&directory, other);
        }
        let found = problems(&directory);
        for (path, help) in [
            ("node.yaml", "did you mean `nodes.yaml`?"),
            ("hosts.yaml", "cloud-init entries belong into `cloud-init/`"),
            ("cluster.yml", "rename it to `cluster.yaml`"),
            ("group_vars/all.yaml", "write the variables into `cluster.yaml`"),
            ("cloud_init/compute.yaml", "move it into `cloud-init/`"),
            ("cloud-init/gpu/deep/login.yaml", "move it into `cloud-init/`"),
            ("cloud-init/secure/old/munge.yaml", "move it into `cloud-init/secure/`"),
            ("cloud-init/login.yml", "rename it to `login.yaml`"),
            ("cloud-init/io.json", "rename it to `io.yaml`"),
        ] {
            let told = found.iter().find(|(file, ..)| file == path).unwrap_or_else(|| panic!("{path}: {found:?}"));
            assert_eq!(told.1, Code::StrayFile);
            assert!(told.2.contains(help), "{told:?}");
        }
        assert_eq!(found.len(), 9, "{found:?}");
    }

    #[test]
    fn the_list_of_files_that_nothing_reads_has_an_end() {
        let directory = directory();
        for number in 0..MAX_STRAY + 10 {
            write(&directory, &format!("cloud-init/old/{number}.yaml"));
        }
        symlink("..", directory.path().join("cloud-init/old/circle")).unwrap();
        assert_eq!(problems(&directory).len(), MAX_STRAY);
    }

    #[test]
    fn links_of_a_mounted_config_map_are_read_without_a_word() {
        let directory = directory();
        for name in ["nodes.yaml", "cluster.yaml"] {
            fs::remove_file(directory.path().join(name)).unwrap();
            write(&directory, &format!("..2026_11_23/{name}"));
            symlink(format!("..data/{name}"), directory.path().join(name)).unwrap();
        }
        symlink("..2026_11_23", directory.path().join("..data")).unwrap();
        write(&directory, "..2026_11_23/cloud-init/compute.yaml");
        symlink("..data/cloud-init", directory.path().join("cloud-init")).unwrap();
        assert_eq!(problems(&directory), []);
        assert_eq!(read(directory.path()).files.len(), 3);
    }

    #[test]
    fn a_link_out_of_the_directory_is_read_with_a_warning() {
        let (directory, outside) = (directory(), directory());
        fs::remove_file(directory.path().join("nodes.yaml")).unwrap();
        symlink(outside.path().join("nodes.yaml"), directory.path().join("nodes.yaml")).unwrap();
        write(&outside, "entries/compute.yaml");
        symlink(outside.path().join("entries"), directory.path().join("cloud-init")).unwrap();
        let found: Vec<_> = problems(&directory).into_iter().map(|(file, code, _)| (file, code)).collect();
        assert_eq!(found, [("nodes.yaml".into(), Code::LinkOutside), ("cloud-init".into(), Code::LinkOutside)]);
        assert_eq!(read(directory.path()).files.len(), 3);
    }

    #[test]
    fn what_is_no_plain_file_is_an_error_and_blocks_nothing() {
        let directory = directory();
        fs::create_dir_all(directory.path().join("cloud-init/folder.yaml")).unwrap();
        for pipe in ["nodes.yaml", "cloud-init/pipe.yaml"] {
            let path = directory.path().join(pipe);
            let _ = fs::remove_file(&path);
            assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        }
        symlink("absent.yaml", directory.path().join("cloud-init/dangling.yaml")).unwrap();
        symlink("/dev/zero", directory.path().join("cloud-init/device.yaml")).unwrap();
        let found = problems(&directory);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found.iter().all(|(_, code, _)| *code == Code::Unreadable), "{found:?}");
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_told() {
        use std::os::unix::ffi::OsStrExt as _;
        let directory = directory();
        fs::create_dir(directory.path().join("cloud-init")).unwrap();
        let name = std::ffi::OsStr::from_bytes(b"z\xff.yaml");
        fs::write(directory.path().join("cloud-init").join(name), "a: b").unwrap();
        assert_eq!(problems(&directory).len(), 1);
    }
}
