//! An inventory in today's form of cloud-init, applied to the built-in servers and to services elsewhere.

use serde_json::{Value, json};

use crate::between::{Between, Fate};
use crate::support::{Answer, Cluster, Finished, Serving, get, send};

const FIRST: &str = "x1000c1s7b1n0";

const DEFAULTS: &str = "cluster-name: demo\nregion: west\nshort-name: nid\nnid-length: 3\n";
const GROUP: &str = "\
name: compute
description: Compute nodes
file:
  encoding: plain
  content: |
    #cloud-config
    runcmd:
      - echo hello
";
const INSTANCE: &str = "id: nid001\nlocal-hostname: first\n";

/// The example cluster in today's form.
fn cluster() -> Cluster {
    let cluster = Cluster::demo();
    std::fs::remove_file(cluster.inventory().join("cloud-init/compute.yaml")).unwrap();
    put(&cluster, "cloud-init/defaults.yaml", DEFAULTS);
    put(&cluster, "cloud-init/groups/compute.yaml", GROUP);
    put(&cluster, "cloud-init/instances/first.yaml", INSTANCE);
    cluster
}

fn put(cluster: &Cluster, file: &str, text: &str) {
    let path = cluster.inventory().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Without entries of the secure store, which servers of today's generation do not have.
pub(crate) fn without_secrets() -> Cluster {
    let cluster = cluster();
    std::fs::remove_dir_all(cluster.inventory().join("cloud-init/secure")).unwrap();
    cluster
}

/// Services to apply to.
struct Services {
    serving: Serving,
    _home: Cluster,
}

impl Services {
    fn start() -> Self {
        let home = Cluster::demo();
        let serving = home.serve_with(&["--auth", "none"], &[("OCHAMI_SYNC_INSECURE", "1")]);
        Self { serving, _home: home }
    }

    fn read(&self, path: &str) -> Answer {
        get(&format!("{}{path}", self.serving.api))
    }
}

fn run(cluster: &Cluster, verb: &[&str], url: &str) -> Finished {
    cluster.run(&[verb, &["--base-uri", url]].concat())
}

#[test]
fn the_plan_tells_what_is_new_what_changes_and_who_changed_it() {
    let cluster = cluster();
    let serving = cluster.serve(&[]);
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    for line in ["create   defaults", "create   group compute", "create   node nid001"] {
        assert!(plan.contains(line), "{line}\n{plan}");
    }
    cluster.run(&["apply", "--yes"]).expect(0);
    assert!(cluster.run(&["plan"]).expect(0).stdout.contains("in sync"));
    cluster.edit("cloud-init/groups/compute.yaml", "echo hello", "echo goodbye");
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("update   group compute") && plan.contains("groups/compute.yaml:8"), "{plan}");
    assert!(plan.contains("-     - echo hello") && plan.contains("+     - echo goodbye"), "{plan}");
    cluster.run(&["apply", "--yes"]).expect(0);

    let bearer = format!("Bearer {}", cluster.run(&["token"]).expect(0).stdout.trim());
    let url = format!("{}/cloud-init/admin/cluster-defaults", serving.api);
    assert_eq!(send("POST", &url, &[("authorization", &bearer)], Some(r#"{"region":"east"}"#)).status, 201);
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("drift    cloud-init defaults") && plan.contains("region  east (live)"), "{plan}");
    assert!(plan.contains("from 127.0.0.1 (API)"), "{plan}");
}

#[test]
fn both_generations_of_a_target_are_written_to_and_a_second_apply_writes_nothing() {
    let (cluster, services) = (cluster(), Services::start());
    let api = &services.serving.api;
    let first = run(&cluster, &["apply", "--yes"], api).expect(0);
    assert!(first.stdout.contains("cannot be asked what it holds of single nodes"), "{}", first.stdout);
    assert_eq!(services.read("/cloud-init/admin/cluster-defaults").json()["region"], "west");
    assert_eq!(services.read("/cloud-init/admin/groups/compute").json()["description"], "Compute nodes");
    assert_eq!(services.read("/cloud-init-secure").json().as_object().map(serde_json::Map::len), Some(1));
    assert!(run(&cluster, &["apply", "--yes"], api).expect(0).stdout.contains("in sync"));

    // Somebody else changes the group, and the inventory what is special about the node.
    let body = json!({"name": "compute", "file": {"content": "#cloud-config\n", "encoding": "plain"}}).to_string();
    send("PUT", &format!("{api}/cloud-init/admin/groups/compute"), &[], Some(&body));
    cluster.edit("cloud-init/instances/first.yaml", "first", "second");
    let plan = run(&cluster, &["plan"], api).expect(0).stdout;
    assert!(plan.contains("drift    cloud-init group compute") && plan.contains("update   node nid001"), "{plan}");
    run(&cluster, &["apply", "--yes"], api).expect(0);
    assert_eq!(services.read("/cloud-init/admin/groups/compute").json()["description"], "Compute nodes");

    std::fs::remove_file(cluster.inventory().join("cloud-init/groups/compute.yaml")).unwrap();
    std::fs::remove_file(cluster.inventory().join("cloud-init/instances/first.yaml")).unwrap();
    run(&cluster, &["apply", "--yes", "--allow-delete", "1"], api).expect(0);
    assert_eq!(services.read("/cloud-init/admin/groups/compute").status, 404);
    assert!(run(&cluster, &["plan"], api).expect(0).stdout.contains("in sync"));
}

#[test]
fn defaults_that_the_server_would_keep_are_refused_before_any_write() {
    let (cluster, services) = (cluster(), Services::start());
    let api = &services.serving.api;
    run(&cluster, &["apply", "--yes"], api).expect(0);
    cluster.edit("cloud-init/defaults.yaml", "region: west\n", "");
    cluster.edit("cluster.yaml", "compute-slurm/latest", "compute-slurm/v2");
    let refused = run(&cluster, &["apply", "--yes"], api);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("never clears: it would keep `region`"), "{}", refused.stderr);
    assert!(services.read("/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc").body.contains("latest"), "nothing was written");
}

#[test]
fn a_server_of_the_other_generation_is_told_apart_before_any_write() {
    let services = Services::start();
    let tutorials = Between::new(&services.serving.api, |asked| match asked.path.contains("/cloud-init/admin/") {
        true => Fate::Answer(404, "404 page not found"),
        false => Fate::Pass,
    });
    let refused = run(&without_secrets(), &["apply", "--yes"], &tutorials.url);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("is of the tutorial's generation"), "{}", refused.stderr);
    let todays = Between::new(&services.serving.api, |asked| match asked.path.trim_end_matches('/') {
        "/cloud-init" | "/cloud-init-secure" => Fate::Answer(404, "404 page not found"),
        _ => Fate::Pass,
    });
    let refused = run(&Cluster::demo(), &["apply", "--yes"], &todays.url);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("is of today's generation"), "{}", refused.stderr);
    assert_eq!(services.read("/hsm/v2/State/Components").json()["Components"], Value::Array(Vec::new()));

    let cluster = without_secrets();
    run(&cluster, &["apply", "--yes"], &todays.url).expect(0);
    let seen = todays.seen();
    let lists = seen.iter().filter(|asked| asked.starts_with("GET ")).count();
    assert_eq!(services.read("/cloud-init/admin/groups/compute").status, 200);
    run(&cluster, &["plan"], &todays.url).expect(0);
    assert_eq!(todays.seen().iter().filter(|asked| asked.starts_with("GET ")).count() - lists, 8, "{seen:?}");
    assert!(seen.contains(&format!("PUT /cloud-init/admin/instance-info/{FIRST}")), "{seen:?}");
}
