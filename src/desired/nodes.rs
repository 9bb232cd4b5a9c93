//! What a node and its management controller are in SMD and BSS, and the groups that nodes name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::DesiredObject;
use super::doc::{self, NicInfo, RedfishInfo, Shared};
use crate::inventory::{Bmc, Boot, Inventory, Node, Origin, Script};
use crate::model::{BootKey, GroupLabel, IpAddress, ObjectKey, Xname};

type Objects = BTreeMap<ObjectKey, DesiredObject>;

/// Adds everything that `nodes.yaml` and the boot profiles say.
pub(super) fn objects(inventory: &Inventory, objects: &mut Objects) {
    let controllers = controllers(inventory);
    let mut shared = Shared::default();
    for node in &inventory.nodes {
        objects.insert(ObjectKey::component(&node.xname), of_node(node, component(node).into(), &node.origin));
        for (number, interface) in node.interfaces.iter().enumerate() {
            let doc = doc::text(&doc::EthernetInterface {
                component_id: &node.xname,
                description: format!("Interface {number} for {}", node.name),
                ip_addresses: &interface.ips,
            });
            objects.insert(ObjectKey::ethernet_interface(&interface.mac), of_node(node, doc.into(), &interface.origin));
        }
        if let Some(controller) = node.bmc.as_ref().and_then(|bmc| controllers.get(&bmc.xname)) {
            let key = ObjectKey::component_endpoint(&node.xname);
            let doc = system(node, controller, &key);
            objects.insert(key, of_node(node, doc.into(), &node.origin));
        }
        if let (Some(boot), Some(interface)) = (&node.boot, node.interfaces.first()) {
            let Boot { kernel, initrd, params, template, script, .. } = boot;
            let doc = shared.text(&doc::BootParams { initrd, kernel, params, script, template });
            objects.insert(ObjectKey::boot_params(&BootKey::Mac(interface.mac)), of_node(node, doc, &boot.origin));
        }
    }
    for controller in controllers.values() {
        add_controller(controller, &mut shared, objects);
    }
    groups(inventory, objects);
    if let Some(Script { template, text, origin }) = &inventory.unknown_script {
        let doc = doc::text(&doc::BootParams { initrd: "", kernel: "", params: "", script: text, template });
        let object = DesiredObject { doc: doc.into(), owner: None, name: template.clone(), origin: origin.clone() };
        objects.insert(ObjectKey::boot_params(&BootKey::unknown()), object);
    }
}

/// A management controller, put together from what its nodes say of it.
struct Controller<'a> {
    /// The node that it is named after: of several, the one with the least NID.
    node: &'a Node,
    bmc: Bmc,
}

impl Controller<'_> {
    /// The name under which it is reached; SMD takes the xname where nothing else is given.
    fn fqdn(&self) -> &str {
        self.bmc.fqdn.as_deref().unwrap_or(self.bmc.xname.as_str())
    }
}

/// Every controller once, however many nodes it has. What the first node does not tell of it, the next may.
fn controllers(inventory: &Inventory) -> BTreeMap<Xname, Controller<'_>> {
    let mut nodes: Vec<&Node> = inventory.nodes.iter().collect();
    nodes.sort_by(|a, b| (a.nid, &a.xname).cmp(&(b.nid, &b.xname)));
    let mut controllers: BTreeMap<Xname, Controller<'_>> = BTreeMap::new();
    for node in nodes {
        let Some(bmc) = &node.bmc else { continue };
        let known = controllers.entry(bmc.xname.clone()).or_insert_with(|| Controller { node, bmc: bmc.clone() });
        known.bmc.mac = known.bmc.mac.or(bmc.mac);
        known.bmc.ip = known.bmc.ip.or(bmc.ip);
        if known.bmc.fqdn.is_none() {
            known.bmc.fqdn.clone_from(&bmc.fqdn);
        }
    }
    controllers
}

fn of_node(node: &Node, doc: Arc<str>, origin: &Origin) -> DesiredObject {
    DesiredObject { doc, owner: Some(node.xname.clone().into()), name: node.name.clone(), origin: origin.clone() }
}

