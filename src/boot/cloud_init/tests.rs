//! What is told to whom, from a view with one node in two groups.

use serde_json::json;

use super::*;
use crate::model::{Component, EthernetInterface, Group, Object, Timestamp};
use crate::snapshot::{Change, Snapshot};

const NODE: &str = "x1000c1s7b0n0";
const MAC: MacAddr = MacAddr([0xec, 0xe7, 0xa7, 5, 0xa1, 0]);

fn entry(name: &str, userdata: Value, metadata: Value, jinja: bool) -> Object {
    let name = name.parse().unwrap();
    Object::CloudInit(Arc::new(CloudInitEntry { name, userdata, metadata, vendordata: Value::Null, jinja }))
}

fn group(label: &str) -> Object {
    Object::Group(Arc::new(Group {
        label: label.parse().unwrap(),
        description: String::new(),
        tags: Vec::new(),
        exclusive_group: None,
        members: [NODE.parse().unwrap()].into_iter().collect(),
    }))
}

fn view(entries: &[Object]) -> Arc<BootView> {
    let mut snapshot = Snapshot::default();
    let id: Xname = NODE.parse().unwrap();
    let interface = EthernetInterface {
        mac: MAC,
        description: String::new(),
        last_update: Timestamp(0),
        component_id: Some(id.clone()),
        ip_addresses: Vec::new(),
    };
    let node = Object::Component(Arc::new(Component::bare(id)));
    let setup = [node, Object::EthernetInterface(Arc::new(interface)), group("b"), group("a")];
    setup.iter().chain(entries).for_each(|object| snapshot.apply(&Change::Put(object.clone())));
    snapshot.boot.clone()
}

fn text(view: &BootView, identity: Identity<'_>, kind: DataKind) -> Option<String> {
    document(view, &view.cloud_init, identity, kind)
}

#[test]
fn a_node_wins_over_its_groups_and_a_later_label_over_an_earlier() {
    let view = view(&[
        entry("b", json!({"from": "b", "both": "b", "own": ["b"]}), Value::Null, false),
        entry("a", json!({"only": "a", "both": "a", "own": ["a"]}), json!({"instance-id": "a"}), false),
        entry(NODE, json!({"own": [1, 2]}), Value::Null, false),
        entry("c", json!({"other": true}), Value::Null, false),
    ]);
    let expected = "#cloud-config\nboth: b\nfrom: b\nonly: a\nown:\n- 1\n- 2\n";
    for identity in [Identity::Name(NODE), Identity::Mac(MAC), Identity::Xname(&NODE.parse().unwrap())] {
        assert_eq!(text(&view, identity, DataKind::User).unwrap(), expected, "{identity:?}");
        assert_eq!(text(&view, identity, DataKind::Meta).unwrap(), "instance-id: a\n");
        assert_eq!(text(&view, identity, DataKind::Vendor).unwrap(), "{}\n");
    }
    assert_eq!(text(&view, Identity::Name("X1000c1s7b00n0"), DataKind::User).unwrap(), expected);
}

/// The view in which the node has NID 7 and the names of the cluster are `nid` and three digits, and `own`.
fn named_view(own: &[(&str, &str)], entries: &[Object]) -> BootView {
    let mut snapshot = Snapshot { boot: view(entries), ..Snapshot::default() };
    let node = Component { nid: Some(crate::model::Nid(7)), ..Component::bare(NODE.parse().unwrap()) };
    snapshot.apply(&Change::Put(Object::Component(Arc::new(node))));
    let names = own.iter().map(|(xname, name)| (xname.parse().unwrap(), (*name).into())).collect();
    let settings = crate::model::DhcpSettings { short_name: "nid".into(), nid_length: 3, names, ..Default::default() };
    snapshot.apply(&Change::PutRecord(crate::model::Record::DhcpSettings(Arc::new(settings))));
    BootView::clone(&snapshot.boot)
}

#[test]
fn a_node_is_found_by_its_name_and_an_entry_under_its_name_is_its_own() {
    let entries = [
        entry("a", json!({"g": "a", "n": "a", "x": "a"}), Value::Null, false),
        entry("nid007", json!({"n": "name", "x": "name"}), Value::Null, false),
        entry(NODE, json!({"x": "xname"}), Value::Null, false),
    ];
    let expected = "#cloud-config\ng: a\n\"n\": name\nx: xname\n";
    let view = named_view(&[], &entries);
    for identity in [Identity::Name("nid007"), Identity::Name("NID007"), Identity::Mac(MAC), Identity::Name(NODE)] {
        assert_eq!(text(&view, identity, DataKind::User).unwrap(), expected, "{identity:?}");
    }
    let view = named_view(&[(NODE, "login1")], &entries);
    let expected = "#cloud-config\ng: a\n\"n\": a\nx: xname\n";
    assert_eq!(text(&view, Identity::Name("login1"), DataKind::User).unwrap(), expected);
    let alone = "#cloud-config\n\"n\": name\nx: name\n";
    assert_eq!(text(&view, Identity::Name("nid007"), DataKind::User).unwrap(), alone, "nobody's name any more");
    for stranger in ["nid008", "nid7", "nid0007", "nid", "nid+07", "login2"] {
        assert_eq!(text(&view, Identity::Name(stranger), DataKind::User), None, "{stranger}");
    }
}

