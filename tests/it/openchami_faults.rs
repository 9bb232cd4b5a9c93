//! The `openchami` target when something goes wrong: one node's trouble is that node's, what was begun is gone on with,
//! and nothing is told to boot what is not configured.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::between::{Asked, Between, Fate};
use crate::support::{Answer, Cluster, Finished, Serving, get, send, until};

const FIRST: &str = "x1000c1s7b1n0";
const FIRST_MAC: &str = "ec:e7:a7:05:a1:fc";

/// Services, an inventory to apply to them, and what spoils the way there.
struct Stage {
    cluster: Cluster,
    serving: Serving,
    _home: Cluster,
}

impl Stage {
    fn new() -> Self {
        let home = Cluster::demo();
        let serving = home.serve_with(&["--auth", "none"], &[("OCHAMI_SYNC_INSECURE", "1")]);
        Self { cluster: Cluster::demo(), serving, _home: home }
    }

    fn apply(&self, between: &Between) -> Finished {
        self.cluster.run(&["apply", "--yes", "--base-uri", &between.url])
    }

    fn read(&self, path: &str) -> Answer {
        get(&format!("{}{path}", self.serving.api))
    }

    fn members(&self) -> Vec<Value> {
        self.read("/hsm/v2/groups/compute").json()["members"]["ids"].as_array().unwrap().clone()
    }

    fn is_told_to_boot(&self, mac: &str) -> bool {
        self.read(&format!("/boot/v1/bootparameters?mac={mac}")).status == 200
    }
}

/// A way to the services that is spoilt as long as `spoilt` says so.
fn switched(stage: &Stage, fate: impl Fn(&Asked) -> Fate + Send + Sync + 'static) -> (Between, Arc<AtomicBool>) {
    let on = Arc::new(AtomicBool::new(true));
    let switch = on.clone();
    let between =
        Between::new(
            &stage.serving.api,
            move |asked| {
                if switch.load(Ordering::SeqCst) { fate(asked) } else { Fate::Pass }
            },
        );
    (between, on)
}

fn off(switch: &AtomicBool) {
    switch.store(false, Ordering::SeqCst);
}

#[test]
fn a_first_apply_that_broke_off_is_gone_on_with_by_the_next() {
    let stage = Stage::new();
    // Every answer about a controller and all that follows is lost: what was made of it is there all the same, with
    // interfaces that do not look as they should.
    let (between, switch) = switched(&stage, |asked| match asked.path.contains("/Inventory/RedfishEndpoints/") {
        true => Fate::LoseAnswer,
        false => Fate::Pass,
    });
    let first = stage.apply(&between).expect(8);
    assert!(first.stderr.contains("redfish-endpoint/x1000c1s7b1"), "{}", first.stderr);
    let made = stage.read("/hsm/v2/Inventory/EthernetInterfaces").json();
    assert_eq!(made.as_array().map(Vec::len), Some(18), "SMD made the interfaces with the controllers");
    off(&switch);
    let second = stage.apply(&between).expect(0);
    assert!(second.stdout.contains("applied:"), "{}", second.stdout);
    assert!(stage.apply(&between).expect(0).stdout.contains("in sync"));
    let interface = stage.read("/hsm/v2/Inventory/EthernetInterfaces/ece7a705a1fc").json();
    assert_eq!(interface["IPAddresses"][0]["Network"], "management");
    assert!(stage.is_told_to_boot(FIRST_MAC));
}

#[test]
fn an_apply_that_was_killed_is_gone_on_with_by_the_next() {
    let stage = Stage::new();
    let (between, switch) = switched(&stage, |asked| match asked.is("POST", "/groups") {
        true => Fate::Hold,
        false => Fate::Pass,
    });
    let mut child = stage
        .cluster
        .command(&["apply", "--yes", "--base-uri", &between.url])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the group was asked for", || between.seen().contains(&"POST /hsm/v2/groups".to_owned()).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    off(&switch);
    let next = stage.apply(&between).expect(0);
    assert!(next.stdout.contains("create   compute"), "a group that never was is not recreated:\n{}", next.stdout);
    assert!(stage.apply(&between).expect(0).stdout.contains("in sync"));
}

#[test]
fn an_apply_killed_before_anything_was_stored_does_not_look_like_services_that_lost_everything() {
    let stage = Stage::new();
    let (between, switch) = switched(&stage, |asked| match asked.method == "GET" {
        true => Fate::Pass,
        false => Fate::Hold,
    });
    let mut child = stage
        .cluster
        .command(&["apply", "--yes", "--base-uri", &between.url])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the components were sent", || (between.writes() > 0).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    off(&switch);
    stage.apply(&between).expect(0);
}

