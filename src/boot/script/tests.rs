use std::sync::Arc;

use super::templated::delay;
use super::*;
use crate::model::{EthernetInterface, Object};
use crate::snapshot::{Change, Snapshot};
use crate::template::profile;

const MAC: &str = "ec:e7:a7:05:a1:00";
const SECOND_MAC: &str = "ec:e7:a7:05:a1:f0";
const NODE: &str = "x1000c1s7b0n0";

fn settings() -> ScriptSettings {
    ScriptSettings {
        advertise_address: "172.16.0.254".to_owned(),
        chain_base_url: "https://demo/apis/bss".to_owned(),
        boot_port: 8081,
        retry_delay: 30,
        unknown_delay: 10,
    }
}

/// One node with two interfaces, number 1, and boot parameters under these keys, the key being the kernel.
fn view(keys: &[&str], state: Option<State>) -> Arc<BootView> {
    let id: crate::model::Xname = NODE.parse().unwrap();
    let node = Component { nid: Some(Nid(1)), state, ..Component::bare(id.clone()) };
    let mut objects = vec![Object::Component(Arc::new(node))];
    for mac in [MAC, SECOND_MAC] {
        objects.push(Object::EthernetInterface(Arc::new(EthernetInterface {
            mac: mac.parse().unwrap(),
            description: String::new(),
            last_update: Timestamp(0),
            component_id: Some(id.clone()),
            ip_addresses: Vec::new(),
        })));
    }
    for key in keys {
        let (kernel, initrd, params) = ((*key).into(), "I".into(), "quiet".into());
        let config = BootConfig { kernel, initrd, params, ..BootConfig::default() };
        objects.push(Object::BootParams(key.parse().unwrap(), Arc::new(config)));
    }
    let mut snapshot = Snapshot::default();
    objects.into_iter().for_each(|object| snapshot.apply(&Change::Put(object)));
    snapshot.boot.clone()
}

fn stored(config: BootConfig) -> Arc<BootView> {
    let mut view = BootView::clone(&view(&[], None));
    view.boot_params.insert(BootKey::Mac(MAC.parse().unwrap()), Arc::new(config));
    Arc::new(view)
}

