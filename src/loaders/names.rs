//! The builds of iPXE by the names that boot files have in DHCP answers, and the names that packages give them.

/// A build of iPXE.
#[derive(Debug, PartialEq, Eq)]
pub struct Build {
    /// The name in DHCP answers; those of coresmd where it has one.
    pub name: &'static str,
    /// What packages call it, below their directory; the first that is there is taken.
    pub files: &'static [&'static str],
}

/// Where the packages of Debian, and of RHEL, Fedora and their kin, put the builds.
pub const PACKAGE_DIRECTORIES: &[&str] = &["/usr/lib/ipxe", "/usr/share/ipxe"];

/// Every build that is known.
///
/// A build with all drivers comes before one that uses the firmware's network (`snponly`), except for ARM, where
/// packages hold mostly the latter.
pub const BUILDS: &[Build] = &[
    Build { name: "undionly.kpxe", files: &["undionly.kpxe"] },
    Build { name: "ipxe-i386.kpxe", files: &["ipxe-i386.kpxe", "ipxe.kpxe", "undionly.kpxe"] },
    Build { name: "ipxe-i386.efi", files: &["ipxe-i386.efi", "i386-efi/ipxe.efi", "i386-efi/snponly.efi"] },
    Build {
        name: "ipxe-x86_64.efi",
        files: &["ipxe-x86_64.efi", "ipxe-amd64.efi", "x86_64-efi/ipxe.efi", "ipxe.efi", "ipxe-snponly-x86_64.efi"],
    },
    Build { name: "ipxe-arm32.efi", files: &["ipxe-arm32.efi", "ipxe-arm.efi", "arm32-efi/ipxe.efi"] },
    Build {
        name: "ipxe-arm64.efi",
        files: &[
            "ipxe-arm64.efi",
            "ipxe-aarch64.efi",
            "arm64-efi/ipxe.efi",
            "arm64-efi/snponly.efi",
            "ipxe-snponly-arm64.efi",
            "ipxe-snponly-aarch64.efi",
        ],
    },
    Build { name: "snponly.efi", files: &["snponly.efi", "ipxe-snponly-x86_64.efi", "x86_64-efi/snponly.efi"] },
    Build {
        name: "snponly-arm64.efi",
        files: &["snponly-arm64.efi", "ipxe-snponly-arm64.efi", "ipxe-snponly-aarch64.efi", "arm64-efi/snponly.efi"],
    },
    Build { name: "ipxe.efi", files: &["ipxe.efi", "ipxe-amd64.efi", "ipxe-x86_64.efi"] },
    Build { name: "ipxe.pxe", files: &["ipxe.pxe"] },
    Build { name: "undionly.kkpxe", files: &["undionly.kkpxe"] },
];

/// The build of this name.
#[must_use]
pub fn build(name: &str) -> Option<&'static Build> {
    BUILDS.iter().find(|build| build.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_boot_file_of_coresmd_is_known() {
        for name in ["undionly.kpxe", "ipxe-i386.efi", "ipxe-x86_64.efi", "ipxe-arm32.efi", "ipxe-arm64.efi"] {
            assert_eq!(build(name).map(|build| build.files[0]), Some(name));
        }
        assert_eq!(build("vmlinuz"), None);
    }
}
