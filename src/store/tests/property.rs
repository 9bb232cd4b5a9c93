//! Whatever is written, the snapshot kept up to date change by change equals one made anew from the database.

use std::net::IpAddr;

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::model::{
    BootConfig, BootKey, CloudInitGroup, ClusterDefaults, ComponentEndpoint, Details, EndpointAccess,
    EthernetInterface, Group, HardwareEvent, HardwareEventKind, IpAddress, Kind, MacAddr, NodeMap, Partition, Record,
    RedfishEndpoint, Timestamp, Xname,
};

// Every pool is small, so that writes meet: the same object again, two interfaces with one address, two nodes with one
// NID, members that come and go.

fn xname() -> impl Strategy<Value = Xname> {
    const POOL: &[&str] = &["x1c0s0b0n0", "x1c0s0b0n1", "x1c0s0b1n0", "x1c0s0b0", "x1c0s0b1"];
    // Some that begin a row of members when they are in a group.
    let cuts =
        (0..4096).map(|number| format!("x1c{}s{}b1n{}", number / 512, number / 8 % 64, number % 8).parse().unwrap());
    let cuts = cuts.filter(members::begins_part).take(3);
    let pool: Vec<Xname> = POOL.iter().map(|text| text.parse().unwrap()).chain(cuts).collect();
    assert_eq!(pool.len(), POOL.len() + 3);
    proptest::sample::select(pool)
}

fn mac() -> impl Strategy<Value = MacAddr> {
    (0..4_u8).prop_map(|last| MacAddr([2, 0, 0, 0, 0, last]))
}

fn ip() -> impl Strategy<Value = IpAddress> {
    let address = (1..4_u8).prop_map(|last| IpAddr::from([172, 16, 0, last]));
    (address, prop_oneof![Just(String::new()), Just("boot".to_owned())])
        .prop_map(|(ip, network)| IpAddress { ip, network })
}

fn nid() -> impl Strategy<Value = Nid> {
    (0..3_u64).prop_map(Nid)
}

fn name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&["compute", "io", "nid001"][..])
}

fn boot_key() -> impl Strategy<Value = BootKey> {
    prop_oneof![
        mac().prop_map(BootKey::Mac),
        nid().prop_map(BootKey::Nid),
        xname().prop_map(|xname| BootKey::Host(xname.into())),
        Just(BootKey::Host("Default".into())),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just("plain".to_owned()), Just("\"{}\u{1F980}'\\\n--".to_owned())]
}

fn component() -> impl Strategy<Value = Object> {
    (xname(), option::of(nid()), any::<bool>()).prop_map(|(id, nid, enabled)| {
        let mut component = Component::bare(id);
        (component.nid, component.enabled) = (nid, enabled);
        Object::Component(Arc::new(component))
    })
}

fn redfish_endpoint() -> impl Strategy<Value = Object> {
    (xname(), text(), option::of(mac())).prop_map(|(id, user, mac)| {
        Object::RedfishEndpoint(Arc::new(RedfishEndpoint {
            fqdn: id.to_string(),
            id,
            name: String::new(),
            hostname: String::new(),
            domain: String::new(),
            enabled: true,
            uuid: String::new(),
            user,
            mac,
            mac_text: String::new(),
            ip: None,
            rediscover_on_update: false,
            use_ssdp: false,
            mac_required: false,
        }))
    })
}

fn component_endpoint() -> impl Strategy<Value = Object> {
    (xname(), xname(), text()).prop_map(|(id, behind, info)| {
        Object::ComponentEndpoint(Arc::new(ComponentEndpoint {
            id,
            redfish_type: "ComputerSystem".to_owned(),
            redfish_subtype: String::new(),
            uuid: String::new(),
            odata_id: "/redfish/v1/Systems/1".to_owned(),
            redfish_endpoint_fqdn: behind.to_string(),
            redfish_endpoint_id: behind,
            redfish_url: String::new(),
            enabled: true,
            info: json!({ "Name": info }).into(),
        }))
    })
}

fn interface() -> impl Strategy<Value = Object> {
    (mac(), 0..2_i64, option::of(xname()), vec(ip(), 0..3)).prop_map(|(mac, at, component_id, ip_addresses)| {
        Object::EthernetInterface(Arc::new(EthernetInterface {
            mac,
            description: String::new(),
            last_update: Timestamp(at),
            component_id,
            ip_addresses,
        }))
    })
}

fn group() -> impl Strategy<Value = Object> {
    (name(), btree_set(xname(), 0..5), text()).prop_map(|(label, members, description)| {
        Object::Group(Arc::new(Group {
            label: label.parse().unwrap(),
            description,
            tags: Vec::new(),
            exclusive_group: None,
            members: members.into_iter().collect(),
        }))
    })
}

fn cloud_init() -> impl Strategy<Value = Object> {
    (name(), text(), any::<bool>(), any::<bool>()).prop_map(|(name, content, jinja, is_secure)| {
        let entry = Arc::new(CloudInitEntry {
            name: name.parse().unwrap(),
            userdata: json!({ "write_files": [{ "content": content, "defer": true }], "n": -1 }),
            metadata: json!(null),
            vendordata: json!({}),
            jinja,
        });
        if is_secure { Object::CloudInitSecure(entry) } else { Object::CloudInit(entry) }
    })
}

