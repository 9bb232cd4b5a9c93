//! The verbs as a person types them: exit codes, what is printed where, and that a second apply writes nothing.

use std::fs;

use crate::support::{Cluster, repository};

#[test]
fn the_example_inventory_is_valid() {
    let cluster = Cluster::demo();
    let finished = cluster.run(&["validate"]).expect(0);
    assert!(finished.stdout.contains("inventory is valid: 9 nodes, 1 group"), "{}", finished.stdout);
    assert!(!cluster.state().exists(), "validate made state");
}

#[test]
fn validate_reports_every_problem_of_every_file_in_one_run() {
    let cluster = Cluster::demo();
    cluster.edit("nodes.yaml", "xname: x1000c1s7b2n0", "xname: rack7");
    cluster.edit("nodes.yaml", "ec:e7:a7:05:93:84", "ec:e7:a7:05:93:zz");
    cluster.edit("cluster.yaml", "cluster_name: demo", "cluster_nmae: demo");
    let finished = cluster.run(&["validate"]).expect(3);
    for text in ["inventory/nodes.yaml:", "inventory/cluster.yaml:", "rack7", "93:zz", "cluster_nmae"] {
        assert!(finished.stdout.contains(text), "{text} is missing in\n{}", finished.stdout);
    }
    let json = cluster.run(&["validate", "--format", "json"]).expect(3);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["format"], "ochami-sync/diagnostics");
    assert_eq!(document["format_version"], "1.0");
    let diagnostics = document["diagnostics"].as_array().unwrap();
    let errors: Vec<_> = diagnostics.iter().filter(|d| d["severity"] == "error").collect();
    assert!(errors.len() >= 3, "{}", json.stdout);
    for key in ["code", "severity", "file", "line", "column", "end_line", "end_column", "node", "message", "help"] {
        assert!(errors.iter().all(|d| d.get(key).is_some()), "{key} is missing");
    }
}

#[test]
fn a_missing_directory_is_an_invalid_inventory() {
    let cluster = Cluster::demo();
    let finished = cluster.run(&["validate", "-i", "nowhere"]).expect(3);
    assert!(finished.stdout.contains("nowhere"), "{}", finished.stdout);
}

#[test]
fn quiet_validation_prints_errors_only() {
    let cluster = Cluster::demo();
    let finished = cluster.run(&["validate", "-q"]).expect(0);
    assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("", ""), "warnings are no errors");
    cluster.edit("nodes.yaml", "nid: 2", "nid: two");
    let finished = cluster.run(&["validate", "-q"]).expect(3);
    assert!(finished.stdout.contains("error[OS0204]"), "{}", finished.stdout);
    assert!(!finished.stdout.contains("warning["), "{}", finished.stdout);
    let json = cluster.run(&["validate", "-q", "--format", "json"]).expect(3);
    assert!(json.stdout.contains("\"warning\""), "programs are told everything: {}", json.stdout);
}

#[test]
fn the_json_of_a_missing_directory_names_it() {
    let cluster = Cluster::demo();
    let finished = cluster.run(&["validate", "-i", "nowhere", "--format", "json"]).expect(3);
    let document: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(document["diagnostics"][0]["file"], "nowhere");
    assert!(document["diagnostics"][0]["help"].as_str().unwrap().contains("--inventory"));
}

#[test]
fn codes_are_explained_to_programs_too() {
    let cluster = Cluster::demo();
    let parse =
        |args: &[&str]| -> serde_json::Value { serde_json::from_str(&cluster.run(args).expect(0).stdout).unwrap() };
    let page = parse(&["explain", "os0003", "--format", "json"]);
    assert_eq!(page["format"], "ochami-sync/explanations");
    assert_eq!(page["format_version"], "1.0");
    let code = &page["codes"][0];
    assert_eq!((&code["code"], &code["severity"]), (&"OS0003".into(), &"error".into()));
    assert!(code["wrong"][0]["content"].as_str().unwrap().contains('\t'), "{page}");
    assert_eq!(code["right"][0]["path"], "cloud-init/compute.yaml");
    let list = parse(&["explain", "--list", "--format", "json"]);
    let lines = cluster.run(&["explain", "--list"]).expect(0).stdout.lines().count();
    assert_eq!(list["codes"].as_array().unwrap().len(), lines);
}

#[test]
fn a_wrong_command_line_ends_with_two() {
    let cluster = Cluster::demo();
    cluster.run(&["plan", "--no-such-flag"]).expect(2);
    cluster.run(&["token", "--ttl", "soon"]).expect(2);
}

