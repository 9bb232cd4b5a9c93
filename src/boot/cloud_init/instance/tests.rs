use std::sync::Arc;

use super::*;
use crate::model::{EthernetInterface, Group, IpAddress, Object, Timestamp, Xname};
use crate::snapshot::Snapshot;
use crate::wire::cloud_init::{parse_defaults, parse_group, parse_instance};

const NODE: &str = "x1000c1s7b0n0";
const OTHER: &str = "x1000c1s7b1n0";
const SITE: Site<'_> = Site { base_url: "http://172.16.0.254:8081/cloud-init", cluster_name: "" };

fn group(label: &str) -> Object {
    Object::Group(Arc::new(Group {
        label: label.parse().unwrap(),
        description: String::new(),
        tags: Vec::new(),
        exclusive_group: None,
        members: [NODE.parse().unwrap(), OTHER.parse().unwrap()].into_iter().collect(),
    }))
}

fn interface(mac: &str, id: &str, addresses: &[&str]) -> Object {
    let ip_addresses = addresses.iter().map(|ip| IpAddress { ip: ip.parse().unwrap(), network: String::new() });
    Object::EthernetInterface(Arc::new(EthernetInterface {
        mac: mac.parse().unwrap(),
        description: String::new(),
        last_update: Timestamp(0),
        component_id: Some(id.parse().unwrap()),
        ip_addresses: ip_addresses.collect(),
    }))
}

/// Two nodes in the groups `gpu` and `compute`, with these objects of cloud-init.
fn view(told: impl IntoIterator<Item = Object>) -> Arc<BootView> {
    let node = |id: &str, nid| {
        let id: Xname = id.parse().unwrap();
        Object::Component(Arc::new(Component { nid: Some(Nid(nid)), ..Component::bare(id) }))
    };
    let setup = [
        node(NODE, 1),
        node(OTHER, 2),
        interface("02:00:00:00:00:01", NODE, &["2001:db8::1", "172.16.0.1"]),
        interface("02:00:00:00:00:02", NODE, &["10.0.0.1"]),
        group("gpu"),
        group("compute"),
    ];
    Snapshot::rebuilt(setup.into_iter().chain(told), 1).boot.clone()
}

fn defaults(body: &str) -> Object {
    let request = parse_defaults(body.as_bytes()).unwrap();
    Object::ClusterDefaults(Arc::new(request.over(&ClusterDefaults::default())))
}

fn variables(body: &str) -> Object {
    Object::CloudInitGroup(Arc::new(parse_group(body.as_bytes()).unwrap()))
}

fn own(body: &str) -> Object {
    Object::InstanceInfo(Arc::new(parse_instance(&NODE.parse().unwrap(), body.as_bytes()).unwrap()))
}

fn of<'a>(view: &'a BootView, id: &str) -> &'a Component {
    &view.components[&id.parse::<Xname>().unwrap()]
}

/// The meta-data, without the quotes that stand around whatever could be taken for something else than a text.
fn meta(view: &BootView, id: &str) -> String {
    meta_data(view, of(view, id), SITE).replace('"', "")
}

/// The first line of the meta-data.
fn id(view: &BootView, node: &str) -> String {
    meta(view, node).lines().next().unwrap().to_owned()
}

#[test]
fn a_node_without_any_data_is_told_its_number_its_address_and_its_groups() {
    let text = meta(&view([]), NODE);
    let id = text.strip_prefix("instance-id: ").unwrap().lines().next().unwrap();
    assert!(id.len() == 10 && id.starts_with("i-"), "{id}");
    let expected = format!(
        "instance-id: {id}\nlocal-hostname: 0001\nhostname: 0001\ncluster-name: \ninstance_data:\n  v1:\n    \
         instance_id: {id}\n    local_ipv4: 172.16.0.1\n    vendor_data:\n      version: 1.0\n      groups:\n        \
         compute:\n          Description: No description Found\n        gpu:\n          \
         Description: No description Found\n"
    );
    assert_eq!(text, expected);
    assert!(meta(&view([]), OTHER).contains("local_ipv4: \n"));
}