#[test]
fn one_node_that_cannot_be_written_does_not_hold_up_the_others() {
    let stage = Stage::new();
    let (between, switch) = switched(&stage, |asked| {
        let it = asked.is("POST", "/State/Components") && asked.body.contains(FIRST);
        if it { Fate::Answer(400, r#"{"detail":"it is not wanted"}"#) } else { Fate::Pass }
    });
    let partial = stage.apply(&between).expect(8);
    assert!(partial.stderr.contains(&format!("failed: component/{FIRST}")), "{}", partial.stderr);
    assert!(partial.stderr.contains("it is not wanted"), "{}", partial.stderr);
    let members = stage.members();
    assert_eq!(members.len(), 8, "the group has every member but one: {members:?}");
    assert!(!members.contains(&Value::from(FIRST)));
    assert!(!stage.is_told_to_boot(FIRST_MAC), "a node that is not there is not told to boot");
    assert!(stage.is_told_to_boot("ec:e7:a7:05:a2:28"));
    off(&switch);
    stage.apply(&between).expect(0);
    assert_eq!(stage.members().len(), 9);
    assert!(stage.apply(&between).expect(0).stdout.contains("in sync"));
}

#[test]
fn a_member_that_the_service_refuses_costs_that_member_only() {
    let stage = Stage::new();
    let (between, switch) = switched(&stage, |asked| {
        let group = asked.is("POST", "/groups") || asked.is("POST", "/members");
        if group && asked.body.contains(FIRST) {
            Fate::Answer(400, r#"{"detail":"no such member"}"#)
        } else {
            Fate::Pass
        }
    });
    let partial = stage.apply(&between).expect(8);
    assert!(partial.stderr.contains(FIRST) && partial.stderr.contains("no such member"), "{}", partial.stderr);
    assert_eq!(stage.members().len(), 8);
    assert!(!stage.is_told_to_boot(FIRST_MAC), "its groups are wrong, so it boots as before");
    assert!(stage.is_told_to_boot("ec:e7:a7:05:a2:28"));
    off(&switch);
    stage.apply(&between).expect(0);
    assert_eq!(stage.members().len(), 9);
}

#[test]
fn a_group_whose_cloud_init_cannot_be_written_boots_as_before() {
    let stage = Stage::new();
    let (between, switch) =
        switched(
            &stage,
            |asked| {
                if asked.is("PUT", "/cloud-init/compute") { Fate::Answer(500, "{}") } else { Fate::Pass }
            },
        );
    // A first apply posts the entry.
    stage.apply(&between).expect(0);
    stage.cluster.edit("cluster.yaml", "compute-slurm/latest", "compute-slurm/v2");
    stage.cluster.edit("cloud-init/compute.yaml", "ssh_deletekeys: false", "ssh_deletekeys: true");
    let partial = stage.apply(&between).expect(8);
    assert!(partial.stderr.contains("failed: cloud-init/compute"), "{}", partial.stderr);
    assert!(partial.stderr.contains("left out: boot-params/"), "{}", partial.stderr);
    let params = stage.read(&format!("/boot/v1/bootparameters?mac={FIRST_MAC}")).body;
    assert!(params.contains("compute-slurm/latest"), "{params}");
    off(&switch);
    stage.apply(&between).expect(0);
    let params = stage.read(&format!("/boot/v1/bootparameters?mac={FIRST_MAC}")).body;
    assert!(params.contains("compute-slurm/v2"), "{params}");
}

#[test]
fn boot_parameters_that_cannot_be_emptied_are_put_back() {
    let stage = Stage::new();
    let (between, switch) = switched(&stage, |asked| {
        if asked.is("POST", "/boot/v1/bootparameters") { Fate::Answer(500, "{}") } else { Fate::Pass }
    });
    stage.apply(&between).expect(0);
    let before = stage.read(&format!("/boot/v1/bootparameters?mac={FIRST_MAC}")).body;
    let path = stage.cluster.inventory().join("cluster.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\nboot:\n  nodes:\n    nid001: {{params: ''}}\n")).unwrap();
    let partial = stage.apply(&between).expect(8);
    assert!(partial.stderr.contains("boot as before"), "{}", partial.stderr);
    assert_eq!(stage.read(&format!("/boot/v1/bootparameters?mac={FIRST_MAC}")).body, before);
    off(&switch);
    stage.apply(&between).expect(0);
    let after = stage.read(&format!("/boot/v1/bootparameters?mac={FIRST_MAC}")).json();
    assert_eq!(after[0].get("params"), None, "{after}");
}

#[test]
fn boot_parameters_that_are_gone_already_are_deleted() {
    let stage = Stage::new();
    // As the real BSS answers when it holds nothing of what is to go.
    let (between, _) = switched(&stage, |asked| {
        if asked.is("DELETE", "/boot/v1/bootparameters") { Fate::Answer(400, "{}") } else { Fate::Pass }
    });
    stage.apply(&between).expect(0);
    let path = stage.cluster.inventory().join("nodes.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.find("- name: nid009").unwrap()]).unwrap();
    let refused = stage.apply(&between).expect(8);
    assert!(refused.stderr.contains("boot-params/"), "what is still there was not deleted: {}", refused.stderr);
    let left: Value = stage.read("/boot/v1/bootparameters").json();
    let macs: Vec<String> =
        left[0]["macs"].as_array().unwrap().iter().map(|mac| mac.as_str().unwrap().to_owned()).collect();
    let ninth = macs.iter().find(|mac| !text[..text.find("- name: nid009").unwrap()].contains(mac.as_str())).unwrap();
    let body = format!(r#"{{"macs":["{ninth}"]}}"#);
    send("DELETE", &format!("{}/boot/v1/bootparameters", stage.serving.api), &[], Some(&body));
    stage.apply(&between).expect(0);
    assert!(stage.apply(&between).expect(0).stdout.contains("in sync"));
}

#[test]
fn state_and_flag_stay_what_they_are_when_smd_resets_them() {
    let stage = Stage::new();
    let between = Between::new(&stage.serving.api, |_| Fate::Pass);
    stage.apply(&between).expect(0);
    let url = format!("{}/hsm/v2/State/Components/{FIRST}", stage.serving.api);
    let watched = format!(r#"{{"component":{{"ID":"{FIRST}","State":"Ready","Flag":"Warning"}},"Force":true}}"#);
    assert_eq!(send("PUT", &url, &[], Some(&watched)).status, 204);
    // A new name is told to SMD with the controller and all that is behind it; a new architecture with the component.
    stage.cluster.edit("nodes.yaml", "name: nid001", "name: login1");
    stage.cluster.edit("nodes.yaml", "    nid: 1\n", "    nid: 1\n    arch: ARM\n");
    stage.apply(&between).expect(0);
    let component = get(&url).json();
    assert_eq!(component["State"], "Ready", "{component}");
    assert_eq!((&component["Flag"], &component["Arch"]), (&"Warning".into(), &"ARM".into()), "{component}");
}

#[test]
fn a_change_of_a_controller_alone_is_no_rediscovery() {
    let stage = Stage::new();
    let between = Between::new(&stage.serving.api, |_| Fate::Pass);
    stage.apply(&between).expect(0);
    let before = between.seen().len();
    stage.cluster.edit("nodes.yaml", "bmc_ip: 172.16.0.101", "bmc_ip: 172.16.0.151");
    stage.apply(&between).expect(0);
    let seen = between.seen().split_off(before);
    assert!(seen.contains(&"PATCH /hsm/v2/Inventory/RedfishEndpoints/x1000c1s7b1".to_owned()), "{seen:?}");
    assert!(!seen.iter().any(|line| line.starts_with("PUT ")), "{seen:?}");
    assert!(stage.apply(&between).expect(0).stdout.contains("in sync"));
}

#[test]
fn one_service_that_is_down_refuses_the_apply_and_nothing_is_written() {
    for down in ["/hsm/v2", "/boot/v1", "/cloud-init"] {
        let stage = Stage::new();
        let between = Between::new(&stage.serving.api, move |asked| match asked.path.starts_with(down) {
            true => Fate::Answer(503, r#"{"detail":"come back later"}"#),
            false => Fate::Pass,
        });
        let refused = stage.apply(&between).expect(4);
        assert!(refused.stderr.contains("come back later"), "{down}: {}", refused.stderr);
        assert_eq!(between.writes(), 0, "{down}");
        let lists = between.seen().iter().filter(|line| line.contains("/hsm/v2")).count();
        assert!(lists <= 6, "a service that is down is not asked for all of its lists: {:?}", between.seen());
    }
}

#[test]
fn a_missing_token_is_asked_for_by_the_name_of_its_variable() {
    for status in [401, 403] {
        let stage = Stage::new();
        let between = Between::new(&stage.serving.api, move |_| Fate::Answer(status, "no token found"));
        let refused = stage.apply(&between).expect(1);
        for word in ["DEMO_ACCESS_TOKEN", "--token-file", "no token found"] {
            assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
        }
    }
}

#[test]
fn slow_services_hold_up_nobody_who_applies_elsewhere_and_end_with_the_daemon() {
    let slow = Stage::new();
    let (between, _) = switched(&slow, |asked| if asked.method == "GET" { Fate::Pass } else { Fate::Hold });
    let cluster = Cluster::demo();
    let serving = cluster.serve(&["-i", "inventory"]);
    let mut waiting = cluster.command(&["apply", "--yes", "--base-uri", &between.url]);
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the slow services were asked to write", || (between.writes() > 0).then_some(()));
    let applied = cluster.run(&["apply", "--yes"]).expect(0);
    assert!(applied.stdout.contains("applied:"), "{}", applied.stdout);
    let log = serving.stop();
    assert!(!log.contains("panicked"), "{log}");
    let told = waiting.wait_with_output().unwrap();
    let said = String::from_utf8(told.stderr).unwrap();
    assert_eq!(told.status.code(), Some(8), "{said}");
    assert!(said.contains("not answered before the program ended"), "{said}");
}
