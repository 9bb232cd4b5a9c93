//! The flags of `doctor`: those of `serve` that say what the machine has to have.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{StateArgs, interface};

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct DoctorArgs {
    /// The inventory, to hold against the images.
    #[arg(short, long, value_name = "DIR", requires = "images")]
    pub(in crate::cli) inventory: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) state: StateArgs,
    /// The API, as for `serve`.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8082")]
    pub(in crate::cli) api: Vec<String>,
    /// The boot listener, as for `serve`.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8081")]
    pub(in crate::cli) boot: Vec<SocketAddr>,
    /// Interfaces for DHCP, as for `serve`.
    #[arg(long, value_name = "IFACE", value_parser = interface)]
    pub(in crate::cli) dhcp: Vec<String>,
    /// TFTP listeners, as for `serve`.
    #[arg(long, value_name = "ADDR")]
    pub(in crate::cli) tftp: Vec<SocketAddr>,
    /// Directory of loaders; those of packages unless given.
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) loaders: Option<PathBuf>,
    /// Directory of images.
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) images: Option<PathBuf>,
    /// Where images are served.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8080")]
    pub(in crate::cli) image_listen: Vec<SocketAddr>,
    /// Certificate chain of https listeners, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(in crate::cli) tls_cert: Option<PathBuf>,
    /// Key of https listeners, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(in crate::cli) tls_key: Option<PathBuf>,
}
