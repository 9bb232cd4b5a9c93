//! Documents as they go to a node.

use axum::Extension;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::boot::cloud_init::{Entries, Identity, document};
use crate::model::MacAddr;
use crate::server::common::{ClientAddr, plain};
use crate::snapshot::BootView;
use crate::wire::cloud_init::DataKind;

/// The sender's address, where it is known.
pub(super) type Client = Option<Extension<ClientAddr>>;

/// The document of the node that asks; 422 with no body, as the original answers, when its address is nobody's.
pub(super) fn of_client(view: &BootView, entries: &Entries, client: Client, kind: DataKind) -> Response {
    let node = client.and_then(|Extension(ClientAddr(ip))| view.component_by_ip(ip.to_canonical()));
    match node {
        Some(node) => answer(document(view, entries, Identity::Xname(&node.id), kind), kind),
        None => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    }
}

/// The document of an entry's name, of a node's xname or of its MAC address.
pub(super) fn of_name(view: &BootView, entries: &Entries, name: &str, kind: DataKind) -> Response {
    let by_mac = || document(view, entries, Identity::Mac(name.parse::<MacAddr>().ok()?), kind);
    answer(document(view, entries, Identity::Name(name), kind).or_else(by_mac), kind)
}

fn answer(text: Option<String>, kind: DataKind) -> Response {
    match text {
        Some(text) => ([(header::CONTENT_TYPE, kind.media_type())], text).into_response(),
        None => plain::text(StatusCode::NOT_FOUND, "not found"),
    }
}