fn boot_params() -> impl Strategy<Value = Object> {
    (boot_key(), text(), text()).prop_map(|(key, kernel, params)| {
        let config = BootConfig { kernel: kernel.into(), params: params.into(), ..BootConfig::default() };
        Object::BootParams(key, Arc::new(config))
    })
}

fn instance_data() -> impl Strategy<Value = Object> {
    prop_oneof![
        text().prop_map(|region| {
            Object::ClusterDefaults(Arc::new(ClusterDefaults { region, ..ClusterDefaults::default() }))
        }),
        (name(), text()).prop_map(|(name, content)| {
            let (name, text) = (name.parse().unwrap(), String::new);
            let (meta_data, versions) = (json!({ "n": 3 }).into(), Details::default());
            let (description, filename, encoding) = (text(), text(), "plain".to_owned());
            let group = CloudInitGroup { name, description, meta_data, content, filename, encoding, versions };
            Object::CloudInitGroup(Arc::new(group))
        }),
        (xname(), text()).prop_map(|(id, hostname)| {
            let fields = json!({ "id": id, "hostname": hostname }).to_string();
            Object::InstanceInfo(Arc::new(serde_json::from_str(&fields).unwrap()))
        }),
    ]
}

fn object() -> impl Strategy<Value = Object> {
    prop_oneof![
        2 => component(),
        1 => redfish_endpoint(),
        1 => component_endpoint(),
        3 => interface(),
        3 => group(),
        1 => cloud_init(),
        1 => instance_data(),
        1 => boot_params(),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let at = Timestamp(0);
    prop_oneof![
        (1..4_u64, vec(xname(), 0..3)).prop_map(|(number, members)| {
            Record::Partition(Arc::new(Partition {
                name: format!("p{number}").parse().unwrap(),
                description: String::new(),
                tags: Vec::new(),
                members: members.into_iter().collect(),
            }))
        }),
        (xname(), nid(), text()).prop_map(|(id, nid, text)| {
            let info = json!({ "text": text }).into();
            Record::NodeMap(Arc::new(NodeMap { id, nid, role: None, sub_role: None, info }))
        }),
        (0..3_u64, xname()).prop_map(move |(number, location)| {
            let event = HardwareEventKind::Scanned;
            Record::HardwareEvent(Arc::new(HardwareEvent { number, location, fru: "fru".into(), at, event }))
        }),
        (name(), 0..3_i64).prop_map(|(name, last_epoch)| {
            let (name, endpoint) = (name.to_owned(), "bootscript".to_owned());
            Record::EndpointAccess(Arc::new(EndpointAccess { name, endpoint, last_epoch, earlier: vec![0] }))
        }),
    ]
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => object().prop_map(Change::Put),
        2 => object().prop_map(|object| Change::Delete(object.key())),
        2 => record().prop_map(Change::PutRecord),
        1 => record().prop_map(|record| Change::DeleteRecord(record.table(), record.id().into())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_equals_one_made_anew_from_the_database(writes in vec(vec(any_change(), 1..8), 1..16)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let store = serve(dir.path()).await;
            let (one_by_one, together) = writes.split_at(writes.len() / 2);
            for changes in one_by_one {
                change(&store, changes.clone()).await.unwrap();
            }
            let waiting = together.iter().map(|changes| change(&store, changes.clone()));
            for result in futures_util::future::join_all(waiting).await {
                result.unwrap();
            }
            let kept = store.snapshot();
            assert_eq!(kept, observe(dir.path()).await.snapshot());
            let mut anew = Snapshot::rebuilt(kept.objects(), kept.revision);
            kept.records.all().for_each(|record| anew.apply(&Change::PutRecord(record)));
            assert_eq!(*kept, anew);
            assert_eq!(kept.boot, store.boot_views().load());
            for object in kept.objects() {
                assert!(kept.holds(&object));
                assert_eq!(kept.object(&object.key()), Some(object));
            }
            store.close().await;
            let again = serve(dir.path()).await;
            assert_eq!(kept, again.snapshot());
            let objects = kept.objects().map(|object| Change::Delete(object.key()));
            let records = kept.records.all().map(|record| Change::DeleteRecord(record.table(), record.id().into()));
            let empty: Vec<Change> = objects.chain(records).collect();
            change(&again, empty).await.unwrap();
            let bare = Snapshot { revision: again.snapshot().revision, ..Snapshot::default() };
            assert_eq!(*again.snapshot(), bare, "deletes leave nothing in the indexes");
        });
    }
}

#[test]
fn every_kind_is_among_the_random_writes() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let drawn = vec(object(), 500).new_tree(&mut runner).unwrap().current();
    for kind in Kind::ALL {
        assert!(drawn.iter().any(|object| object.kind() == kind), "{kind}");
    }
}
