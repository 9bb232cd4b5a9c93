//! The flags of `images`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ImagesVerb {
    /// List the images of a directory: versions, sizes, users, and what does not fit together.
    List(ImagesArgs),
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ImagesArgs {
    /// The directory of images, as in `serve --images`.
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) images: PathBuf,
    /// The inventory whose nodes are named as users.
    #[arg(short, long, value_name = "DIR", default_value = "inventory")]
    pub(in crate::cli) inventory: PathBuf,
}
