//! What firmware fetches first: builds of iPXE, and the scripts that iPXE asks for before it knows its node.
//!
//! The builds are under the GPL and not part of this program. They come from a directory that the site names, of which
//! every file can be fetched, or from where the packages of Debian (`ipxe`) and of RHEL and its kin (`ipxe-bootimgs-*`)
//! put them; of those directories only the builds in [`names`] are handed out. A site's own file comes before a script
//! of ours, so that a site can change what all its clients do, as with coresmd.

mod cache;
pub mod header;
pub mod names;

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash as _, Hasher as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use self::cache::Cache;
use crate::directory::{Directory, OpenError, Opened};
use crate::template::boot_script::RenderError;
use crate::template::firmware::{self, Retry};

/// Seconds that a machine waits at least before it tries again.
const LEAST_DELAY: u32 = 5;

/// Over how many seconds the machines of a cluster are spread, so that those which fail together, as after a power cut,
/// do not come again together.
const SPREAD: u32 = 11;

/// Attempts until a machine restarts: with the delays above and the patience of DHCP and HTTP some ten minutes.
const ATTEMPTS: u32 = 20;

/// Where loaders come from. Cheap to clone; all methods block on the file system.
#[derive(Debug, Clone)]
pub struct Loaders {
    site: Option<Directory>,
    packages: Arc<[PathBuf]>,
    cache: Arc<Cache>,
}

/// The content of a loader.
#[derive(Debug, Clone)]
pub enum Content {
    /// All of it, shared by everybody who fetches it.
    Memory(Bytes),
    /// A file too large for that, and its length.
    File(Arc<File>, u64),
}

impl Content {
    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, len) => *len,
        }
    }

    /// True when there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a loader cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LoaderError {
    /// The name leads nowhere, or nowhere that it may.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A script's template is at fault.
    #[error(transparent)]
    Template(#[from] RenderError),
}

impl Loaders {
    /// Loaders from the site's directory, or from where packages put them when there is none.
    #[must_use]
    pub fn new(site: Option<PathBuf>) -> Self {
        let packages = if site.is_some() { &[][..] } else { names::PACKAGE_DIRECTORIES };
        Self::with(site, packages.iter().map(PathBuf::from).collect())
    }

    fn with(site: Option<PathBuf>, packages: Vec<PathBuf>) -> Self {
        Self { site: site.map(Directory::new), packages: packages.into(), cache: Arc::default() }
    }

