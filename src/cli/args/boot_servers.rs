//! The flags of `serve` for what nodes boot from beside their boot script.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;

/// TFTP, loaders and images.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Boot servers")]
pub(in crate::cli) struct BootServerArgs {
    /// Serve loaders over TFTP, usually at port 69; none unless given.
    #[arg(long, value_name = "ADDR")]
    pub(in crate::cli) tftp: Vec<SocketAddr>,
    /// Send files from the port that is listened on, for firewalls that do not know TFTP.
    #[arg(long, requires = "tftp")]
    pub(in crate::cli) tftp_single_port: bool,
    /// TFTP transfers that one client may have at a time.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) tftp_per_client: u32,
    /// Directory of iPXE's builds, for TFTP and for `/loaders/` on the boot listener; those of Debian's and RHEL's
    /// packages unless given.
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) loaders: Option<PathBuf>,
}
