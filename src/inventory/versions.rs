//! The kernel versions that names of files tell, and profiles that boot parts of different ones together.
//!
//! Only names are looked at, as images are built by many programs: a root file system is as long as a film, and which
//! modules are in it is not known before it is unpacked. A name that tells no version fits everything.

use std::collections::BTreeMap;

use super::Code;
use super::diagnostic::Diagnostic;
use super::source::Sheet;
use super::types::Boot;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The kernel.
    Kernel,
    /// The initrd.
    Initrd,
    /// The root file system.
    Rootfs,
}

impl Part {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Initrd => "initrd",
            Self::Rootfs => "rootfs",
        }
    }
}

/// What a file is by its name, and what stands in the place of the version: `vmlinuz-VERSION`, `initramfs-VERSION.img`,
/// `initrd-VERSION`, `initrd.img-VERSION`, `rootfs-VERSION`. None for any other name.
#[must_use]
pub fn named_version(file: &str) -> Option<(Part, &str)> {
    let version = |prefix: &str| file.strip_prefix(prefix).filter(|version| !version.is_empty());
    if let Some(version) = version("vmlinuz-") {
        return Some((Part::Kernel, version));
    }
    if let Some(version) = version("initramfs-").or_else(|| version("initrd-")).or_else(|| version("initrd.img-")) {
        return Some((Part::Initrd, version.strip_suffix(".img").unwrap_or(version)));
    }
    version("rootfs-").map(|version| (Part::Rootfs, version.strip_suffix(".squashfs").unwrap_or(version)))
}

/// A kernel that is booted with something of another version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mismatch<'b> {
    /// The kernel's version.
    pub kernel: &'b str,
    /// What is of another version.
    pub part: Part,
    /// The URL of that.
    pub url: &'b str,
    /// Its version.
    pub version: &'b str,
}

/// What a profile boots beside its kernel that is of another version, as far as the names tell.
pub fn mismatches(boot: &Boot) -> impl Iterator<Item = Mismatch<'_>> {
    let kernel = version(&boot.kernel, Part::Kernel);
    let others = [(Part::Initrd, Some(&*boot.initrd)), (Part::Rootfs, boot.rootfs())];
    others.into_iter().filter_map(move |(part, url)| {
        let (kernel, url) = (kernel?, url?);
        let version = version(url, part)?;
        (version != kernel).then_some(Mismatch { kernel, part, url, version })
    })
}

/// The version that a URL tells of a part. Versions begin with a digit, so `vmlinuz-arm64` tells none.
fn version(url: &str, wanted: Part) -> Option<&str> {
    let path = url.split(['?', '#']).next()?;
    let (part, version) = named_version(path.rsplit('/').next()?)?;
    (part == wanted && version.starts_with(|c: char| c.is_ascii_digit())).then_some(version)
}

/// Warns of profiles that boot parts of different versions together, once for each pair of versions.
pub(super) fn check(cluster: Sheet<'_>, boots: &[Option<Boot>]) {
    let mut found: BTreeMap<(u32, Mismatch<'_>), usize> = BTreeMap::new();
    for boot in boots.iter().flatten() {
        for mismatch in mismatches(boot) {
            *found.entry((boot.origin.line, mismatch)).or_default() += 1;
        }
    }
    for ((line, Mismatch { kernel, part, version, .. }), nodes) in found {
        let range = cluster.source.line_range(usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX));
        let who = if nodes == 1 { "1 node boots".to_owned() } else { format!("{nodes} nodes boot") };
        let message = format!("{who} kernel {kernel} with the {} of {version}", part.as_str());
        let place = cluster.source.place(range.start, range.end);
        let help = "a kernel finds its modules in files of its own version only; name those, or give a file that fits \
                    every kernel a name without a version";
        cluster.push(Diagnostic::new(Code::ImageVersions, Some(place), message).help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::load;

    #[test]
    fn names_tell_what_a_file_is_and_its_version() {
        for (file, expected) in [
            ("vmlinuz-5.14.0-503.el9.x86_64", Some((Part::Kernel, "5.14.0-503.el9.x86_64"))),
            ("initramfs-5.14.0.img", Some((Part::Initrd, "5.14.0"))),
            ("initrd-5.14.0", Some((Part::Initrd, "5.14.0"))),
            ("initrd.img-6.1.0-13-amd64", Some((Part::Initrd, "6.1.0-13-amd64"))),
            ("rootfs-5.14.0.squashfs", Some((Part::Rootfs, "5.14.0"))),
            ("rocky9.5-compute-base", None),
            ("vmlinuz-", None),
            ("vmlinuz", None),
        ] {
            assert_eq!(named_version(file), expected, "{file}");
        }
    }

    /// What is told of nodes that boot these three: the codes, lines and messages of warnings.
    fn told(kernel: &str, initrd: &str, root: &str) -> Vec<(u32, String)> {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        let base = "http://172.16.0.254:8080/a";
        write(
            "cluster.yaml",
            &format!(
                "cluster_name: demo\ncluster_boot_ip: 172.16.0.254\nboot:\n  default:\n    \
                 kernel: {base}/{kernel}\n    \
                 initrd: {base}/{initrd}\n    params: 'quiet root=live:{base}/{root} ro'\n"
            ),
        );
        let node = |n: u8| {
            format!(
                "- {{name: nid00{n}, xname: x1000c0s0b{n}n0, nid: {n}, \
                 interfaces: [{{mac_addr: 'ec:e7:a7:05:a1:0{n}'}}]}}\n"
            )
        };
        write("nodes.yaml", &format!("nodes:\n{}{}", node(1), node(2)));
        let loaded = load(directory.path());
        assert!(loaded.inventory.is_some(), "{:?}", loaded.diagnostics);
        let ours = loaded.diagnostics.iter().filter(|problem| problem.code == Code::ImageVersions);
        ours.map(|problem| (problem.place.as_ref().unwrap().line, problem.message.clone())).collect()
    }

    #[test]
    fn an_initrd_or_a_rootfs_of_another_version_is_a_warning_at_the_profile() {
        assert_eq!(told("vmlinuz-5.1", "initramfs-5.1.img", "rootfs-5.1"), []);
        let found = told("vmlinuz-5.1", "initramfs-5.2.img", "rootfs-5.3");
        let expected =
            ["2 nodes boot kernel 5.1 with the initrd of 5.2", "2 nodes boot kernel 5.1 with the rootfs of 5.3"];
        assert_eq!(found.iter().map(|(_, message)| &**message).collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|(line, _)| (4..=7).contains(line)), "{found:?}");
    }

    #[test]
    fn a_name_without_a_version_fits_every_kernel() {
        for (kernel, initrd, root) in [
            ("vmlinuz-5.1", "initramfs.img", "compute.squashfs"),
            ("vmlinuz", "initramfs-5.2.img", "rootfs-5.3"),
            ("vmlinuz-arm64", "initramfs-5.2.img", "rootfs-5.3"),
            ("vmlinuz-5.1", "initramfs-arm64.img", "rootfs-latest"),
        ] {
            assert_eq!(told(kernel, initrd, root), [], "{kernel} {initrd} {root}");
        }
    }
}
