//! What of the file system `serve` needs: state directory, loaders, images, certificate; and the clock.

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::{Finding, Status};
use crate::clock;
use crate::images;
use crate::inventory::Loaded;
use crate::loaders::header::Machine;
use crate::loaders::{Content, Loaders};
use crate::server::common::Tls;

/// Less free space than this, in bytes, and the database may soon have none to grow.
const LITTLE_SPACE: u64 = 256 << 20;

/// The loaders that DHCP names for the usual firmware.
const USUAL: &[&str] = &["undionly.kpxe", "ipxe-x86_64.efi", "ipxe-arm64.efi"];

/// The state directory: there, ours alone, writable, with space.
pub(super) fn state(path: &Path) -> Vec<Finding> {
    const CHECK: &str = "state";
    let shown = path.display();
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let above = path.ancestors().skip(1).find(|above| above.is_dir()).unwrap_or(Path::new("/"));
            if access(above, Access::WRITE_OK | Access::EXEC_OK).is_ok() {
                return vec![Finding::ok(CHECK, format!("{shown} is not there yet and can be made"))];
            }
            let help = "make it for the user that serves, or name another by --state";
            return vec![Finding::error(CHECK, format!("{shown} is not there and cannot be made"), help)];
        }
        Err(error) => {
            return vec![Finding::error(
                CHECK,
                format!("{shown} cannot be looked at: {error}"),
                "mend its permissions",
            )];
        }
    };
    if !metadata.is_dir() {
        return vec![Finding::error(CHECK, format!("{shown} is not a directory"), "name another by --state")];
    }
    let mut findings = Vec::new();
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o022 != 0 {
        let message = format!("{shown} can be written by others (mode {mode:04o}), so serve refuses it");
        findings.push(Finding::error(CHECK, message, format!("chmod 700 {shown}")));
    }
    if access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let message = format!("{shown} belongs to user {} and cannot be written by this one", metadata.uid());
        findings.push(Finding::error(CHECK, message, "run this as the user that serves, or change the owner"));
    }
    if let Ok(system) = statvfs(path) {
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        if free < LITTLE_SPACE {
            let message = format!("{} MiB are free at {shown}", free >> 20);
            findings.push(Finding::warning(CHECK, message, "make room: the database grows with every apply"));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, format!("{shown} can be used")));
    }
    findings
}

/// The clock: not before this program was made, which leaves out machines that came up without one.
pub(super) fn clock() -> Vec<Finding> {
    const CHECK: &str = "clock";
    let program = std::env::current_exe().and_then(|path| path.metadata()).map(|metadata| metadata.mtime());
    let now = clock::now().0.div_euclid(1_000_000);
    let shown = jiff::Timestamp::from_second(now).map_or_else(|_| now.to_string(), |moment| moment.to_string());
    match program {
        Ok(made) if now < made => {
            let message = format!("the clock says {shown}, which is before this program was installed");
            vec![Finding::error(CHECK, message, "set it, by chronyd or ntpd: tokens, certificates and leases go by it")]
        }
        _ => vec![Finding::ok(CHECK, format!("the clock says {shown}"))],
    }
}

/// The loaders: which are there, and whether each is for the machines that its name promises.
pub(super) fn loaders(site: Option<&Path>, needed: bool) -> Vec<Finding> {
    const CHECK: &str = "loaders";
    let install =
        "install the package ipxe (Debian) or ipxe-bootimgs-x86 and -aarch64 (RHEL), or name a directory by --loaders";
    let judge = |message: String| match needed {
        true => Finding::error(CHECK, message, install),
        false => Finding::warning(CHECK, message, install),
    };
    if let Some(site) = site.filter(|site| !site.is_dir()) {
        return vec![judge(format!("there is no directory {}", site.display()))];
    }
    let loaders = Loaders::new(site.map(Path::to_path_buf));
    let available = loaders.available();
    if available.is_empty() {
        return vec![judge("no loader was found".to_owned())];
    }
    let mut findings: Vec<Finding> = available.iter().map(|name| loader(&loaders, name)).collect();
    for name in USUAL.iter().filter(|name| !available.contains(*name)) {
        let machine = Machine::promised(name).as_str();
        let message = format!("there is no {name}, so nothing boots by {machine}");
        findings.push(Finding::warning(CHECK, message, install));
    }
    findings
}

fn loader(loaders: &Loaders, name: &str) -> Finding {
    const CHECK: &str = "loaders";
    let help = "put the build for that machine there, under that name";
    let content = match loaders.load(name, IpAddr::V4(Ipv4Addr::LOCALHOST)) {
        Ok(Content::Memory(bytes)) => bytes,
        Ok(Content::File(..)) => return Finding::error(CHECK, format!("{name} is too large for a loader"), help),
        Err(error) => return Finding::error(CHECK, format!("{name} cannot be read: {error}"), help),
    };
    let promised = Machine::promised(name);
    match Machine::of(&content) {
        Ok(found) if found == promised => Finding::ok(CHECK, format!("{name}: {}", found.as_str())),
        Ok(found) => {
            let (found, promised) = (found.as_str(), promised.as_str());
            Finding::error(CHECK, format!("{name} is for {found}, and DHCP names it for {promised}"), help)
        }
        Err(reason) => Finding::error(CHECK, format!("{name} is no loader: {reason}"), help),
    }
}