fn ask(selector: Selector<'_>) -> ScriptRequest<'_> {
    ScriptRequest { selector, retry: 0, arch: None, json: false, now: Timestamp(1_700_000_000_999_999) }
}

fn text(view: &BootView, request: ScriptRequest<'_>) -> String {
    match script(view, &request, &settings()).unwrap() {
        ScriptAnswer::Script(text) | ScriptAnswer::Wait(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_node_gets_the_script_that_bss_sends() {
    let expected = "#!ipxe\n\
        kernel --name kernel mac:ec:e7:a7:05:a1:00 initrd=initrd quiet xname=x1000c1s7b0n0 nid=1 \
        BOOTIF=01-ec-e7-a7-05-a1-00 ds=nocloud-net;s=172.16.0.254/ || goto boot_retry\n\
        initrd --name initrd I || goto boot_retry\n\
        boot || goto boot_retry\n:boot_retry\nsleep 30\n\
        chain https://demo/apis/bss/boot/v1/bootscript?mac=ec:e7:a7:05:a1:00&retry=1\n\n";
    assert_eq!(text(&view(&["mac:ec:e7:a7:05:a1:00"], None), ask(Selector::Mac(MAC))), expected);
}

#[test]
fn a_mac_address_is_known_in_any_spelling_and_shown_as_it_was_asked() {
    let view = view(&["mac:ec:e7:a7:05:a1:00"], Some(State::On));
    for (asked, bootif, chained) in [
        ("EC:E7:A7:05:A1:00", "01-EC-E7-A7-05-A1-00", "EC:E7:A7:05:A1:00"),
        ("ec-e7-a7-05-a1-00", "01-ec-e7-a7-05-a1-00", "ec-e7-a7-05-a1-00"),
        ("ece7.a705.a100", "01-ec-e7-a7-05-a1-00", "ece7.a705.a100"),
        ("ece7a705a100", "01-ec-e7-a7-05-a1-00", "ece7a705a100"),
        ("ec e7 a7 05 a1 00", "01-ec-e7-a7-05-a1-00", "ec%20e7%20a7%2005%20a1%2000"),
        ("01-ec-e7-a7-05-a1-00", "01-ec-e7-a7-05-a1-00", "01-ec-e7-a7-05-a1-00"),
        ("ec:e7:a7:5:a1:0", "01-ec-e7-a7-05-a1-00", "ec:e7:a7:5:a1:0"),
    ] {
        let text = text(&view, ask(Selector::Mac(asked)));
        assert!(text.contains(&format!("BOOTIF={bootif} ")), "{text}");
        assert!(text.contains(&format!("?mac={chained}&retry=1\n")), "{text}");
    }
}

#[test]
fn another_spelling_of_an_xname_is_unknown() {
    let view = view(&["mac:ec:e7:a7:05:a1:00", "host:x1000c1s7b0n0"], None);
    for name in ["X1000C1S7B0N0", "x1000c01s7b0n0", " x1000c1s7b0n0"] {
        let text = text(&view, ask(Selector::Name(name)));
        assert!(text.starts_with("#!ipxe\nsleep 10\n"), "{name}: {text}");
    }
}

#[test]
fn parameters_are_found_under_any_kind_of_key_and_asked_for_by_any() {
    let all = ["mac:ec:e7:a7:05:a1:00", "mac:ec:e7:a7:05:a1:f0", "host:x1000c1s7b0n0", "nid:1"];
    let selectors = [Selector::Mac(MAC), Selector::Name(NODE), Selector::Nid(Nid(1))];
    for key in all {
        let view = view(&[key], None);
        for selector in selectors {
            assert!(text(&view, ask(selector)).contains(&format!("kernel {key} ")), "{key} {selector:?}");
        }
    }
    // Where there are several, the most specific wins, and the address that asks before all others.
    let every = view(&all, None);
    assert!(text(&every, ask(Selector::Mac(SECOND_MAC))).contains("kernel mac:ec:e7:a7:05:a1:f0 "));
    assert!(text(&every, ask(Selector::Nid(Nid(1)))).contains("kernel mac:ec:e7:a7:05:a1:00 "));
    assert!(text(&view(&all[2..], None), ask(Selector::Mac(MAC))).contains("kernel host:x1000c1s7b0n0 "));
}

#[test]
fn asked_by_name_there_is_no_bootif_and_the_chain_has_the_first_mac() {
    let text = text(&view(&["nid:1"], None), ask(Selector::Name(NODE)));
    assert!(!text.contains("BOOTIF"), "{text}");
    assert!(text.contains("?mac=ec:e7:a7:05:a1:00&retry=1\n"), "{text}");
}

#[test]
fn a_node_without_a_mac_address_that_is_asked_for_by_number_asks_again_by_name() {
    let mut snapshot = Snapshot::default();
    let node = Component { nid: Some(Nid(1)), ..Component::bare(NODE.parse().unwrap()) };
    snapshot.apply(&Change::Put(Object::Component(Arc::new(node))));
    let text = text(&snapshot.boot, ask(Selector::Nid(Nid(1))));
    assert!(text.contains(&format!("?name={NODE}&arch=")), "{text}");
}

#[test]
fn a_retry_counts_up_without_an_end() {
    let view = view(&["nid:1"], None);
    for (retry, next) in [(1, "2"), (99, "100"), (i64::MAX, "9223372036854775807")] {
        let text = text(&view, ScriptRequest { retry, ..ask(Selector::Mac(MAC)) });
        assert!(text.ends_with(&format!("&retry={next}\n\n")), "{text}");
    }
}

#[test]
fn who_has_nothing_to_boot_waits_and_asks_with_its_architecture() {
    let empty = view(&["mac:ec:e7:a7:05:a1:00"], Some(State::Empty));
    let without = view(&[], None);
    for (view, selector, query) in [
        (&without, Selector::Mac("00:00:00:00:00:09"), "mac=00:00:00:00:00:09"),
        (&without, Selector::Mac("zz\nreboot"), "mac=zz%0Areboot"),
        (&without, Selector::Name(NODE), "mac=ec:e7:a7:05:a1:00"),
        (&without, Selector::Nid(Nid(1)), "mac=ec:e7:a7:05:a1:00"),
        (&without, Selector::Name("x1000c1s7b0"), "name=x1000c1s7b0"),
        (&without, Selector::Name("a b$&{x}"), "name=a%20b%24%26%7Bx%7D"),
        (&without, Selector::Nid(Nid(999)), "nid=999"),
        (&empty, Selector::Mac(MAC), "mac=ec:e7:a7:05:a1:00"),
    ] {
        let chain = format!("chain https://demo/apis/bss/boot/v1/bootscript?{query}&arch=${{buildarch}}&ts=1700000000");
        assert_eq!(text(view, ask(selector)), format!("#!ipxe\nsleep 10\n{chain}\n\n"));
        let again = script(view, &ScriptRequest { arch: Some("x86_64"), ..ask(selector) }, &settings()).unwrap();
        assert!(matches!(again, ScriptAnswer::NotConfigured(_)), "{again:?}");
        let json = script(view, &ScriptRequest { json: true, ..ask(selector) }, &settings()).unwrap();
        assert!(matches!(&json, ScriptAnswer::Parts(parts) if parts.kernel.is_empty()), "{json:?}");
    }
}

#[test]
fn a_node_that_is_empty_is_known_by_its_name_and_its_number_and_not_by_its_mac_address() {
    let view = view(&["host:x1000c1s7b0n0"], Some(State::Empty));
    for selector in [Selector::Name(NODE), Selector::Nid(Nid(1))] {
        assert!(text(&view, ask(selector)).contains("kernel host:x1000c1s7b0n0 "), "{selector:?}");
    }
    assert!(text(&view, ask(Selector::Mac(MAC))).contains("sleep 10"));
}

#[test]
fn the_parts_of_a_script_that_is_not_there_name_the_node_and_no_kernel() {
    for (selector, params) in [
        (Selector::Name(NODE), " xname=x1000c1s7b0n0 nid=1 ds=nocloud-net;s=172.16.0.254/"),
        (Selector::Nid(Nid(999)), " ds=nocloud-net;s=172.16.0.254/"),
    ] {
        let request = ScriptRequest { json: true, arch: Some("x86_64"), ..ask(selector) };
        let expected = ScriptParts { params: params.to_owned(), kernel: String::new(), initrd: String::new() };
        assert_eq!(script(&view(&[], None), &request, &settings()).unwrap(), ScriptAnswer::Parts(expected));
    }
}

#[test]
fn parameters_of_the_role_and_those_for_every_node_come_after_the_nodes_own() {
    let with_role = |keys: &[&str]| {
        let mut snapshot = Snapshot { boot: view(keys, None), ..Snapshot::default() };
        let mut node = Component::clone(&snapshot.boot.components[&NODE.parse::<Xname>().unwrap()]);
        node.role = Some(crate::model::Role::Storage);
        snapshot.apply(&Change::Put(Object::Component(Arc::new(node))));
        snapshot.boot.clone()
    };
    let keys = ["nid:1", "host:Storage", "host:Default", "host:Global"];
    for first in 0..3 {
        let text = text(&with_role(&keys[first..]), ask(Selector::Mac(MAC)));
        assert!(text.contains(&format!("kernel {} ", keys[first])), "{text}");
        assert!(text.contains(" xname=x1000c1s7b0n0 "), "{text}");
    }
    let stranger = ask(Selector::Mac("00:00:00:00:00:09"));
    for (keys, asked) in [(&keys[3..], ask(Selector::Mac(MAC))), (&keys[..], stranger)] {
        let answer = script(&with_role(keys), &asked, &settings()).unwrap();
        assert!(matches!(answer, ScriptAnswer::Wait(_)), "{answer:?}");
    }
}

#[test]
fn a_machine_with_nothing_to_boot_gets_what_there_is_for_its_architecture() {
    let view = view(&["host:Unknown-x86_64"], None);
    for selector in [Selector::Mac("00:00:00:00:00:09"), Selector::Name(NODE)] {
        let first = script(&view, &ask(selector), &settings()).unwrap();
        assert!(matches!(first, ScriptAnswer::Wait(_)), "{first:?}");
        let other = script(&view, &ScriptRequest { arch: Some("arm64"), ..ask(selector) }, &settings()).unwrap();
        assert!(matches!(other, ScriptAnswer::NotConfigured(_)), "{other:?}");
    }
    let asked = ScriptRequest { arch: Some("x86_64"), ..ask(Selector::Mac("00:00:00:00:00:09")) };
    let expected = "#!ipxe\n\
        kernel --name kernel host:Unknown-x86_64 initrd=initrd quiet ds=nocloud-net;s=172.16.0.254/ || goto boot_retry\n\
        initrd --name initrd I || goto boot_retry\n\
        boot || goto boot_retry\n:boot_retry\nsleep 30\n\
        chain https://demo/apis/bss/boot/v1/bootscript?mac=00:00:00:00:00:09&arch=${buildarch}&ts=1700000000\n\n";
    assert_eq!(text(&view, asked), expected);
}

#[test]
fn parameters_without_a_kernel_are_none() {
    let view = stored(BootConfig { params: "quiet".into(), ..BootConfig::default() });
    assert!(text(&view, ask(Selector::Mac(MAC))).contains("sleep 10"));
}

#[test]
fn what_no_node_can_fetch_is_said_and_not_sent() {
    for (kernel, initrd, params) in
        [("s3://boot/k", "", ""), ("http://k", "s3://boot/i", ""), ("http://k", "", "a=${SPIRE_JOIN_TOKEN}")]
    {
        let (kernel, initrd, params) = (kernel.into(), initrd.into(), params.into());
        let view = stored(BootConfig { kernel, initrd, params, ..BootConfig::default() });
        let answer = script(&view, &ask(Selector::Mac(MAC)), &settings()).unwrap();
        assert!(matches!(answer, ScriptAnswer::NotConfigured(text) if text.starts_with("x1000c1s7b0n0: ")));
    }
}

#[test]
fn a_line_break_in_what_is_stored_does_not_break_the_script() {
    let (kernel, initrd, params) = ("http://k\n".into(), "http://i\r\n".into(), "a\nb\n".into());
    let config = BootConfig { kernel, initrd, params, ..BootConfig::default() };
    let text = text(&stored(config), ask(Selector::Mac(MAC)));
    assert!(text.starts_with("#!ipxe\nkernel --name kernel http://k initrd=initrd a b xname="), "{text}");
    assert_eq!(text.lines().count(), 8, "{text}");
}

#[test]
fn the_parts_hold_the_whole_command_line() {
    let view = stored(BootConfig { kernel: "http://k".into(), ..BootConfig::default() });
    let answer = script(&view, &ScriptRequest { json: true, ..ask(Selector::Mac(MAC)) }, &settings()).unwrap();
    let params = " xname=x1000c1s7b0n0 nid=1 BOOTIF=01-ec-e7-a7-05-a1-00 ds=nocloud-net;s=172.16.0.254/";
    let parts = ScriptParts { params: params.to_owned(), kernel: "http://k".to_owned(), initrd: String::new() };
    assert_eq!(answer, ScriptAnswer::Parts(parts));
}

#[test]
fn what_the_settings_leave_open_is_the_address_at_which_the_node_reached_us() {
    let open = ScriptSettings { advertise_address: String::new(), chain_base_url: String::new(), ..settings() };
    let filled = open.reached_at(Some("172.16.0.254".parse().unwrap()));
    assert_eq!(filled.advertise_address, "172.16.0.254");
    assert_eq!(filled.chain_base_url, "http://172.16.0.254:8081/apis/bss");
    let filled = open.reached_at(Some("2001:db8::1".parse().unwrap()));
    assert_eq!(filled.chain_base_url, "http://[2001:db8::1]:8081/apis/bss");
    let given = settings();
    assert_eq!(*given.reached_at(Some("192.0.2.1".parse().unwrap())), given);
}

fn templated(template: &str) -> Arc<BootView> {
    let script = profile::built_in(template).unwrap().into();
    let (kernel, template) = ("http://k".into(), template.into());
    stored(BootConfig { kernel, template, script, ..BootConfig::default() })
}

#[test]
fn a_template_makes_the_script_of_the_nodes_whose_profile_names_it() {
    let again = ScriptRequest { retry: 3, ..ask(Selector::Mac(MAC)) };
    let ScriptAnswer::Script(text) = script(&templated("bounded"), &again, &settings()).unwrap() else {
        panic!("a script is expected")
    };
    assert!(text.contains("set tries:int32 3\nkernel --name kernel http://k xname=x1000c1s7b0n0 nid=1 "), "{text}");
    assert!(text.contains("chain --replace https://demo/apis/bss/boot/v1/bootscript?mac=ec:e7:a7:05:a1:00&retry=4 "));
    for (claimed, believed) in [(i64::MIN, 0), (19, 19), (20, 19), (i64::MAX, 19)] {
        let hostile = ScriptRequest { retry: claimed, ..again };
        let ScriptAnswer::Script(text) = script(&templated("bounded"), &hostile, &settings()).unwrap() else {
            panic!("a script is expected")
        };
        assert!(text.contains(&format!("set tries:int32 {believed}\n")), "{claimed}: {text}");
    }
    let ScriptAnswer::Script(text) = script(&templated("maintenance"), &again, &settings()).unwrap() else {
        panic!("a script is expected")
    };
    assert!(text.contains("maintenance") && !text.contains("http://k"), "{text}");
}

#[test]
fn a_template_leaves_the_parts_as_json_alone() {
    let request = ScriptRequest { json: true, ..ask(Selector::Mac(MAC)) };
    let answer = script(&templated("maintenance"), &request, &settings()).unwrap();
    assert!(matches!(answer, ScriptAnswer::Parts(parts) if parts.kernel == "http://k"));
}

#[test]
fn nodes_wait_for_different_times_within_bounds() {
    let delays: std::collections::BTreeSet<u32> =
        (0..200).map(|blade| delay(30, &format!("x1000c0s{blade}b0n0"))).collect();
    assert!(delays.len() > 10 && delays.iter().all(|delay| (30..=45).contains(delay)), "{delays:?}");
    assert_eq!(delay(0, "x1000c0s0b0n0"), 0);
}

/// A view with a script of the site's for machines that have nothing to boot.
fn with_unknown(view: &BootView, script: &str) -> BootView {
    let mut view = BootView::clone(view);
    let config = BootConfig { template: "unknown".into(), script: script.into(), ..BootConfig::default() };
    view.boot_params.insert(BootKey::unknown(), Arc::new(config));
    view
}

#[test]
fn the_sites_script_for_machines_that_have_nothing_to_boot_takes_the_place_of_the_built_in_one() {
    let script = "#!ipxe\necho [{{ kernel }}{{ initrd }}{{ params }}] {{ xname }} {{ nid }} {{ mac }} {{ retry }}\n\
                  sleep {{ delay }}\nchain {{ chain_url }} || reboot\n";
    let known = with_unknown(&view(&[], None), script);
    let chain = |mac: &str| {
        format!("chain https://demo/apis/bss/boot/v1/bootscript?mac={mac}&arch=${{buildarch}}&ts=1700000000")
    };
    let told = text(&known, ask(Selector::Mac(MAC)));
    assert!(told.starts_with(&format!("#!ipxe\necho [] {NODE} 1 ec-e7-a7-05-a1-00 0\nsleep 1")), "{told}");
    assert!(told.ends_with(&format!("{} || reboot\n", chain(MAC))), "{told}");
    let stranger = "00:00:00:00:00:09";
    let told = text(&known, ScriptRequest { retry: i64::MAX, ..ask(Selector::Mac(stranger)) });
    assert!(told.contains("[]   00-00-00-00-00-09 19\n") && told.contains(&chain(stranger)), "{told}");

    let again = ScriptRequest { arch: Some("x86_64"), ..ask(Selector::Mac(stranger)) };
    assert!(
        matches!(super::script(&known, &again, &settings()).unwrap(), ScriptAnswer::NotConfigured(_)),
        "it is asked once"
    );
    let bootable = with_unknown(&view(&["nid:1"], None), script);
    assert!(text(&bootable, ask(Selector::Mac(MAC))).contains("\nkernel "), "a node that boots is none of these");
}

#[test]
fn a_script_of_the_sites_that_cannot_be_made_is_an_error_and_names_it() {
    let view = with_unknown(&view(&[], None), "{{ other }}");
    let error = script(&view, &ask(Selector::Mac(MAC)), &settings()).unwrap_err().to_string();
    assert!(error.contains("template unknown cannot be rendered"), "{error}");
}
