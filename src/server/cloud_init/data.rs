//! Documents as they go to a node.

use std::net::IpAddr;

use axum::Extension;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::CloudInitSettings;
use crate::boot::cloud_init::instance::{EMPTY, NO_GROUPS, Site, group_file};
use crate::boot::cloud_init::{Entries, Identity, document, told};
use crate::model::{Component, MacAddr, Xname};
use crate::server::common::{ClientAddr, LocalAddr, plain};
use crate::snapshot::BootView;
use crate::wire::cloud_init::DataKind;

/// The sender's address, where it is known.
pub(super) type Client = Option<Extension<ClientAddr>>;

/// Our own address on the connection, where it is known.
pub(super) type Local = Option<Extension<LocalAddr>>;

/// How a group's file is named in a path.
const SUFFIX: &str = ".yaml";

/// The component whose address the sender has.
pub(super) fn component_of(view: &BootView, client: Client) -> Option<&Component> {
    let Extension(ClientAddr(ip)) = client?;
    view.component_by_ip(ip.to_canonical()).map(|component| &**component)
}

/// Whose interface has the sender's address, whether or not SMD has such a component.
fn owner_of(view: &BootView, client: Client) -> Option<&Xname> {
    let Extension(ClientAddr(ip)) = client?;
    let macs = view.index.by_ip.get(&ip.to_canonical())?;
    macs.iter().find_map(|mac| view.interfaces.get(mac)?.component_id.as_ref())
}

/// The document of an entry of the tutorial's form for the node that asks; 422 with no body, as the original answers,
/// when its address is nobody's.
pub(super) fn of_client(view: &BootView, entries: &Entries, client: Client, kind: DataKind) -> Response {
    match component_of(view, client) {
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

/// What the answers say of this installation to one who reached us at some address.
pub(super) struct Reached<'a> {
    settings: &'a CloudInitSettings,
    base_url: String,
}

impl<'a> Reached<'a> {
    pub(super) fn new(settings: &'a CloudInitSettings, local: Local) -> Self {
        let base_url = match local {
            Some(Extension(LocalAddr(ip))) if settings.base_url.is_empty() => {
                let host = match ip {
                    IpAddr::V6(ip) => format!("[{ip}]"),
                    IpAddr::V4(ip) => ip.to_string(),
                };
                format!("http://{host}:{}/cloud-init", settings.boot_port)
            }
            _ => settings.base_url.trim_end_matches('/').to_owned(),
        };
        Self { settings, base_url }
    }

    fn site(&self) -> Site<'_> {
        Site { base_url: &self.base_url, cluster_name: &self.settings.cluster_name }
    }
}

/// A document of the node that asks, in the form that applies to it. Whoever is nobody's node gets the user-data that
/// every node of today's form gets; of the others there is none to give: 422 with no body. Who has an interface in SMD and
/// is no component there has no groups and no meta-data.
pub(super) fn told_client(view: &BootView, reached: &Reached<'_>, client: Client, kind: DataKind) -> Response {
    match (component_of(view, client), kind, owner_of(view, client)) {
        (Some(node), _, _) => told_component(view, reached, node, kind),
        (None, DataKind::User, _) => text(EMPTY.to_owned()),
        (None, DataKind::Vendor, Some(_)) => text(NO_GROUPS.to_owned()),
        (None, DataKind::Meta, Some(id)) => plain::text(StatusCode::NOT_FOUND, &format!("node {id} not found in SMD")),
        (None, _, None) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    }
}

/// A document of a component, in the form that applies to it.
pub(super) fn told_component(view: &BootView, reached: &Reached<'_>, node: &Component, kind: DataKind) -> Response {
    let document = told(view, node, kind, reached.site());
    ([(header::CONTENT_TYPE, document.media_type)], document.text).into_response()
}

/// True for the path of a group's file.
pub(super) fn is_group_file(path: &str) -> bool {
    path.ends_with(SUFFIX)
}

/// `{group}.yaml` for the node that asks.
pub(super) fn file_of_client(view: &BootView, client: Client, path: &str) -> Response {
    if !is_group_file(path) {
        return plain::text(StatusCode::NOT_FOUND, "404 page not found");
    }
    match (component_of(view, client), owner_of(view, client)) {
        (Some(node), _) => file_of_component(view, node, path),
        (None, Some(id)) => plain::text(StatusCode::NOT_FOUND, &format!("node {id} not found in SMD")),
        (None, None) => plain::text(StatusCode::UNPROCESSABLE_ENTITY, "your address is that of no node"),
    }
}

/// `{group}.yaml` for a component.
pub(super) fn file_of_component(view: &BootView, node: &Component, path: &str) -> Response {
    let Some(label) = path.strip_suffix(SUFFIX) else {
        return plain::text(StatusCode::NOT_FOUND, "404 page not found");
    };
    match group_file(view, node, label) {
        Some(Ok(file)) => ([(header::CONTENT_TYPE, DataKind::User.media_type())], file.into_owned()).into_response(),
        Some(Err(error)) => {
            tracing::error!(%error, group = label, node.xname = %node.id, "a group's file cannot be given");
            plain::text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
        }
        None => plain::text(StatusCode::NOT_FOUND, &format!("{} is not a member of a group `{label}`", node.id)),
    }
}

/// `network-config`: the second version of the format with no interface in it, which leaves them as the image has them.
pub(super) fn network_config() -> Response {
    ([(header::CONTENT_TYPE, "application/x-yaml")], "version: 2\nethernets: {}\n").into_response()
}

fn text(text: String) -> Response {
    ([(header::CONTENT_TYPE, DataKind::User.media_type())], text).into_response()
}
