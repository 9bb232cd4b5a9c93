//! The `openchami` target against the services it is for: real SMD, BSS and cloud-init, fresh and empty.
//!
//! `REAL_SMD_URL`, `REAL_BSS_URL` and `REAL_CLOUD_INIT_LEGACY_URL` (the tutorial's cloud-init) say where they are, each
//! with its prefix; `REAL_CLOUD_INIT_URL` is today's cloud-init itself, without the prefix that its gateway gives it, and
//! with impersonation; `REAL_TOKEN_FILE` names a token for the secure store. Without them the test says that it was
//! skipped.

use serde_json::Value;

use crate::between::{Between, Fate};
use crate::support::{Cluster, Finished, get, send, skipped};
use crate::todays::without_secrets;

const FIRST: &str = "x1000c1s7b1n0";
const FIRST_MAC: &str = "ec:e7:a7:05:a1:fc";

struct Real {
    smd: String,
    bss: String,
    today: String,
    legacy: String,
    token_file: Option<String>,
}

/// A gateway before today's cloud-init, which knows no prefix, as every installation has one.
fn gateway(service: &str) -> String {
    let before = Between::new(service, |asked| match asked.path.strip_prefix("/cloud-init") {
        Some(path) if path.starts_with('/') => Fate::PassAs(path.to_owned()),
        _ => Fate::Answer(404, "404 page not found"),
    });
    format!("{}/cloud-init", before.url)
}

impl Real {
    /// The services, where they are given.
    fn find() -> Option<Self> {
        let given = |name: &str| std::env::var(name).ok().filter(|url| !url.is_empty());
        let found = (|| {
            Some(Self {
                smd: given("REAL_SMD_URL")?,
                bss: given("REAL_BSS_URL")?,
                today: gateway(&given("REAL_CLOUD_INIT_URL")?),
                legacy: given("REAL_CLOUD_INIT_LEGACY_URL")?,
                token_file: given("REAL_TOKEN_FILE"),
            })
        })();
        if found.is_none() {
            skipped("REAL_SMD_URL and its like do not say where real services are");
        }
        found
    }

    /// Runs a verb with the cloud-init server whose form the inventory has.
    fn run(&self, cluster: &Cluster, verb: &[&str]) -> Finished {
        let in_todays_form = cluster.inventory().join("cloud-init/defaults.yaml").exists();
        self.run_with(cluster, verb, if in_todays_form { &self.today } else { &self.legacy })
    }

    fn run_with(&self, cluster: &Cluster, verb: &[&str], cloud_init: &str) -> Finished {
        let mut args = verb.to_vec();
        args.extend(["--smd", &self.smd, "--bss", &self.bss, "--cloud-init", cloud_init]);
        if let Some(file) = &self.token_file {
            args.extend(["--token-file", file]);
        }
        cluster.run(&args)
    }

    /// Applies, and answers how many writes that took.
    #[track_caller]
    fn apply(&self, cluster: &Cluster) -> u64 {
        let done = self.run(cluster, &["apply", "--yes", "--format", "json"]).expect(0);
        let applied: Value = serde_json::from_str(&done.stdout).unwrap();
        applied["outcome"]["written"].as_u64().unwrap()
    }

    /// Applies what there is to apply, which is something, and sees that nothing is left.
    #[track_caller]
    fn settle(&self, cluster: &Cluster) {
        assert!(self.apply(cluster) > 0, "there was something to write");
        assert_eq!(self.apply(cluster), 0, "the second apply writes nothing");
        let plan = self.run(cluster, &["plan", "--exit-code"]).expect(0);
        assert!(plan.stdout.contains("in sync"), "{}", plan.stdout);
    }

    fn smd(&self, path: &str) -> Value {
        get(&format!("{}{path}", self.smd)).json()
    }

    #[track_caller]
    fn set(&self, method: &str, path: &str, body: &str) {
        let answer = send(method, &format!("{}{path}", self.smd), &[], Some(body));
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.body);
    }

    fn script(&self) -> String {
        get(&format!("{}/bootscript?mac={FIRST_MAC}", self.bss)).body
    }
}