#[test]
fn explain_shows_a_code_and_refuses_an_unknown_one() {
    let cluster = Cluster::demo();
    let list = cluster.run(&["explain", "--list"]).expect(0).stdout;
    assert!(list.lines().count() > 20, "{list}");
    let code = list.split_whitespace().next().unwrap();
    assert!(cluster.run(&["explain", code]).expect(0).stdout.contains(code));
    assert!(cluster.run(&["explain", "OS9999"]).expect(1).stderr.contains("OS9999"));
}

#[test]
fn plan_writes_nothing_not_even_a_state_directory() {
    let cluster = Cluster::demo();
    let finished = cluster.run(&["plan"]).expect(0);
    assert!(finished.stdout.contains("nid[001-009]"), "{}", finished.stdout);
    assert!(!cluster.state().exists(), "plan made state");
    cluster.run(&["plan", "--exit-code"]).expect(5);
}

#[test]
fn a_second_apply_writes_nothing_and_says_in_sync() {
    let cluster = Cluster::demo();
    let first = cluster.run(&["apply", "--yes"]).expect(0);
    assert!(first.stdout.contains("applied:"), "{}", first.stdout);
    let before = database(&cluster);
    let second = cluster.run(&["apply", "--yes"]).expect(0);
    assert!(second.stdout.contains("in sync"), "{}", second.stdout);
    assert_eq!(before, database(&cluster), "the second apply touched the database");
    cluster.run(&["plan", "--exit-code"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&cluster.run(&["plan", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["summary"]["writes"], 0);
    assert_eq!(json["format"], "ochami-sync/plan");
}

/// The database's content as files: whatever is written changes one of them.
fn database(cluster: &Cluster) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(cluster.state())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.ends_with(".db")))
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no database found");
    files
}

#[test]
fn apply_without_a_terminal_and_without_yes_changes_nothing() {
    let cluster = Cluster::demo();
    let finished = cluster.run(&["apply"]).expect(10);
    assert!(finished.stderr.contains("--yes"), "{}", finished.stderr);
    cluster.run(&["plan", "--exit-code"]).expect(5);
}

#[test]
fn an_edit_is_planned_with_the_words_that_changed_and_its_line() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    cluster.edit("cluster.yaml", "rd.shell", "rd.break");
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("[-rd.shell-]"), "{plan}");
    assert!(plan.contains("{+rd.break+}"), "{plan}");
    assert!(plan.contains("nid[001-009]"), "{plan}");
    assert!(plan.contains("cluster.yaml:"), "{plan}");
    assert!(plan.contains("next boot"), "{plan}");
    cluster.run(&["apply", "--yes"]).expect(0);
    cluster.run(&["plan", "--exit-code"]).expect(0);
}

#[test]
fn a_removed_node_is_deleted_and_what_is_not_ours_stays() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let path = cluster.inventory().join("nodes.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let start = text.find("- name: nid009").unwrap();
    fs::write(&path, &text[..start]).unwrap();
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("-  delete   nid009"), "{plan}");
    cluster.run(&["apply", "--yes"]).expect(0);
    cluster.run(&["plan", "--exit-code"]).expect(0);
}