fn component(node: &Node) -> String {
    doc::text(&doc::Component {
        arch: node.arch,
        class: node.class,
        enabled: true,
        nid: Some(node.nid),
        role: node.role,
        sub_role: node.sub_role,
    })
}

fn system(node: &Node, controller: &Controller<'_>, key: &ObjectKey) -> String {
    let odata_id = format!("/redfish/v1/Systems/{}", node.xname);
    let nics = node.interfaces.iter().enumerate();
    doc::text(&doc::ComponentEndpoint {
        enabled: true,
        info: RedfishInfo {
            nics: nics
                .map(|(number, interface)| NicInfo {
                    description: format!("Interface {number} for {}", node.name),
                    mac: interface.mac,
                })
                .collect(),
            name: &node.name,
        },
        redfish_endpoint_fqdn: controller.fqdn(),
        redfish_endpoint_id: &controller.bmc.xname,
        redfish_type: "ComputerSystem",
        redfish_url: format!("{}{odata_id}", controller.fqdn()),
        odata_id,
        uuid: Some(doc::uuid_of(key)),
    })
}

fn add_controller(controller: &Controller<'_>, shared: &mut Shared, objects: &mut Objects) {
    let Controller { node, bmc } = controller;
    let mut add = |key, doc| objects.insert(key, of_node(node, doc, &bmc.origin));
    let component = doc::Component { arch: None, class: None, enabled: true, nid: None, role: None, sub_role: None };
    add(ObjectKey::component(&bmc.xname), shared.text(&component));

    let key = ObjectKey::redfish_endpoint(&bmc.xname);
    let endpoint = doc::text(&doc::RedfishEndpoint {
        enabled: true,
        fqdn: controller.fqdn(),
        ip: bmc.ip,
        mac: bmc.mac,
        name: &node.name,
        uuid: doc::uuid_of(&key),
    });
    add(key, endpoint.into());

    let description = format!("Interface for BMC {}", bmc.xname);
    let odata_id = format!("/redfish/v1/Managers/{}", bmc.xname);
    let nics = bmc.mac.iter().map(|mac| NicInfo { description: description.clone(), mac: *mac }).collect();
    let manager = doc::text(&doc::ComponentEndpoint {
        enabled: true,
        info: RedfishInfo { nics, name: bmc.xname.as_str() },
        redfish_endpoint_fqdn: controller.fqdn(),
        redfish_endpoint_id: &bmc.xname,
        redfish_type: "Manager",
        redfish_url: format!("{}{odata_id}", controller.fqdn()),
        odata_id,
        uuid: None,
    });
    add(ObjectKey::component_endpoint(&bmc.xname), manager.into());

    if let Some(mac) = &bmc.mac {
        let ips: Vec<IpAddress> = bmc.ip.iter().map(|ip| IpAddress { ip: *ip, network: String::new() }).collect();
        let doc = doc::text(&doc::EthernetInterface { component_id: &bmc.xname, description, ip_addresses: &ips });
        add(ObjectKey::ethernet_interface(mac), doc.into());
    }
}

fn groups(inventory: &Inventory, objects: &mut Objects) {
    let mut groups: BTreeMap<&GroupLabel, (&Node, BTreeSet<&Xname>)> = BTreeMap::new();
    for node in &inventory.nodes {
        for label in &node.groups {
            groups.entry(label).or_insert_with(|| (node, BTreeSet::new())).1.insert(&node.xname);
        }
    }
    for (label, (first, members)) in groups {
        let doc = doc::text(&doc::Group {
            description: format!("The {label} group"),
            members: members.into_iter().collect(),
        });
        let line = first.lines.line("/group").or_else(|| first.lines.line("/groups"));
        let origin = match line {
            Some(line) => Origin { line, end_line: line, ..first.origin.clone() },
            None => first.origin.clone(),
        };
        let object = DesiredObject { doc: doc.into(), owner: None, name: label.clone().into(), origin };
        objects.insert(ObjectKey::group(label), object);
    }
}