/// One test, because its steps are the lives of two clusters on services that they share.
#[test]
fn clusters_live_on_real_services() {
    let Some(real) = Real::find() else { return };
    let cluster = Cluster::demo();
    assert_eq!(real.smd("/State/Components")["Components"], Value::Array(Vec::new()), "the services have to be empty");

    let plan = real.run(&cluster, &["plan"]).expect(0);
    assert!(plan.stdout.contains("nothing can be deleted"), "{}", plan.stdout);
    real.settle(&cluster);
    assert!(real.script().contains("compute-slurm/latest"), "{}", real.script());
    assert!(real.script().contains("nid=1 "), "{}", real.script());
    let user_data = get(&format!("{}/compute/user-data", real.legacy)).body;
    assert!(user_data.starts_with("#cloud-config") && user_data.contains("slurmd"), "{user_data}");

    cluster.edit("cluster.yaml", "compute-slurm/latest", "compute-slurm/v2");
    real.settle(&cluster);
    assert!(real.script().contains("compute-slurm/v2"), "{}", real.script());

    drift_is_shown_and_put_back(&real, &cluster);
    what_others_own_stays(&real, &cluster);
    fields_are_emptied(&real, &cluster);
    a_node_goes(&real, &cluster);
    an_unknown_member_costs_nobody_else(&real);
    todays_cloud_init_is_told_apart(&real, &cluster);
    a_cluster_lives_on_todays_cloud_init(&real);
}