#[test]
fn deleting_more_than_the_limit_is_refused_until_the_number_is_named() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let path = cluster.inventory().join("nodes.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let start = text.find("- name: nid005").unwrap();
    fs::write(&path, &text[..start]).unwrap();
    let refused = cluster.run(&["apply", "--yes"]).expect(4);
    assert!(refused.stderr.contains("limit.delete"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--allow-delete 5"), "{}", refused.stderr);
    cluster.run(&["apply", "--yes", "--allow-delete", "4"]).expect(4);
    cluster.run(&["apply", "--yes", "--allow-delete", "5"]).expect(0);
    cluster.run(&["plan", "--exit-code"]).expect(0);
}

#[test]
fn the_expected_plan_is_applied_and_any_other_refused() {
    let cluster = Cluster::demo();
    // The first plan is made where there is no state yet, and holds all the same.
    let plan: serde_json::Value = serde_json::from_str(&cluster.run(&["plan", "--format", "json"]).stdout).unwrap();
    cluster.run(&["apply", "--yes", "--expect", plan["id"].as_str().unwrap()]).expect(0);
    cluster.edit("cluster.yaml", "rd.shell", "rd.break");
    let plan: serde_json::Value = serde_json::from_str(&cluster.run(&["plan", "--format", "json"]).stdout).unwrap();
    let id = plan["id"].as_str().unwrap();
    cluster.run(&["apply", "--yes", "--expect", "p-000000000000"]).expect(7);
    cluster.run(&["apply", "--yes", "--expect", id]).expect(0);
}

#[test]
fn a_missing_secret_stops_apply_before_anything_is_written() {
    let cluster = Cluster::demo();
    fs::remove_file(cluster.path("secrets/munge.key")).unwrap();
    cluster.run(&["validate"]).expect(0);
    let finished = cluster.run(&["apply", "--yes"]).expect(3);
    let searched = cluster.path("secrets");
    for text in ["munge.key", searched.to_str().unwrap(), "--secrets-dir"] {
        assert!(finished.stderr.contains(text), "{text} is missing in\n{}", finished.stderr);
    }
    let finished = cluster.run(&["apply", "--yes", "--format", "json"]).expect(3);
    let plan: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(plan["diagnostics"][0]["code"], "secret.missing", "{}", finished.stdout);
    assert!(!cluster.state().exists(), "something was written");
}

#[test]
fn a_plan_without_a_secret_shows_all_but_it_and_warns() {
    let cluster = Cluster::demo();
    fs::remove_file(cluster.path("secrets/munge.key")).unwrap();
    let finished = cluster.run(&["plan"]).expect(0);
    for text in ["nid[001-009]", "secret munge.key cannot be had; apply needs it", "Warning", "--secrets-dir"] {
        assert!(finished.stdout.contains(text), "{text} is missing in\n{}", finished.stdout);
    }
    cluster.run(&["plan", "--exit-code"]).expect(5);
    let json: serde_json::Value = serde_json::from_str(&cluster.run(&["plan", "--format", "json"]).stdout).unwrap();
    let remark = &json["diagnostics"][0];
    assert_eq!((&remark["code"], &remark["severity"]), (&"secret.missing".into(), &"warning".into()));
    assert!(remark["origin"]["line"].as_u64() > Some(1), "{remark}");
}

#[test]
fn where_only_the_secret_is_missing_nobody_knows_whether_anything_changes() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    fs::remove_file(cluster.path("secrets/munge.key")).unwrap();
    let finished = cluster.run(&["plan", "--exit-code"]).expect(5);
    assert!(finished.stdout.contains("nobody knows whether anything changes"), "{}", finished.stdout);
    assert!(!finished.stdout.contains("in sync"), "{}", finished.stdout);
    cluster.run(&["apply", "--yes"]).expect(3);
}

#[test]
fn a_second_process_is_told_who_holds_the_state_directory() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&["--state", "other"]);
    // Taking the socket away leaves only the lock, as for a command that runs while another one applies.
    fs::remove_file(cluster.path("other/ochami-sync.sock")).unwrap();
    let finished = cluster.run(&["apply", "--yes", "--state", "other"]).expect(9);
    assert!(finished.stderr.contains(&serving.child.0.id().to_string()), "{}", finished.stderr);
}

#[test]
fn the_readme_names_every_verb_and_every_exit_code() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    for verb in ["validate", "plan", "apply", "serve", "token", "explain"] {
        assert!(readme.contains(&format!("`{verb}`")), "{verb} is not in the README");
    }
    for code in ["| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 4 |", "| 5 |", "| 6 |", "| 7 |", "| 8 |", "| 9 |", "| 10 |"] {
        assert!(readme.contains(code), "{code} is not in the README");
    }
}

#[test]
fn a_file_that_vanished_is_not_taken_for_one_that_was_emptied_on_purpose() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    fs::rename(cluster.inventory().join("cloud-init/compute.yaml"), cluster.path("moved.yaml")).unwrap();
    let refused = cluster.run(&["apply", "--yes"]).expect(4);
    assert!(refused.stderr.contains("missing.file"), "{}", refused.stderr);
    assert!(refused.stderr.contains("cloud-init/compute.yaml"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--allow-delete 1"), "{}", refused.stderr);
    cluster.run(&["apply", "--yes", "--allow-delete", "1"]).expect(0);
    cluster.run(&["plan", "--exit-code"]).expect(0);
}

#[test]
fn booting_every_node_from_another_interface_is_a_replacement_and_limited() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let path = cluster.inventory().join("nodes.yaml");
    let mut text = fs::read_to_string(&path).unwrap();
    for n in 1..=9 {
        let line = format!("ip_addr: 172.16.0.{n}\n");
        let at = text.find(&line).unwrap();
        let start = text[..at].rfind("interfaces:").unwrap();
        let item = text[start..].find("- mac_addr").unwrap() + start;
        let indent = " ".repeat(item - text[..item].rfind('\n').unwrap() - 1);
        text.insert_str(item, &format!("- mac_addr: a4:bf:01:00:00:0{n}\n{indent}"));
    }
    fs::write(&path, text).unwrap();
    let refused = cluster.run(&["apply", "--yes"]).expect(4);
    assert!(refused.stderr.contains("limit.replace"), "{}", refused.stderr);
}

