//! What BSS tells of the nodes that it knows from SMD: `hosts`, and its part of `dumpstate`.

use serde::Serialize;

use crate::model::{BootConfig, BootKey, Component, EndpointAccess, MacAddr};
use crate::wire::smd::{ComponentView, Shown};

use super::list_json;

/// A node, in BSS's order of members.
#[derive(Debug, Serialize)]
pub struct HostView<'a> {
    #[serde(flatten)]
    component: ComponentView<'a>,
    #[serde(rename = "FQDN")]
    fqdn: &'static str,
    #[serde(rename = "MAC")]
    macs: Option<Vec<MacAddr>>,
    #[serde(rename = "EndpointEnabled")]
    endpoint_enabled: bool,
}

impl<'a> HostView<'a> {
    /// A node with its MAC addresses. BSS sends `null` where there are none, and never knows a domain name.
    #[must_use]
    pub fn new(component: &'a Component, macs: Vec<MacAddr>, endpoint_enabled: bool) -> Self {
        let macs = (!macs.is_empty()).then_some(macs);
        Self { component: ComponentView::new(component, Shown::All), fqdn: "", macs, endpoint_enabled }
    }
}

/// The body of `GET hosts`.
#[must_use]
pub fn hosts_json(hosts: &[HostView<'_>]) -> String {
    serde_json::to_string(hosts).expect("a host is made of texts and numbers")
}

/// The body of `GET dumpstate`: the nodes and all boot parameters.
pub fn dump_json<'a>(
    hosts: &[HostView<'_>],
    params: impl IntoIterator<Item = (&'a BootKey, &'a BootConfig)>,
) -> String {
    format!("{{\"Components\":{},\"Params\":{}}}", hosts_json(hosts), list_json(params))
}

/// The body of `GET endpoint-history`, a line for each access.
#[must_use]
pub fn history_json(accesses: &[EndpointAccess]) -> String {
    let lines = |access: &EndpointAccess| {
        let line = |epoch| serde_json::json!({"name": access.name, "endpoint": access.endpoint, "last_epoch": epoch});
        access.epochs().map(line).collect::<Vec<_>>()
    };
    serde_json::Value::from(accesses.iter().flat_map(lines).collect::<Vec<_>>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_shown_as_bss_shows_it() {
        let node = Component { nid: Some(crate::model::Nid(1)), ..Component::bare("x1000c1s7b0n0".parse().unwrap()) };
        let mac = "02:00:00:00:00:01".parse().unwrap();
        let hosts = [HostView::new(&node, vec![mac], true), HostView::new(&node, Vec::new(), false)];
        let host = r#"{"ID":"x1000c1s7b0n0","Type":"Node","Enabled":true,"NID":1,"FQDN":"","MAC":"#;
        let expected = format!(
            "[{host}[\"02:00:00:00:00:01\"],\"EndpointEnabled\":true}},{host}null,\"EndpointEnabled\":false}}]"
        );
        assert_eq!(hosts_json(&hosts), expected);
        assert_eq!(dump_json(&hosts, []), format!("{{\"Components\":{expected},\"Params\":null}}"));
        assert_eq!(hosts_json(&[]), "[]");
    }

    #[test]
    fn a_line_of_history_has_a_name_an_endpoint_and_a_time() {
        let (name, endpoint) = ("x1".to_owned(), "bootscript".to_owned());
        let access = EndpointAccess { name, endpoint, last_epoch: 7, earlier: vec![5] };
        let line = |epoch| format!(r#"{{"endpoint":"bootscript","last_epoch":{epoch},"name":"x1"}}"#);
        assert_eq!(history_json(&[access]), format!("[{},{}]", line(5), line(7)));
        assert_eq!(history_json(&[]), "[]");
    }
}
