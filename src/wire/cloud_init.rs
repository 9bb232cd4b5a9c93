//! The cloud-init servers: entries of the tutorial's generation and the administration of today's as JSON, both ways,
//! and documents as YAML.

mod defaults;
mod entry;
mod field;
mod group;
mod instance;
pub mod yaml;

pub use defaults::{DefaultsRequest, defaults_json, parse_defaults, read_defaults};
pub use entry::{
    EntryError, EntryListing, EntryRequest, create_body, entry_json, listing_json, parse_entry, parse_listing,
    replace_body,
};
pub use field::AdminError;
pub use group::{GroupListing, file_of, group_json, groups_json, parse_group, read_groups};
pub use instance::{instance_json, no_instance_json, parse_instance};

/// The comment that has the node's cloud-init fill in the document as a Jinja template. It has to be the first line.
pub const JINJA_HEADER: &str = "## template: jinja\n";

/// The comment that makes a document a cloud-config.
pub const CLOUD_CONFIG_HEADER: &str = "#cloud-config\n";

/// Which of an entry's three documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    /// `user-data`, the cloud-config.
    User,
    /// `meta-data`, the instance data.
    Meta,
    /// `vendor-data`, the vendor's cloud-config.
    Vendor,
}

impl DataKind {
    /// All three.
    pub const ALL: [Self; 3] = [Self::User, Self::Meta, Self::Vendor];

    /// The last part of the document's path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::User => "user-data",
            Self::Meta => "meta-data",
            Self::Vendor => "vendor-data",
        }
    }

    /// The media type that the original sends.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::User => "text/plain; charset=utf-8",
            Self::Meta | Self::Vendor => "text/yaml",
        }
    }
}
