//! The images below a directory: which files of them the inventory names, what is missing, and who boots what.
//!
//! A node that is told to boot a kernel that is not there hangs in a loop of retries that nobody sees. Looked at are the
//! URLs over plain HTTP at `cluster_boot_ip`: those of kernels, of initrds, and of root file systems ([`Boot::rootfs`]).
//! `root=nfs:` names a directory, and other hosts are other people's, so neither is looked at.

mod list;
mod near;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::directory::{Directory, OpenError};
use crate::inventory::{Boot, Code, Diagnostic, Inventory, Loaded, Part, Stretch};

pub use list::{Image, Users, list};

/// A file that the inventory names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What it is for.
    pub part: Part,
    /// Its name below the directory of images.
    pub name: String,
    /// The line of `cluster.yaml` that names it.
    pub line: u32,
    /// How many nodes boot it.
    pub nodes: usize,
}

/// A file that the inventory names and that cannot be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The file.
    pub named: Named,
    /// Why, in a few words.
    pub reason: &'static str,
    /// The name of a file that is there and looks like it.
    pub near: Option<String>,
}

/// The files that nodes boot, each once, in the order of parts and names.
#[must_use]
pub fn named(inventory: &Inventory) -> Vec<Named> {
    let host = inventory.cluster.boot_ip.to_string();
    let mut found: BTreeMap<(Part, String), Named> = BTreeMap::new();
    for boot in inventory.nodes.iter().filter_map(|node| node.boot.as_ref()) {
        for (part, name, line) in files(boot, &host) {
            let named = found.entry((part, name.clone())).or_insert(Named { part, name, line, nodes: 0 });
            named.nodes += 1;
        }
    }
    found.into_values().collect()
}

/// What of the inventory's files cannot be served from a directory. Blocks on the file system.
#[must_use]
pub fn missing(inventory: &Inventory, directory: &Path) -> Vec<Missing> {
    let served = Directory::new(directory);
    let missing = |named: Named| {
        let reason = match served.open(&named.name) {
            Ok(_) => return None,
            Err(OpenError::NotFound) => "is not there",
            Err(OpenError::Outside) => "leads out of the directory",
            Err(OpenError::Denied) => "may not be read",
            Err(OpenError::Io(_)) => "cannot be opened",
        };
        let near = near::near(directory, &named.name);
        Some(Missing { named, reason, near })
    };
    named(inventory).into_iter().filter_map(missing).collect()
}

/// As [`missing`], as problems of the inventory that was loaded; none for one that is invalid anyway.
#[must_use]
pub fn diagnostics(loaded: &Loaded, directory: &Path) -> Vec<Diagnostic> {
    let missing = loaded.inventory.iter().flat_map(|inventory| missing(inventory, directory));
    let problem = |Missing { named, reason, near }: Missing| {
        let (part, name, place) = (named.part.as_str(), &named.name, directory.display());
        let nodes = if named.nodes == 1 { "1 node".to_owned() } else { format!("{} nodes", named.nodes) };
        let message = format!("the {part} `{name}` of {nodes} {reason} below {place}");
        let help = match near {
            Some(near) => format!("there is `{near}`"),
            None => "put the image there, or name one that is there (`ochami-sync images list`)".to_owned(),
        };
        loaded.at_line(Code::MissingImage, "cluster.yaml", named.line, message, help)
    };
    missing.map(problem).collect()
}

/// The files of a profile that are served at this host, with the lines that name them.
fn files<'b>(boot: &'b Boot, host: &'b str) -> impl Iterator<Item = (Part, String, u32)> + 'b {
    let root = boot.rootfs();
    let parts = [
        (Part::Kernel, Some(&*boot.kernel), &boot.kernel, &boot.stretches.kernel),
        (Part::Initrd, Some(&*boot.initrd), &boot.initrd, &boot.stretches.initrd),
        (Part::Rootfs, root, &boot.params, &boot.stretches.params),
    ];
    parts.into_iter().filter_map(move |(part, url, whole, stretches)| {
        let url = url?;
        let name = below(url, host)?;
        let end = whole.find(url).unwrap_or(0) + url.len();
        Some((part, name, line(stretches, end).unwrap_or(boot.origin.line)))
    })
}

/// The path of a URL at this host.
fn below(url: &str, host: &str) -> Option<String> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/')?;
    let name = authority.split(':').next()?;
    (name == host).then(|| path.split(['?', '#']).next().unwrap_or_default().to_owned())
}

/// The line that says the last character before a place of a value, or the nearest before it that a line says.
fn line(stretches: &Arc<[Stretch]>, end: usize) -> Option<u32> {
    let mut begins = 0;
    let mut line = None;
    for stretch in stretches.iter().take_while(|stretch| {
        let covers = begins < end;
        begins += stretch.text.len();
        covers
    }) {
        line = stretch.line.or(line);
    }
    line
}

#[cfg(test)]
mod tests;