#[test]
fn a_token_is_printed_as_text_or_as_a_document_with_what_it_is_for() {
    let cluster = Cluster::demo();
    let _serving = cluster.serve(&[]);
    let text = cluster.run(&["token"]).expect(0).stdout;
    assert_eq!(text.trim().split('.').count(), 3, "{text}");
    let json = cluster.run(&["token", "--format", "json", "--ttl", "5m", "--subject", "ci"]).expect(0).stdout;
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&document["format"], &document["format_version"]), (&"ochami-sync/token".into(), &"1.0".into()));
    assert_eq!((&document["expires_in"], &document["subject"]), (&300.into(), &"ci".into()));
    assert_eq!(document["token_type"], "Bearer");
    assert_eq!(document["access_token"].as_str().unwrap().split('.').count(), 3, "{json}");
}

#[test]
fn an_address_that_is_none_is_refused_at_the_command_line() {
    let cluster = Cluster::demo();
    for (args, reason) in [
        (["plan", "--base-uri", "demo.openchami.cluster:8443"], "neither http nor https"),
        (["plan", "--smd", "smd"], "it is no URL"),
        (["plan", "--smd", "http://head/hsm/v2"], "give --bss URL, or --base-uri URL for all three"),
        (["plan", "--cloud-init", "http://head:27777"], "it has no path such as /cloud-init"),
        (["apply", "--bss", "https://admin:hunter2@head/boot/v1"], "a user name or password"),
        (["serve", "--jwks-url", "keys.json"], "it is no URL"),
        (["serve", "--cloud-init-base-url", "http://head/?x"], "it ends with its path"),
        (["serve", "--bss-retry-delay", "0"], "0 is not in 1..=3600"),
    ] {
        let finished = cluster.run(&args).expect(2);
        assert!(finished.stderr.contains(reason), "{args:?}: {}", finished.stderr);
    }
}

#[test]
fn a_program_is_given_a_document_whatever_becomes_of_its_command() {
    let cluster = Cluster::demo();
    let parse =
        |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}")) };
    let document = |args: &[&str], exit| {
        let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
        parse(&cluster.run(&args).expect(exit).stdout)
    };
    let warnings = document(&["validate"], 0)["diagnostics"].as_array().unwrap().len();
    let plan = document(&["plan"], 0);
    assert!(warnings > 0 && plan["diagnostics"].as_array().unwrap().len() == warnings, "{}", plan["diagnostics"]);
    assert!(plan["diagnostics"][0]["code"].as_str().unwrap().starts_with("OS"), "{}", plan["diagnostics"]);
    let unconfirmed = document(&["apply"], 10);
    assert_eq!((&unconfirmed["format"], &unconfirmed["id"]), (&"ochami-sync/plan".into(), &plan["id"]));
    let stale = document(&["apply", "--yes", "--expect", "p-000000000000"], 7);
    assert_eq!((&stale["format"], &stale["id"]), (&"ochami-sync/plan".into(), &plan["id"]));
    let applied = document(&["apply", "--yes"], 0);
    assert_eq!((&applied["format"], &applied["format_version"]), (&"ochami-sync/apply".into(), &"1.0".into()));
    assert_eq!((&applied["plan"]["id"], applied["outcome"]["written"].as_u64() > Some(0)), (&plan["id"], true));
    let nodes = fs::read_to_string(cluster.path("inventory/nodes.yaml")).unwrap();
    let third = nodes.find("  - name: nid003").unwrap();
    fs::write(cluster.path("inventory/nodes.yaml"), &nodes[..third]).unwrap();
    let refused = document(&["apply", "--yes"], 4);
    assert_eq!((&refused["format"], &refused["safety"]["ok"]), (&"ochami-sync/plan".into(), &false.into()));
    cluster.edit("nodes.yaml", "nid: 2", "nid: two");
    for args in [&["plan"][..], &["apply", "--yes"]] {
        let invalid = document(args, 3);
        assert_eq!(invalid["format"], "ochami-sync/diagnostics");
        assert!(invalid["diagnostics"].as_array().unwrap().iter().any(|one| one["code"] == "OS0204"), "{invalid}");
    }
}
