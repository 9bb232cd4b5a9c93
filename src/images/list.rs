//! What is below the directory: a line for each image.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::Serialize;

use super::{Named, Part, named};
use crate::inventory::Inventory;

/// How deep images are looked for: `openchami/NAME/TAG` is three, and sites add one or two.
const DEPTH: usize = 6;

/// An image: a directory with a kernel, an initrd or a root file system in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Image {
    /// Its name below the directory, `openchami/compute/latest`.
    pub name: String,
    /// Where it leads, when it is a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The kernel versions that its files are named after.
    pub versions: BTreeSet<String>,
    /// The bytes of its files.
    pub bytes: u64,
    /// The most nodes of the inventory that boot one of its files.
    pub nodes: usize,
    /// What does not fit together, a sentence each.
    pub problems: Vec<String>,
}

/// The images below a directory in the order of their names, and who boots them where there is an inventory. Blocks on
/// the file system.
///
/// # Errors
///
/// The directory cannot be read; what cannot be read below it is left out.
pub fn list(directory: &Path, inventory: Option<&Inventory>) -> io::Result<Vec<Image>> {
    let named = inventory.map(named).unwrap_or_default();
    let mut images = Vec::new();
    let mut open = vec![(String::new(), 0)];
    while let Some((name, depth)) = open.pop() {
        let entries = match std::fs::read_dir(directory.join(&name)) {
            Ok(entries) => entries,
            Err(error) if name.is_empty() => return Err(error),
            Err(_) => continue,
        };
        let mut files = BTreeMap::new();
        for entry in entries.flatten() {
            let Ok(file) = entry.file_name().into_string() else { continue };
            let path = if name.is_empty() { file.clone() } else { format!("{name}/{file}") };
            // Links are followed, as they are when images are served; the depth ends those that lead in circles.
            match std::fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_dir() && depth < DEPTH => open.push((path, depth + 1)),
                Ok(metadata) if metadata.is_file() => drop(files.insert(file, metadata.len())),
                _ => {}
            }
        }
        images.extend(image(directory, name, &files, &named));
    }
    images.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(images)
}

fn image(directory: &Path, name: String, files: &BTreeMap<String, u64>, named: &[Named]) -> Option<Image> {
    let parts: BTreeMap<&String, (Part, &str)> = files.keys().filter_map(|file| Some((file, part(file)?))).collect();
    if parts.is_empty() {
        return None;
    }
    let of = |wanted: Part| -> BTreeSet<&str> {
        parts.values().filter(|(part, _)| *part == wanted).map(|(_, version)| *version).collect()
    };
    let (kernels, initrds, roots) = (of(Part::Kernel), of(Part::Initrd), of(Part::Rootfs));
    let mut problems = Vec::new();
    for version in &kernels {
        for (part, others) in [(Part::Initrd, &initrds), (Part::Rootfs, &roots)] {
            if !others.is_empty() && !others.contains(version) {
                problems.push(format!("kernel {version} has no {} of its version", part.as_str()));
            }
        }
    }
    for version in roots.iter().filter(|version| !kernels.is_empty() && !kernels.contains(*version)) {
        problems.push(format!("rootfs {version} has no kernel of its version"));
    }
    let here = |file: &Named| file.name.rsplit_once('/').map_or("", |(image, _)| image) == name;
    let nodes = named.iter().filter(|file| here(file)).map(|file| file.nodes).max().unwrap_or(0);
    let link = std::fs::read_link(directory.join(&name)).ok().map(|link| link.display().to_string());
    let versions = parts.values().map(|(_, version)| (*version).to_owned()).collect();
    Some(Image { link, versions, bytes: files.values().sum(), nodes, problems, name })
}

/// What a file is by its name, and the version in it: `vmlinuz-VERSION`, `initramfs-VERSION.img`, `rootfs-VERSION`.
fn part(file: &str) -> Option<(Part, &str)> {
    let version = |prefix: &str| file.strip_prefix(prefix).filter(|version| !version.is_empty());
    if let Some(version) = version("vmlinuz-") {
        return Some((Part::Kernel, version));
    }
    if let Some(version) = version("initramfs-").or_else(|| version("initrd-")) {
        return Some((Part::Initrd, version.strip_suffix(".img").unwrap_or(version)));
    }
    version("rootfs-").map(|version| (Part::Rootfs, version.strip_suffix(".squashfs").unwrap_or(version)))
}