#[test]
fn a_name_that_a_group_has_too_is_the_groups() {
    let entries = [entry("b", json!({"k": "b"}), Value::Null, false), entry(NODE, json!({}), Value::Null, false)];
    let view = named_view(&[(NODE, "b")], &entries);
    assert_eq!(text(&view, Identity::Name("b"), DataKind::User).unwrap(), "#cloud-config\nk: b\n");
    assert_eq!(names_of(&view, &NODE.parse().unwrap()), [None, Some(NODE.into())]);
}

#[test]
fn an_entry_is_kept_under_one_of_its_nodes_names() {
    let kept = |entries: &[Object], name: &str| {
        let view = named_view(&[], entries);
        kept_as(&view, &view.cloud_init, &name.parse().unwrap()).map(|name| name.to_string())
    };
    let entry = |name| entry(name, json!({}), Value::Null, false);
    assert_eq!(kept(&[entry(NODE)], "nid007").as_deref(), Some(NODE));
    assert_eq!(kept(&[entry("nid007")], NODE).as_deref(), Some("nid007"));
    assert_eq!(kept(&[entry("nid007"), entry(NODE)], "nid007").as_deref(), Some("nid007"));
    assert_eq!(kept(&[entry(NODE), entry("a")], "nid008"), None);
    assert_eq!(kept(&[entry(NODE), entry("a")], "a").as_deref(), Some("a"));
}

#[test]
fn an_entry_that_is_no_node_stands_alone() {
    let view =
        view(&[entry("a", json!({"k": "a"}), Value::Null, false), entry("b", json!({}), json!({"k": "b"}), false)]);
    assert_eq!(text(&view, Identity::Name("a"), DataKind::User).unwrap(), "#cloud-config\nk: a\n");
    assert_eq!(text(&view, Identity::Name("b"), DataKind::User).unwrap(), "#cloud-config\n{}\n");
}

#[test]
fn an_entry_with_nothing_in_it_is_none_by_name_and_keeps_its_form_for_the_node() {
    let view = view(&[entry("a", json!({}), Value::Null, false)]);
    for name in ["a", NODE] {
        assert_eq!(text(&view, Identity::Name(name), DataKind::User), None, "{name}");
    }
    let site = Site { base_url: "http://h", cluster_name: "" };
    let node = Component::bare(NODE.parse().unwrap());
    assert_eq!(told(&view, &node, DataKind::User, site).text, "#cloud-config\n{}\n");
}

#[test]
fn whom_no_entry_concerns_is_told_nothing() {
    let view = view(&[entry("c", json!({"k": 1}), Value::Null, false)]);
    for identity in [Identity::Name("nope"), Identity::Name("a/b"), Identity::Name(NODE), Identity::Mac(MAC)] {
        assert_eq!(text(&view, identity, DataKind::User), None, "{identity:?}");
    }
    assert_eq!(text(&view, Identity::Mac(MacAddr([0; 6])), DataKind::User), None);
}

#[test]
fn the_form_is_the_tutorials_where_an_entry_concerns_the_node_and_else_todays() {
    let site = Site { base_url: "http://h", cluster_name: "" };
    let node = Component::bare(NODE.parse().unwrap());
    let told = |entries: &[Object], kind| told(&view(entries), &node, kind, site);
    for name in [NODE, "a"] {
        let entries = [entry(name, json!({"k": 1}), Value::Null, false)];
        let document = |media_type, text: &str| Document { media_type, text: text.to_owned() };
        assert_eq!(told(&entries, DataKind::User), document("text/plain; charset=utf-8", "#cloud-config\nk: 1\n"));
        assert_eq!(told(&entries, DataKind::Meta), document("text/yaml", "{}\n"));
        assert_eq!(told(&entries, DataKind::Vendor), document("text/yaml", "{}\n"));
    }
    let others = [entry("c", json!({"k": 1}), Value::Null, false)];
    assert_eq!(told(&others, DataKind::User).text, "#cloud-config");
    assert_eq!(told(&others, DataKind::Meta).media_type, "application/x-yaml");
    assert_eq!(told(&others, DataKind::Vendor).text, "#include\nhttp://h/a.yaml\nhttp://h/b.yaml\n");
}

#[test]
fn a_template_is_told_in_the_first_line_of_user_data_only() {
    let view = view(&[
        entry("a", json!({"k": "{{ ds.x }}"}), json!({"m": 1}), true),
        entry("b", json!({"l": 1}), Value::Null, false),
    ]);
    let user = text(&view, Identity::Name(NODE), DataKind::User).unwrap();
    assert_eq!(user, "## template: jinja\n#cloud-config\nk: '{{ ds.x }}'\nl: 1\n");
    assert_eq!(text(&view, Identity::Name(NODE), DataKind::Meta).unwrap(), "m: 1\n");
    assert!(text(&view, Identity::Name("b"), DataKind::User).unwrap().starts_with("#cloud-config\n"));
}
