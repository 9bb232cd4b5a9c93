use std::sync::Arc;

use super::*;
use crate::desired::{desired, samples};
use crate::model::{MacAddr, Record};
use crate::reconcile::from_nothing;
use crate::snapshot::Change;

/// The interface of the first node of the samples.
const NODE: &str = "ec:e7:a7:05:00:02";

fn machine(last: u8, vendor: &str) -> DhcpUnknown {
    DhcpUnknown {
        mac: MacAddr([2, 0, 0, 0, 0, last]),
        network: "management".into(),
        ip: None,
        vendor: vendor.into(),
        arch: Some(7),
        relay: None,
        circuit: "".into(),
        first_seen: Timestamp(0),
        last_seen: Timestamp(i64::from(last) * 1_000_000),
    }
}

fn snapshot() -> Snapshot {
    let inventory = samples::inventory(2);
    let mut snapshot = from_nothing(&desired(&inventory, &|_| Ok(json!("x"))));
    for one in [machine(1, "PXEClient"), machine(2, "\u{1b}[2J\n- name: evil")] {
        snapshot.apply(&Change::PutRecord(Record::DhcpUnknown(Arc::new(one))));
    }
    snapshot
}

#[test]
fn each_machine_comes_with_the_next_number_and_what_it_says_is_escaped() {
    let snapshot = snapshot();
    let text = text(&unknown(&snapshot), &Makers::default(), &snapshot.boot);
    assert!(
        text.starts_with("# 02:00:00:00:00:02 on management, x86-64 UEFI, \"\\u{1b}[2J\\n- name: evil\""),
        "{text}"
    );
    assert!(text.contains("# first seen 1970-01-01T00:00:00Z, last seen 1970-01-01T00:00:02Z\n"), "{text}");
    assert!(text.contains("  - name: nid003\n    xname: xXcCsSbBnN\n    nid: 3\n"), "{text}");
    assert!(text.contains("  - name: nid004\n") && text.ends_with("- mac_addr: 02:00:00:00:00:01"), "{text}");
}

#[test]
fn the_maker_of_a_card_is_told_and_escaped() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("oui.csv"), "MA-L,ECE7A7,Caf\u{e9}\u{1b}[2J,x\n").unwrap();
    let mut snapshot = snapshot();
    let known = DhcpUnknown { mac: "ec:e7:a7:05:a1:fc".parse().unwrap(), ..machine(3, "PXEClient") };
    snapshot.apply(&Change::PutRecord(Record::DhcpUnknown(Arc::new(known))));
    let machines = unknown(&snapshot);
    let makers = Makers::find(&[directory.path()], machines.iter().map(|one| one.mac));
    let text = text(&machines, &makers, &snapshot.boot);
    assert!(text.starts_with("# ec:e7:a7:05:a1:fc (Caf\\u{e9}\\u{1b}[2J) on management, x86-64 UEFI, "), "{text}");
    assert!(text.contains("# 02:00:00:00:00:02 on management"), "{text}");
    let json = ascii(&as_json(&machines, &makers, &snapshot.boot).to_string());
    assert!(json.is_ascii(), "{json}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["machines"][0]["maker"], "Caf\u{e9}\u{1b}[2J");
    assert_eq!(json["machines"][1]["maker"], serde_json::Value::Null);
}

#[test]
fn json_holds_what_a_client_says_in_ascii() {
    let said = "\u{9b}2J \u{202e}evil \u{1f980} \u{7f}";
    let one = machine(1, said);
    let json = ascii(&as_json(&[&one], &Makers::default(), &BootView::default()).to_string());
    assert!(json.is_ascii() && !json.contains('\u{7f}'), "{json}");
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["machines"][0]["vendor_class"], said);
}

#[test]
fn who_became_known_is_unknown_no_more() {
    let mut snapshot = snapshot();
    let known = DhcpUnknown { mac: NODE.parse().unwrap(), ..machine(3, "") };
    snapshot.apply(&Change::PutRecord(Record::DhcpUnknown(Arc::new(known))));
    assert_eq!(unknown(&snapshot).len(), 2);
    let json = as_json(&unknown(&snapshot), &Makers::default(), &snapshot.boot);
    assert_eq!(json["machines"][0]["mac"], "02:00:00:00:00:02");
    assert_eq!(json["machines"][0]["known_as"], serde_json::Value::Null);
    let said = summary(&unknown(&snapshot), &snapshot.boot);
    assert_eq!(said, "2 unknown machines; xXcCsSbBnN stands for where a machine is");
}

#[test]
fn a_known_machine_that_asks_where_it_has_no_address_is_told_as_what_it_is() {
    let mut snapshot = snapshot();
    let network = |name: &str, subnet: &str| crate::model::DhcpNetwork {
        name: name.into(),
        subnet: subnet.parse().unwrap(),
        mode: crate::model::DhcpMode::Server,
        pool: None,
        unknown: crate::model::UnknownPolicy::Reboot,
        unknown_lease: 300,
        options: crate::model::DhcpOptions::default(),
    };
    let mut settings = DhcpSettings::clone(snapshot.boot.dhcp.as_ref().unwrap());
    settings.networks = vec![network("management", "172.16.0.0/16"), network("far", "10.77.0.0/24")];
    snapshot.apply(&Change::PutRecord(Record::DhcpSettings(Arc::new(settings))));
    let mac: MacAddr = NODE.parse().unwrap();
    let astray = DhcpUnknown { mac, network: "far".into(), ..machine(3, "PXEClient") };
    snapshot.apply(&Change::PutRecord(Record::DhcpUnknown(Arc::new(astray))));
    let machines = unknown(&snapshot);
    let told = text(&machines, &Makers::default(), &snapshot.boot);
    let words = "# it is node nid001, which has 172.16.0.2 in network management but asks on far: see where";
    assert!(told.contains(words), "{told}");
    assert_eq!(told.matches("mac_addr").count(), 2, "lines for the unknown ones only: {told}");
    assert!(told.contains("nid: 3\n") && told.contains("nid: 4\n"), "{told}");
    let json = as_json(&machines, &Makers::default(), &snapshot.boot);
    let known_as = json!({
        "kind": "node", "name": "nid001", "addresses": [{ "ip": "172.16.0.2", "network": "management" }],
    });
    assert_eq!(json["machines"][0]["known_as"], known_as);
    let said = summary(&machines, &snapshot.boot);
    assert!(said.ends_with("; 1 known machine on a network without an address for it"), "{said}");
    let without = Owner { kind: "node", name: "nid009".into(), addresses: Vec::new() };
    let said = super::astray(machines[0], &without, &snapshot.boot);
    assert!(said.contains("node nid009, which has no address at all but asks on far"), "{said}");
}