/// The inventory: whether `serve` could make use of it.
pub(super) fn inventory(loaded: &Loaded) -> Finding {
    const CHECK: &str = "inventory";
    match &loaded.inventory {
        Some(inventory) => Finding::ok(CHECK, super::counted(inventory.nodes.len() as u64, "node")),
        None => Finding::error(CHECK, "the inventory is invalid", "`ochami-sync validate` says why"),
    }
}

/// The images: whether they can be read, fit together, and are those that the inventory names.
pub(super) fn images(directory: &Path, loaded: Option<&Loaded>) -> Vec<Finding> {
    const CHECK: &str = "images";
    let valid = loaded.and_then(|loaded| loaded.inventory.as_ref());
    let listed = match images::list(directory, valid) {
        Ok(listed) => listed,
        Err(error) => {
            let message = format!("{} cannot be read: {error}", directory.display());
            return vec![Finding::error(CHECK, message, "name the directory of images by --images")];
        }
    };
    let mut findings: Vec<Finding> = Vec::new();
    for image in &listed {
        let problems = image.problems.iter().map(|problem| {
            Finding::warning(
                CHECK,
                format!("{}: {problem}", image.name),
                "build the image anew, or take the odd file away",
            )
        });
        findings.extend(problems);
    }
    if let Some(loaded) = loaded {
        findings.extend(images::diagnostics(loaded, directory).into_iter().map(|problem| Finding {
            check: CHECK,
            status: Status::Error,
            message: problem.message,
            help: problem.help,
        }));
    }
    let worst = findings.iter().map(|finding| finding.status).max();
    if worst != Some(Status::Error) {
        findings.push(Finding::ok(
            CHECK,
            format!("{} below {}", super::counted(listed.len() as u64, "image"), directory.display()),
        ));
    }
    findings
}

/// The certificate: whether it and its key can be used, and are valid at this moment.
pub(super) fn certificate(certificate: &Path, key: &Path) -> Finding {
    match Tls::new(certificate, key).look(clock::now()) {
        None => Finding::ok("certificate", format!("{} can be used", certificate.display())),
        Some(reason) => Finding::error("certificate", reason, "renew it, or correct --tls-cert and --tls-key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(findings: &[Finding]) -> Status {
        findings.iter().map(|finding| finding.status).max().unwrap()
    }

    fn told(findings: &[Finding]) -> String {
        findings.iter().map(|finding| finding.message.clone()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_state_directory_is_looked_at_and_never_made() {
        let temp = tempfile::tempdir().unwrap();
        let missing = temp.path().join("a/b");
        assert_eq!(worst(&state(&missing)), Status::Ok);
        assert!(!missing.exists());
        assert_eq!(worst(&state(temp.path())), Status::Ok);
        std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let open = state(temp.path());
        assert_eq!(worst(&open), Status::Error);
        assert!(told(&open).contains("mode 0777"), "{open:?}");
        std::fs::write(temp.path().join("file"), "").unwrap();
        assert!(told(&state(&temp.path().join("file"))).contains("is not a directory"));
    }

    #[test]
    fn a_loader_for_another_machine_is_an_error_and_a_missing_one_a_warning() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("undionly.kpxe"), b"\xea\x05\x00").unwrap();
        std::fs::write(temp.path().join("ipxe-x86_64.efi"), b"\x7fELF").unwrap();
        let findings = loaders(Some(temp.path()), true);
        let text = told(&findings);
        assert_eq!(worst(&findings), Status::Error);
        assert!(text.contains("undionly.kpxe: BIOS"), "{text}");
        assert!(text.contains("ipxe-x86_64.efi is no loader: it is an ELF program"), "{text}");
        assert!(text.contains("there is no ipxe-arm64.efi"), "{text}");
        std::fs::remove_file(temp.path().join("ipxe-x86_64.efi")).unwrap();
        assert_eq!(worst(&loaders(Some(temp.path()), true)), Status::Warning);
        assert_eq!(worst(&loaders(Some(&temp.path().join("none")), true)), Status::Error);
        assert_eq!(worst(&loaders(Some(&temp.path().join("none")), false)), Status::Warning);
    }

    #[test]
    fn images_that_do_not_fit_are_a_warning_and_none_at_all_an_error() {
        let temp = tempfile::tempdir().unwrap();
        assert_eq!(worst(&images(temp.path(), None)), Status::Ok);
        std::fs::write(temp.path().join("vmlinuz-1"), "k").unwrap();
        std::fs::write(temp.path().join("rootfs-2"), "r").unwrap();
        assert_eq!(worst(&images(temp.path(), None)), Status::Warning);
        assert_eq!(worst(&images(&temp.path().join("none"), None)), Status::Error);
        let invalid = crate::inventory::load(&temp.path().join("none"));
        assert_eq!(inventory(&invalid).status, Status::Error);
        assert_eq!(worst(&images(temp.path(), Some(&invalid))), Status::Warning, "nobody is known to boot them");
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory");
        assert_eq!(inventory(&crate::inventory::load(&demo)), Finding::ok("inventory", "9 nodes"));
    }

    #[test]
    fn the_clock_of_a_machine_that_built_this_is_right() {
        assert_eq!(worst(&clock()), Status::Ok);
    }

    #[test]
    fn a_certificate_that_is_not_there_is_an_error() {
        crate::server::common::tls::install_provider();
        let found = certificate(Path::new("/nonexistent/cert.pem"), Path::new("/nonexistent/key.pem"));
        assert_eq!(found.status, Status::Error, "{found:?}");
    }
}
