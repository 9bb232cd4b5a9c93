//! The flags of `serve` for what nodes boot from beside their boot script.

use std::net::SocketAddr;
use std::num::NonZeroU64;
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
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) tftp_per_client: u32,
    /// Directory of iPXE's builds, for TFTP and for `/loaders/` on the boot listener; those of Debian's and RHEL's
    /// packages unless given.
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) loaders: Option<PathBuf>,
    /// Serve this directory of images over HTTP, at `/`; none unless given.
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) images: Option<PathBuf>,
    /// Where images are served.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8080")]
    pub(in crate::cli) image_listen: Vec<SocketAddr>,
    /// The most that is sent of all images together, in bytes per second, as 800M or 2G; no ceiling unless given.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(in crate::cli) image_rate: Option<NonZeroU64>,
    /// The most that is sent of each image, which is the directory that files are in.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(in crate::cli) image_rate_each: Option<NonZeroU64>,
}

/// Reads `1000000`, `1000k`, `1M`, `2G`: bytes per second.
fn rate(text: &str) -> Result<NonZeroU64, String> {
    let wrong = || format!("`{text}` is not a rate in bytes per second, such as 800M or 2G");
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "" => 1,
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    bytes.and_then(NonZeroU64::new).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_a_unit_or_none() {
        for (text, bytes) in [("7", 7), ("10k", 10_000), ("10K", 10_000), ("800M", 800_000_000), ("2G", 2_000_000_000)]
        {
            assert_eq!(rate(text).unwrap().get(), bytes);
        }
    }

    #[test]
    fn what_is_no_rate_is_told() {
        for text in ["", "0", "M", "1m", "-1", "1.5G", "99999999999999999G", "1 M"] {
            assert!(rate(text).unwrap_err().contains("800M"), "{text}");
        }
    }
}
