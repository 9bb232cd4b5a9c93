//! BSS `bootparameters` and the JSON form of a boot script, both ways, and what BSS tells of the nodes it knows.
//!
//! One stored object has one key; an entry on the wire has many, so that nodes which boot the same thing share it. The
//! `cloud-init` member, which BSS always sends and keeps only in its oldest storage, is sent empty and not kept.

mod entry;
mod host;
mod listing;
mod query;
mod request;
mod shared_host;

pub use entry::{ScriptParts, list_json, script_json};
pub use host::{HostView, dump_json, history_json, hosts_json};
pub use listing::{Body, Listing, delete_bodies, parse_listing, put_bodies};
pub use query::{listed, whole_number};
pub use request::{
    BootParamsError, ConfigFields, Request, Selection, colon_mac, parse_known, parse_new, parse_request,
    parse_selection,
};
pub use shared_host::SharedHost;
