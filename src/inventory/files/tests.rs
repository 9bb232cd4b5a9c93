//! Directories as people and clusters lay them out.

use std::os::unix::fs::symlink;

use super::stray::MAX_STRAY;
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
    for other in ["README.md", "cloud-init/.hidden.yaml", "cloud-init/compute.yaml~", ".git/x.yaml", "docs/x.yaml"] {
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
