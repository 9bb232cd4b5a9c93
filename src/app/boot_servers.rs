//! What nodes boot from beside their boot script: TFTP, loaders, images.

use std::net::SocketAddr;
use std::path::PathBuf;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::loaders::Loaders;
use crate::server::common::Metrics;
use crate::server::common::listener::BindError;
use crate::server::common::role;
use crate::server::common::supervise::Supervisor;
use crate::server::images::{self, Images, Rates};
use crate::server::tftp::{self, Tftp};

/// Files that are open at once when every place of every listener is taken, each with a socket and a file.
const FILES: u64 = 16_384;

/// Which of them to serve, and how.
#[derive(Debug, Clone)]
pub struct BootServers {
    /// TFTP listeners.
    pub tftp: Vec<SocketAddr>,
    /// Send everything from the port that is listened on.
    pub tftp_single_port: bool,
    /// Transfers that one client may have at a time.
    pub tftp_per_client: u32,
    /// The site's own loaders.
    pub loaders: Option<PathBuf>,
    /// The directory of images.
    pub images: Option<PathBuf>,
    /// Where they are served, where there is such a directory.
    pub image_listen: Vec<SocketAddr>,
    /// Ceilings of bandwidth for images.
    pub image_rates: Rates,
}

/// Boot servers whose sockets are bound.
pub(super) struct Bound {
    loaders: Loaders,
    tftp: Tftp,
    images: Option<Images>,
}

impl Bound {
    /// Binds every socket that is asked for, or none.
    pub(super) fn bind(config: &BootServers, metrics: &Metrics) -> Result<Self, BindError> {
        let loaders = Loaders::new(config.loaders.clone());
        let settings = tftp::Settings {
            addresses: config.tftp.clone(),
            single_port: config.tftp_single_port,
            per_client: usize::try_from(config.tftp_per_client).unwrap_or(usize::MAX),
        };
        if !settings.addresses.is_empty() {
            let names = loaders.available();
            if names.is_empty() {
                tracing::warn!("no loader was found; install a package of iPXE or name a directory with --loaders");
            }
            tracing::info!(loaders = names.join(" "), "loaders");
        }
        let images = config.images.clone().map(|directory| {
            if !directory.is_dir() {
                tracing::warn!(images.dir = %directory.display(), "there is no such directory of images; nodes get 404");
            }
            let (addresses, rates) = (config.image_listen.clone(), config.image_rates);
            Images::bind(images::Settings { addresses, directory, rates }, metrics.clone())
        });
        let (tftp, images) = (Tftp::bind(&settings, &loaders)?, images.transpose()?);
        if !settings.addresses.is_empty() {
            metrics.show(tftp.figures());
        }
        Ok(Self { tftp, images, loaders })
    }

    /// What is bound, with real ports.
    pub(super) fn bound(&self) -> Vec<role::Bound> {
        let images = self.images.iter().flat_map(Images::bound);
        self.tftp.bound().into_iter().chain(images).collect()
    }

    /// What the boot listener hands out, too.
    pub(super) fn loaders(&self) -> Loaders {
        self.loaders.clone()
    }

    /// Serves.
    pub(super) fn spawn(self, tasks: &mut Supervisor) {
        let Self { tftp, images, .. } = self;
        if let Some(images) = images {
            tasks.spawn("images", move |shutdown| images.clone().run(shutdown));
        }
        if !tftp.bound().is_empty() {
            tasks.spawn("tftp", move |shutdown| tftp.clone().run(shutdown));
        }
    }
}

/// Asks for as many open files as the listeners could need. Many systems allow a process 1024 unless it asks for more;
/// what cannot be had is no reason not to serve, as connections then wait.
pub(super) fn allow_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(FILES, |maximum| maximum.min(FILES));
    if current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
    {
        tracing::warn!(error = %error, files = ?current, "the limit of open files cannot be raised");
    }
}