fn drift_is_shown_and_put_back(real: &Real, cluster: &Cluster) {
    real.set("PATCH", "/State/Components/BulkNID", &format!(r#"{{"Components":[{{"ID":"{FIRST}","NID":4711}}]}}"#));
    real.set("PATCH", "/Inventory/EthernetInterfaces/ece7a705a1fc", r#"{"Description":"somebody else's"}"#);
    let plan = real.run(cluster, &["plan", "--exit-code"]).expect(6);
    assert!(plan.stdout.contains("4711") && plan.stdout.contains("drift"), "{}", plan.stdout);
    real.settle(cluster);
    assert_eq!(real.smd(&format!("/State/Components/{FIRST}"))["NID"], 1);
}

/// State, Flag and the password of a controller survive requests that make SMD forget them.
fn what_others_own_stays(real: &Real, cluster: &Cluster) {
    let watched = format!(r#"{{"component":{{"ID":"{FIRST}","State":"Ready","Flag":"Warning"}},"Force":true}}"#);
    real.set("PUT", &format!("/State/Components/{FIRST}"), &watched);
    let account = r#"{"ID":"x1000c1s7b1","User":"root","Password":"of-the-controller"}"#;
    real.set("PATCH", "/Inventory/RedfishEndpoints/x1000c1s7b1", account);
    cluster.edit("nodes.yaml", "name: nid001", "name: login1");
    cluster.edit("nodes.yaml", "    nid: 1\n", "    nid: 1\n    arch: ARM\n    class: River\n");
    real.settle(cluster);
    cluster.edit("nodes.yaml", "bmc_ip: 172.16.0.101", "bmc_ip: 172.16.0.151");
    real.settle(cluster);
    let component = real.smd(&format!("/State/Components/{FIRST}"));
    for (field, value) in [("State", "Ready"), ("Flag", "Warning"), ("Arch", "ARM"), ("Class", "River")] {
        assert_eq!(component[field], value, "{component}");
    }
    let endpoint = real.smd("/Inventory/RedfishEndpoints/x1000c1s7b1");
    assert_eq!((&endpoint["User"], &endpoint["Password"]), (&"root".into(), &"of-the-controller".into()));
    assert_eq!(endpoint["IPAddress"], "172.16.0.151");
    let interface = real.smd("/Inventory/EthernetInterfaces/ece7a705a1fc");
    assert_eq!(interface["IPAddresses"][0]["Network"], "management", "{interface}");
}

fn fields_are_emptied(real: &Real, cluster: &Cluster) {
    let path = cluster.inventory().join("cluster.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\nboot:\n  nodes:\n    nid003: {{params: ''}}\n")).unwrap();
    real.settle(cluster);
    let params = get(&format!("{}/bootparameters?mac=ec:e7:a7:05:93:84", real.bss)).json();
    assert_eq!(params[0].get("params"), None, "{params}");
    assert!(params[0]["kernel"].as_str().unwrap().contains("compute-slurm/v2"), "{params}");
}

fn a_node_goes(real: &Real, cluster: &Cluster) {
    let path = cluster.inventory().join("nodes.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (rest, ninth) = text.split_at(text.find("- name: nid009").unwrap());
    let mac = ninth.split("mac_addr: ").nth(1).unwrap().split_whitespace().next().unwrap();
    std::fs::write(&path, rest).unwrap();
    // Somebody else was quicker with one part of it; BSS refuses to delete what it does not hold.
    let body = format!(r#"{{"macs":["{mac}"]}}"#);
    send("DELETE", &format!("{}/bootparameters", real.bss), &[], Some(&body));
    real.settle(cluster);
    assert_eq!(get(&format!("{}/State/Components/x1000c1s7b9n0", real.smd)).status, 404);
    let members = real.smd("/groups/compute")["members"]["ids"].as_array().unwrap().clone();
    assert_eq!(members.len(), 8, "{members:?}");
}

/// SMD creates no group of which it does not know a member; ours is made without the one that is in the way.
fn an_unknown_member_costs_nobody_else(real: &Real) {
    let members = real.smd("/groups/compute")["members"]["ids"].clone();
    let mut ids = members.as_array().unwrap().clone();
    ids.push("x1000c7s7b7n0".into());
    let group = serde_json::json!({"label": "probe", "members": {"ids": ids}}).to_string();
    let refused = send("POST", &format!("{}/groups", real.smd), &[], Some(&group));
    assert_eq!(refused.status, 400, "what the target tells from other faults: {}", refused.body);
}

fn todays_cloud_init_is_told_apart(real: &Real, cluster: &Cluster) {
    let refused = real.run_with(cluster, &["apply", "--yes"], &real.today).expect(1);
    assert!(refused.stderr.contains("is of today's generation"), "{}", refused.stderr);
}

/// A cluster in today's form takes the place of the first one, of which nothing but its ledger is left behind.
fn a_cluster_lives_on_todays_cloud_init(real: &Real) {
    let cluster = without_secrets();
    let admin = format!("{}/admin", real.today);
    let first = real.run(&cluster, &["plan", "--adopt", "always"]).expect(0);
    for line in ["defaults", "group compute", "cannot be asked what it holds of single nodes"] {
        assert!(first.stdout.contains(line), "{line}\n{}", first.stdout);
    }
    real.run(&cluster, &["apply", "--yes", "--adopt", "always"]).expect(0);
    let again = real.run(&cluster, &["apply", "--yes"]).expect(0);
    assert!(again.stdout.contains("in sync"), "the second apply writes nothing: {}", again.stdout);
    assert_eq!(get(&format!("{admin}/cluster-defaults")).json()["short-name"], "nid");
    let told = || get(&format!("{admin}/impersonation/{FIRST}/meta-data")).body;
    assert!(told().contains("local-hostname: first") && told().contains("hostname: nid001"), "{}", told());

    cluster.edit("cloud-init/groups/compute.yaml", "echo hello", "echo goodbye");
    cluster.edit("cloud-init/defaults.yaml", "region: west", "region: east");
    cluster.edit("cloud-init/instances/first.yaml", "first", "second");
    real.settle(&cluster);
    assert!(told().contains("local-hostname: second") && told().contains("region: east"), "{}", told());
    let group = || get(&format!("{admin}/groups/compute"));
    assert!(group().json()["file"]["content"].as_str().unwrap().contains("goodbye"), "{}", group().body);

    // Somebody else's change is shown as theirs, and put back.
    let theirs = r##"{"name":"compute","file":{"content":"#cloud-config\n","encoding":"plain"}}"##;
    assert_eq!(send("PUT", &format!("{admin}/groups/compute"), &[], Some(theirs)).status, 201);
    let plan = real.run(&cluster, &["plan", "--exit-code"]).expect(6);
    assert!(plan.stdout.contains("drift    cloud-init group compute"), "{}", plan.stdout);
    real.settle(&cluster);
    assert!(group().body.contains("goodbye"), "{}", group().body);

    std::fs::remove_file(cluster.inventory().join("cloud-init/groups/compute.yaml")).unwrap();
    std::fs::remove_file(cluster.inventory().join("cloud-init/instances/first.yaml")).unwrap();
    real.run(&cluster, &["apply", "--yes", "--allow-delete", "1"]).expect(0);
    assert_eq!(group().status, 404);
    assert!(told().contains("local-hostname: nid001"), "{}", told());
    assert!(real.run(&cluster, &["plan"]).expect(0).stdout.contains("in sync"));
}
