//! What is below the directory: a line for each image.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::Serialize;

use super::{below, files};
use crate::inventory::{Inventory, Part, mismatches, named_version};

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
    /// How many nodes of the inventory boot one of its files.
    pub nodes: usize,
    /// Which those are.
    pub users: Vec<Users>,
    /// What does not fit together, a sentence each.
    pub problems: Vec<String>,
}

/// Nodes that boot an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Users {
    /// The groups that each of them is in, and no other.
    pub groups: Vec<String>,
    /// Their names, in the order of `nodes.yaml`.
    pub nodes: Vec<String>,
}

/// What the inventory says of an image.
#[derive(Default)]
struct Use {
    /// Names of nodes by their groups.
    users: BTreeMap<Vec<String>, Vec<String>>,
    /// How many nodes boot its kernel with something from elsewhere that does not fit it, by the sentence that says so.
    misfits: BTreeMap<String, usize>,
}

/// The images below a directory in the order of their names, and who boots them where there is an inventory. Blocks on
/// the file system.
///
/// # Errors
///
/// The directory cannot be read; what cannot be read below it is left out.
pub fn list(directory: &Path, inventory: Option<&Inventory>) -> io::Result<Vec<Image>> {
    let mut uses = inventory.map(uses).unwrap_or_default();
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
        let used = uses.remove(&name).unwrap_or_default();
        images.extend(image(directory, name, &files, used));
    }
    images.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(images)
}

/// Who boots what of each image.
fn uses(inventory: &Inventory) -> BTreeMap<String, Use> {
    let host = inventory.cluster.boot_ip.to_string();
    let mut uses: BTreeMap<String, Use> = BTreeMap::new();
    for node in &inventory.nodes {
        let Some(boot) = &node.boot else { continue };
        let images: BTreeSet<String> = files(boot, &host).map(|(_, name, _)| image_of(&name).to_owned()).collect();
        for image in images {
            let groups = node.groups.iter().map(ToString::to_string).collect();
            uses.entry(image).or_default().users.entry(groups).or_default().push(node.name.to_string());
        }
        let Some(kernel) = below(&boot.kernel, &host) else { continue };
        for mismatch in mismatches(boot) {
            // Two files of one image are held against each other whether anybody boots them or not.
            if below(mismatch.url, &host).is_some_and(|other| image_of(&other) == image_of(&kernel)) {
                continue;
            }
            let sentence = format!(
                "kernel {} is booted with the {} of {}, {}",
                mismatch.kernel,
                mismatch.part.as_str(),
                mismatch.version,
                mismatch.url
            );
            let used = uses.entry(image_of(&kernel).to_owned()).or_default();
            *used.misfits.entry(sentence).or_default() += 1;
        }
    }
    uses
}

/// The image that a file belongs to: the directory that it is in.
fn image_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(image, _)| image)
}

fn image(directory: &Path, name: String, files: &BTreeMap<String, u64>, used: Use) -> Option<Image> {
    let parts: BTreeMap<&String, (Part, &str)> =
        files.keys().filter_map(|file| Some((file, named_version(file)?))).collect();
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
    for (part, others) in [(Part::Initrd, &initrds), (Part::Rootfs, &roots)] {
        for version in others.iter().filter(|version| !kernels.is_empty() && !kernels.contains(*version)) {
            problems.push(format!("{} {version} has no kernel of its version", part.as_str()));
        }
    }
    problems.extend(used.misfits.into_iter().map(|(sentence, nodes)| match nodes {
        1 => format!("{sentence}, by 1 node"),
        _ => format!("{sentence}, by {nodes} nodes"),
    }));
    let users: Vec<Users> = used.users.into_iter().map(|(groups, nodes)| Users { groups, nodes }).collect();
    let nodes = users.iter().map(|users| users.nodes.len()).sum();
    let link = std::fs::read_link(directory.join(&name)).ok().map(|link| link.display().to_string());
    let versions = parts.values().map(|(_, version)| (*version).to_owned()).collect();
    Some(Image { link, versions, bytes: files.values().sum(), nodes, users, problems, name })
}
