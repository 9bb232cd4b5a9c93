//! Files with several mistakes in the writing of YAML: what is told beside the first.

use super::{Code, codes, load_with, rendered};

const NODES: &str = "nodes:
- name: nid001
  xname: x1c0s0b0n0
  nid: 1
  interfaces: [{mac_addr: 'ec:e7:a7:05:a1:fc'}]
- name: nid002
  xname: x1c0s0b1n0
  nid: 2
  interfaces: [{mac_addr: 'ec:e7:a7:05:a1:fd'}]
- name: nid003
  xname: x1c0s0b2n0
  nid: 3
  interfaces: [{mac_addr: 'ec:e7:a7:05:a1:fe'}]
";

/// Codes and lines of what is told of the nodes with some texts replaced.
fn told(changes: &[(&str, &str)]) -> Vec<(Code, u32)> {
    let text = changes.iter().fold(NODES.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    let loaded = load_with("nodes.yaml", text.as_bytes());
    assert!(loaded.inventory.is_none(), "{text}");
    let of_nodes = loaded.diagnostics.iter().filter_map(|problem| Some((problem.code, problem.place.as_ref()?)));
    of_nodes.filter(|(_, place)| &*place.file == "nodes.yaml").map(|(code, place)| (code, place.line)).collect()
}

#[test]
fn slips_in_several_nodes_are_told_in_one_run() {
    let found = told(&[("  nid: 1", "\tnid: 1"), ("name: nid002", "name: 'nid002"), ("  nid: 3", "   nid: 3")]);
    assert_eq!(found, [(Code::Tab, 4), (Code::UnclosedQuote, 6), (Code::Indentation, 12)]);
    let found = told(&[("  nid: 1", "  nid 1"), ("fd'}]", "fd'}"), ("  nid: 3", "   nid: 3")]);
    assert_eq!(found, [(Code::MissingColon, 4), (Code::UnclosedBracket, 9), (Code::Indentation, 12)]);
}

#[test]
fn a_slip_hides_no_value_of_another_node() {
    let found = told(&[("nid: 1", "nid: one"), ("  nid: 2", "\tnid: 2"), ("a1:fe", "a1:zz")]);
    assert_eq!(found, [(Code::Nid, 4), (Code::Tab, 8), (Code::MacAddress, 13)]);
    let found = told(&[("  nid: 2", "   nid: 2"), ("nid: 3", "nid: 1")]);
    assert_eq!(found, [(Code::Indentation, 8), (Code::DuplicateNid, 12)]);
}

#[test]
fn a_value_above_the_slip_in_the_same_node_is_told() {
    let found = told(&[("name: nid002", "name: a_b"), ("  nid: 2", "\tnid: 2")]);
    assert_eq!(found, [(Code::HostName, 6), (Code::Tab, 8)]);
}

#[test]
fn one_slip_is_one_problem_wherever_it_is() {
    for (from, to) in [
        ("  nid: 1", "\tnid: 1"),
        ("  nid: 2", " nid: 2"),
        ("  nid: 3", "   nid: 3"),
        ("- name: nid002", " - name: nid002"),
        ("- name: nid003", "  - name: nid003"),
        ("name: nid001", "name: \"nid001"),
        ("name: nid003", "name: 'nid003"),
        ("'ec:e7:a7:05:a1:fd'}]", "'ec:e7:a7:05:a1:fd'}"),
        ("'ec:e7:a7:05:a1:fd'}]", "'ec:e7:a7:05:a1:fd}]"),
        ("xname: x1c0s0b0n0", "xname x1c0s0b0n0"),
        ("xname: x1c0s0b1n0", "xname: a: b"),
        ("- name: nid002", "-name: nid002"),
        ("nid: 3", "nid: @3"),
    ] {
        let found = told(&[(from, to)]);
        assert_eq!(found.len(), 1, "{to:?}: {found:?}");
    }
    // An alias of what stands in the node with the slip.
    let found = told(&[("nid: 1\n", "nid: &one 1\n"), ("xname: x1c0s0b0n0", "xname x"), ("nid: 3", "nid: *one")]);
    assert_eq!(found, [(Code::MissingColon, 3)]);
}

#[test]
fn what_only_lacks_the_node_with_the_slip_is_not_told() {
    let nodes = NODES.replace("  nid: 2", "\tnid: 2");
    let directory = tempfile::tempdir().unwrap();
    super::write(directory.path(), &super::explain::files(super::explain::BASE));
    std::fs::write(directory.path().join("nodes.yaml"), nodes).unwrap();
    let cluster = "cluster_name: demo\ncluster_boot_ip: 172.16.0.254\nbss_kernel_version: 4.18.0\n\
                   bss_image_version: compute/latest\ndhcp: {nodes: {nid002: {mtu: 9000}}}\n";
    std::fs::write(directory.path().join("cluster.yaml"), cluster).unwrap();
    let loaded = super::load(directory.path());
    assert!(!codes(&loaded).contains(&Code::DhcpName), "{}", rendered(&loaded));
}

#[test]
fn other_files_are_read_on_at_their_next_key() {
    let text = "cluster_name: demo\ncluster_boot_ip: 172.16.0.300\nbss_kernel_version: 'a\nbss_image_version: b\n\
                networks:\n- name: a\n\tsubnet: 10.0.0.0/8\nhosts:\n- {name: h, mac: zz, ip: 10.0.0.1}\n";
    let loaded = load_with("cluster.yaml", text.as_bytes());
    let found: Vec<_> = loaded.diagnostics.iter().map(|d| (d.code, d.place.as_ref().map_or(0, |p| p.line))).collect();
    let expected = [(Code::IpAddress, 2), (Code::UnclosedQuote, 3), (Code::Tab, 7), (Code::MacAddress, 9)];
    assert_eq!(found, expected, "{}", rendered(&loaded));
}

#[test]
fn a_line_that_goes_on_with_a_name_is_no_part_of_it() {
    let text = NODES.replace("  xname: x1c0s0b1n0", "     xname: x1c0s0b1n0");
    let loaded = load_with("nodes.yaml", text.as_bytes());
    assert_eq!(loaded.diagnostics[0].node.as_deref(), Some("nid002"), "{}", rendered(&loaded));
}
