//! The flags of `import` and `render`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::answers::http_url;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ImportVerb {
    /// Print lines for cluster.yaml that say what a configuration of CoreDHCP with coresmd says, of any generation.
    Coredhcp(ImportArgs),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RenderVerb {
    /// Print a configuration of CoreDHCP with coresmd that serves what the inventory says.
    Coredhcp(CoreDhcpArgs),
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ImportArgs {
    /// The file, such as /etc/ochami/configs/coredhcp.yaml.
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct CoreDhcpArgs {
    /// The inventory directory.
    #[arg(short, long, value_name = "DIR", default_value = "inventory")]
    pub(in crate::cli) inventory: PathBuf,
    /// The version of coresmd that is to read it.
    #[arg(long, value_enum, default_value_t = GenerationArg::Keys)]
    pub(in crate::cli) generation: GenerationArg,
    /// Where coresmd asks SMD; https://NAME.DOMAIN:8443 of the cluster unless given.
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(in crate::cli) base_uri: Option<String>,
}

/// Which arguments coresmd takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum GenerationArg {
    /// Up to 0.2.
    #[value(name = "0.2")]
    Five,
    /// 0.3 and 0.4.
    #[value(name = "0.4")]
    Six,
    /// 0.5 and later.
    #[value(name = "0.5")]
    Keys,
}
