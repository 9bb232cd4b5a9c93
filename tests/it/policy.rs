//! Whose objects they are: renamed clusters, adoption, groups that others use, and advice that can be copied.

use std::fs;

use crate::support::{Cluster, Finished, get, send};

/// The command that a refusal advises, without the program's name.
fn advised(finished: &Finished, flag: &str) -> Vec<String> {
    let line = finished.stderr.lines().find(|line| line.contains("ochami-sync apply") && line.contains(flag));
    let line = line.unwrap_or_else(|| panic!("no advice with {flag} in\n{}", finished.stderr));
    let (_, command) = line.split_once("ochami-sync ").unwrap();
    command.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn advice_can_be_copied_and_does_what_it_says() {
    let cluster = Cluster::demo();
    fs::rename(cluster.inventory(), cluster.path("lab")).unwrap();
    let place = ["-i", "lab", "--state", "here"];
    cluster.run(&[&["apply", "--yes"], &place[..]].concat()).expect(0);
    let path = cluster.path("lab/nodes.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.find("- name: nid005").unwrap()]).unwrap();
    let refused = cluster.run(&[&["plan"], &place[..]].concat()).expect(4);
    let mut command = advised(&refused, "--allow-delete");
    assert_eq!(command, ["apply", "-i", "lab", "--state", "here", "--allow-delete", "5"]);
    command.push("--yes".to_owned());
    cluster.run(&command.iter().map(String::as_str).collect::<Vec<_>>()).expect(0);
}

#[test]
fn a_renamed_cluster_is_refused_until_it_takes_the_place_of_the_old_one() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    cluster.edit("cluster.yaml", "cluster_name: demo", "cluster_name: prod");
    let refused = cluster.run(&["apply", "--yes"]).expect(4);
    assert!(refused.stderr.contains("foreign.owner"), "{}", refused.stderr);
    assert!(refused.stderr.contains("75 objects belong to the cluster `demo`"), "{}", refused.stderr);
    let mut command = advised(&refused, "--take-over");
    command.push("--yes".to_owned());
    let taken = cluster.run(&command.iter().map(String::as_str).collect::<Vec<_>>()).expect(0);
    assert!(taken.stdout.contains("Takes the place of cluster demo"), "{}", taken.stdout);
    let again = cluster.run(&["plan", "--exit-code"]).expect(0);
    assert!(again.stdout.contains("prod is in sync"), "{}", again.stdout);
    // Under its old name the inventory owns nothing by now.
    cluster.edit("cluster.yaml", "cluster_name: prod", "cluster_name: demo");
    cluster.run(&["plan"]).expect(4);
}

#[test]
fn adopting_writes_the_ledger_alone_and_is_then_in_sync() {
    let home = Cluster::demo();
    let serving = home.serve_with(&["--auth", "none"], &[("OCHAMI_SYNC_INSECURE", "1")]);
    let first = Cluster::demo();
    let target = ["--base-uri", &serving.api];
    let args = |verb: &[&'static str]| [verb, &target[..]].concat();
    let created = first.run(&args(&["apply", "--yes"])).expect(0);
    assert!(created.stdout.contains("12 create"), "{}", created.stdout);
    // Somebody else manages the same services from the same inventory, with no ledger.
    let second = Cluster::demo();
    let plan = second.run(&args(&["plan", "--exit-code"])).expect(5);
    assert!(plan.stdout.contains("12 adopt   0 writes"), "{}", plan.stdout);
    let applied = second.run(&args(&["apply", "--yes"])).expect(0);
    assert!(applied.stdout.contains("adopted: 12; nothing had to be written (apply #1)"), "{}", applied.stdout);
    let again = second.run(&args(&["plan", "--exit-code"])).expect(0);
    assert!(again.stdout.contains("in sync"), "{}", again.stdout);
}

#[test]
fn a_group_that_others_use_stays_with_their_members() {
    let cluster = Cluster::demo();
    let serving = cluster.serve_with(&["--auth", "none"], &[("OCHAMI_SYNC_INSECURE", "1")]);
    cluster.run(&["apply", "--yes"]).expect(0);
    let api = &serving.api;
    let foreign = r#"{"Components":[{"ID":"x1000c7s0b0n0","State":"Ready","NID":700}]}"#;
    send("POST", &format!("{api}/hsm/v2/State/Components"), &[], Some(foreign));
    send("POST", &format!("{api}/hsm/v2/groups/compute/members"), &[], Some(r#"{"id":"x1000c7s0b0n0"}"#));
    // Every node leaves the group.
    cluster.edit("nodes.yaml", "    group: compute\n", "");
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("release  compute"), "{plan}");
    assert!(plan.contains("x1000c7s0b0n0"), "{plan}");
    cluster.run(&["apply", "--yes"]).expect(0);
    let members = get(&format!("{api}/hsm/v2/groups/compute")).json()["members"]["ids"].clone();
    assert_eq!(members, serde_json::json!(["x1000c7s0b0n0"]));
    cluster.run(&["plan", "--exit-code"]).expect(0);
}