    /// The loader of this name, for the machine at this address: its scripts wait for another time than others'.
    ///
    /// # Errors
    ///
    /// [`LoaderError`]; nothing in it names a path of this machine.
    pub fn load(&self, name: &str, client: IpAddr) -> Result<Content, LoaderError> {
        match self.open(name) {
            Ok(opened) => Ok(self.cache.content(opened)?),
            Err(OpenError::NotFound) => {
                let spread = u32::try_from(seed(client) % u64::from(SPREAD)).unwrap_or(0);
                let retry = Retry { delay: LEAST_DELAY + spread, attempts: ATTEMPTS };
                let script = firmware::script(name.trim_start_matches('/'), &retry)?.ok_or(OpenError::NotFound)?;
                Ok(Content::Memory(script.into()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The names of builds that can be fetched, those of [`names::BUILDS`] that are there.
    #[must_use]
    pub fn available(&self) -> Vec<&'static str> {
        names::BUILDS.iter().map(|build| build.name).filter(|name| self.open(name).is_ok()).collect()
    }

    fn open(&self, name: &str) -> Result<Opened, OpenError> {
        let build = names::build(name.trim_start_matches('/'));
        if let Some(site) = &self.site {
            // A site that unpacked a package has the names of that package.
            return build.into_iter().flat_map(|build| build.files).fold(site.open(name), |found, file| match found {
                Err(OpenError::NotFound) => site.open(file),
                found => found,
            });
        }
        let build = build.ok_or(OpenError::NotFound)?;
        let places = self.packages.iter().flat_map(|package| build.files.iter().map(move |file| package.join(file)));
        // Only names from our own list get here, so a link of a package may lead to where that package wants it.
        let mut files = places.filter_map(|place| File::open(place).ok());
        files.find_map(|file| opened(file).ok()).ok_or(OpenError::NotFound)
    }
}

/// A number that differs between machines and stays the same for one.
fn seed(client: IpAddr) -> u64 {
    let mut hasher = DefaultHasher::new();
    client.to_canonical().hash(&mut hasher);
    hasher.finish()
}

fn opened(file: File) -> Result<Opened, OpenError> {
    let metadata = file.metadata().map_err(OpenError::Io)?;
    if metadata.is_file() { Ok(Opened { file, metadata }) } else { Err(OpenError::NotFound) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn text(loaders: &Loaders, name: &str) -> String {
        match loaders.load(name, NODE).unwrap() {
            Content::Memory(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Content::File(..) => panic!("{name} is small"),
        }
    }

    fn refused(loaders: &Loaders, name: &str) -> String {
        loaders.load(name, NODE).unwrap_err().to_string()
    }

    #[test]
    fn every_file_of_a_sites_directory_can_be_fetched_and_comes_before_a_script() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("config.ipxe"), "#!ipxe\nmine\n").unwrap();
        std::fs::create_dir(temp.path().join("grub")).unwrap();
        std::fs::write(temp.path().join("grub/grubx64.efi"), "grub").unwrap();
        let loaders = Loaders::new(Some(temp.path().into()));
        assert_eq!(text(&loaders, "config.ipxe"), "#!ipxe\nmine\n");
        assert_eq!(text(&loaders, "/grub/grubx64.efi"), "grub");
        assert!(text(&loaders, "/default").contains("reboot"));
        assert_eq!(refused(&loaders, "none"), "there is no such file");
        assert_eq!(refused(&loaders, "../x"), "the name leads out of what is served");
    }

    #[test]
    fn the_layouts_of_packages_are_known_and_nothing_else_of_them_is_handed_out() {
        let temp = tempfile::tempdir().unwrap();
        let (debian, redhat) = (temp.path().join("lib"), temp.path().join("share"));
        std::fs::create_dir_all(redhat.join("arm64-efi")).unwrap();
        std::fs::create_dir(&debian).unwrap();
        std::fs::write(temp.path().join("elsewhere"), "x86").unwrap();
        std::os::unix::fs::symlink(temp.path().join("elsewhere"), debian.join("ipxe.efi")).unwrap();
        std::fs::write(redhat.join("arm64-efi/snponly.efi"), "arm").unwrap();
        std::fs::write(debian.join("ipxe.iso"), "iso").unwrap();
        let loaders = Loaders::with(None, vec![debian, redhat]);
        assert_eq!(text(&loaders, "ipxe-x86_64.efi"), "x86");
        assert_eq!(text(&loaders, "/ipxe-arm64.efi"), "arm");
        assert_eq!(refused(&loaders, "ipxe.iso"), "there is no such file");
        assert_eq!(refused(&loaders, "undionly.kpxe"), "there is no such file");
        assert_eq!(refused(&loaders, "../elsewhere"), "there is no such file");
        assert_eq!(loaders.available(), ["ipxe-x86_64.efi", "ipxe-arm64.efi", "snponly-arm64.efi", "ipxe.efi"]);
    }

    #[test]
    fn machines_wait_for_different_times() {
        let temp = tempfile::tempdir().unwrap();
        let loaders = Loaders::new(Some(temp.path().into()));
        let delays: std::collections::BTreeSet<Vec<u8>> = (0..200)
            .map(|last| match loaders.load("default", [10, 0, 0, last].into()).unwrap() {
                Content::Memory(bytes) => bytes.to_vec(),
                Content::File(..) => panic!("a script is no file"),
            })
            .collect();
        assert_eq!(delays.len(), 11);
    }
}