#[test]
fn defaults_groups_and_the_nodes_own_entry_are_told_in_one() {
    let view = view([
        defaults(
            r#"{"cloud_provider":"openchami","region":"r","availability-zone":"z","cluster-name":"demo",
                "public-keys":["k1"],"base-url":"http://h/ci","short-name":"nid","nid-length":3}"#,
        ),
        variables(r#"{"name":"compute","description":"C","meta-data":{"n":3,"a":"b"}}"#),
        variables(r#"{"name":"gpu","meta-data":{"Description":"mine"}}"#),
        own(r#"{"local-hostname":"c1","hostname":"c1.demo","instance-type":"t","public-keys":["k2"],
                "region":"elsewhere","cluster-name":"other"}"#),
    ]);
    let text = meta(&view, NODE);
    let (_, rest) = text.split_once('\n').unwrap();
    let rest: String =
        rest.lines().filter(|line| !line.contains("instance_id")).map(|line| format!("{line}\n")).collect();
    let expected = "local-hostname: c1\nhostname: c1.demo\ncluster-name: demo\ninstance_data:\n  v1:\n    \
        availability_zone: z\n    instance_type: t\n    region: r\n    local_ipv4: 172.16.0.1\n    \
        cloud_provider: openchami\n    public_keys:\n    - k1\n    - k2\n    vendor_data:\n      version: 1.0\n      \
        cloud_init_base_url: http://h/ci\n      cluster_name: demo\n      groups:\n        compute:\n          \
        Description: C\n          a: b\n          n: 3\n        gpu:\n          Description: mine\n";
    assert_eq!(rest, expected);
    assert!(meta(&view, OTHER).contains("\nhostname: nid002\n"));
}

#[test]
fn a_host_name_is_made_of_the_short_name_or_two_letters_of_the_cluster_and_the_number() {
    for (body, expected) in [
        (r#"{"cluster-name":"demo"}"#, "de0001"),
        (r#"{"cluster-name":"é"}"#, "é0001"),
        (r#"{"short-name":"n","nid-length":1}"#, "n1"),
        (r#"{"nid-length":6}"#, "000001"),
    ] {
        let text = meta(&view([defaults(body)]), NODE);
        assert!(text.contains(&format!("\nhostname: {expected}\n")), "{body}: {text}");
    }
    let site = Site { cluster_name: "site", ..SITE };
    let view = view([]);
    assert!(meta_data(&view, of(&view, NODE), site).contains("\ncluster-name: site\n"));
}

#[test]
fn the_instance_id_changes_with_what_the_node_is_told_and_with_nothing_else() {
    let file =
        |content: &str| variables(&format!(r#"{{"name":"gpu","file":{{"content":"{content}","encoding":"plain"}}}}"#));
    let before = view([file("a")]);
    assert_eq!(id(&before, NODE), id(&view([file("a"), variables(r#"{"name":"other"}"#)]), NODE));
    assert_ne!(id(&before, NODE), id(&before, OTHER));
    let told = [file("b"), own(r#"{"hostname":"h"}"#), defaults(r#"{"region":"r"}"#)];
    for changed in told {
        assert_ne!(id(&before, NODE), id(&view([file("a"), changed]), NODE));
    }
    let reached_otherwise = Site { base_url: "http://10.0.0.254/cloud-init", ..SITE };
    let meta = |site| meta_data(&before, of(&before, NODE), site);
    assert_eq!(meta(reached_otherwise), meta(SITE));
}

#[test]
fn vendor_data_lists_the_groups_in_the_order_of_their_labels() {
    let list = |base: &str| format!("#include\n{base}/compute.yaml\n{base}/gpu.yaml\n");
    let vendor = |view: &BootView, id: &str| vendor_data(view, of(view, id), SITE);
    assert_eq!(vendor(&view([]), NODE), list(SITE.base_url));
    let with_defaults = view([defaults(r#"{"base-url":"http://h/ci/"}"#)]);
    assert_eq!(vendor(&with_defaults, NODE), list("http://h/ci"));
    let with_own = view([own(r#"{"cloud-init-base-url":"http://mine/"}"#)]);
    assert_eq!(vendor(&with_own, NODE), list("http://mine"));
    assert_eq!(vendor(&with_own, OTHER), list(SITE.base_url), "a node's own URL is nobody else's");
    let stranger = Component::bare("x9c0s0b0n0".parse().unwrap());
    assert_eq!(vendor_data(&with_own, &stranger, SITE), "#include\n");
}

#[test]
fn a_groups_file_is_for_its_members() {
    let view = view([
        variables(r##"{"name":"gpu","file":{"content":"I2Nsb3VkLWNvbmZpZwo=","encoding":"base64"}}"##),
        variables(r##"{"name":"storage","file":{"content":"#cloud-config\n"}}"##),
    ]);
    let file = |label: &str| group_file(&view, of(&view, NODE), label).map(|file| file.unwrap().into_owned());
    assert_eq!(file("gpu").unwrap(), b"#cloud-config\n");
    assert_eq!(file("compute").unwrap(), EMPTY.as_bytes(), "a group without data has an empty file");
    for label in ["storage", "nope", "GPU", "a b", ""] {
        assert_eq!(file(label), None, "{label}");
    }
    let stranger = Component::bare("x9c0s0b0n0".parse().unwrap());
    assert!(group_file(&view, &stranger, "gpu").is_none());
}

#[test]
fn a_file_that_was_kept_and_does_not_decode_is_an_error() {
    let mut broken = BootView::clone(&view([]));
    let group = CloudInitGroup {
        content: "@".to_owned(),
        encoding: "base64".to_owned(),
        ..parse_group(br#"{"name":"gpu"}"#).unwrap()
    };
    broken.cloud_init_groups.insert(group.name.clone(), Arc::new(group));
    assert_eq!(group_file(&broken, of(&broken, NODE), "gpu").unwrap().unwrap_err(), AdminError::Base64);
}

#[test]
fn an_interface_that_is_added_later_does_not_change_the_address() {
    let interface = |mac: &str, at: i64, address: &str| {
        let Object::EthernetInterface(made) = interface(mac, NODE, &[address]) else { panic!() };
        Object::EthernetInterface(Arc::new(EthernetInterface { last_update: Timestamp(at), ..(*made).clone() }))
    };
    let told = view([
        interface("02:00:00:00:00:01", 9, "10.0.0.9"),
        interface("02:00:00:00:00:02", 8, "10.0.0.8"),
        interface("02:00:00:00:00:03", 7, "10.0.0.7"),
    ]);
    let component = &told.components[&NODE.parse::<Xname>().unwrap()];
    let text = meta_data(&told, component, SITE);
    assert!(text.contains("local_ipv4: 10.0.0.7\n"), "{text}");
}
