//! The data of today's cloud-init form: what is read, and what is refused at which place.

use std::fs;

use serde_json::json;

use super::{Code, codes, explain, load, rendered, write};
use crate::inventory::{Inventory, Loaded};

const GROUP: &str = "\
name: compute
description: Compute
meta-data:
  syslog_aggregator: 192.0.2.1
file:
  encoding: plain
  content: |
    #cloud-config
    runcmd:
      - echo hello
    ssh_deletekeys: false
";

/// Loads the base example without its entry, and with these files.
fn with(files: &[(&str, &str)]) -> Loaded {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &explain::files(explain::BASE));
    fs::remove_file(directory.path().join("cloud-init/compute.yaml")).unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    load(directory.path())
}

fn sound(files: &[(&str, &str)]) -> Inventory {
    let loaded = with(files);
    assert!(loaded.diagnostics.is_empty(), "{}", rendered(&loaded));
    loaded.inventory.unwrap()
}

/// What is said of a group's file that differs from the sound one: code, line and column, and all of the text.
fn said(from: &str, to: &str) -> Vec<(Code, u32, u32, String)> {
    assert!(GROUP.contains(from), "{from:?}");
    let loaded = with(&[("cloud-init/groups/compute.yaml", &GROUP.replacen(from, to, 1))]);
    let text = rendered(&loaded);
    let place = |problem: &crate::inventory::Diagnostic| {
        let place = problem.place.as_ref().unwrap();
        (problem.code, place.line, place.column, text.clone())
    };
    loaded.diagnostics.iter().map(place).collect()
}

#[test]
fn the_files_that_the_client_is_given_are_read_as_they_are() {
    let defaults = "\
cloud_provider: openchami
region: west
availability-zone: west-1
cluster-name: demo
public-keys: [ssh-rsa AAAA k1]
base-url: http://172.16.0.254:8081/cloud-init/
boot-subnet: 172.16.0.0/24
wg-subnet: 10.97.0.0/16
short-name: nid
nid-length: 3
";
    let instances = "\
- id: x1000c0s0b0n0
  local-hostname: compute1
  hostname: compute1.demo.cluster
  cluster-name: demo
  region: west
  availability-zone: west-1
  cloud-provider: openchami
  instance-type: t2
  cloud-init-base-url: http://172.16.0.253:8081/cloud-init
  public-keys: [ssh-ed25519 AAAA k2]
";
    let loaded = with(&[
        ("cloud-init/defaults.yaml", defaults),
        ("cloud-init/groups/compute.yaml", GROUP),
        ("cloud-init/instances/all.yaml", instances),
    ]);
    let warned: Vec<_> = loaded.diagnostics.iter().map(|d| (d.code, d.place.as_ref().unwrap().line)).collect();
    assert_eq!(warned, [4, 5, 6, 7].map(|line| (Code::UntoldField, line)), "what no node is told");
    let inventory = loaded.inventory.unwrap();
    let defaults = serde_json::to_value(&inventory.cloud_init_defaults.unwrap().value).unwrap();
    assert_eq!(defaults["base_url"], "http://172.16.0.254:8081/cloud-init", "as the server keeps it");
    assert_eq!(defaults.as_object().unwrap().len(), 10, "{defaults}");
    let group = &inventory.cloud_init_groups[0];
    assert_eq!(group.value.meta_data.tree(), json!({"syslog_aggregator": "192.0.2.1"}));
    assert!(group.value.content.starts_with("#cloud-config\n"));
    assert_eq!((group.value.encoding.as_str(), group.value.description.as_str()), ("plain", "Compute"));
    assert_eq!(group.lines.line("/meta_data/syslog_aggregator"), Some(4));
    assert_eq!(group.lines.line("/content/|/2"), Some(10), "the line of the command itself");
    let instance = serde_json::to_value(&inventory.cloud_init_instances[0].value).unwrap();
    assert_eq!(instance["local_hostname"], "compute1");
    assert_eq!(instance.as_object().unwrap().len(), 10, "{instance}");
}

#[test]
fn groups_and_instances_may_stand_among_the_entries_and_nodes_go_by_their_names() {
    let text = format!("- id: nid001\n  local-hostname: one\n- {}", GROUP.replace('\n', "\n  "));
    let inventory = sound(&[("cloud-init/all.yaml", &text)]);
    assert_eq!(inventory.cloud_init_instances[0].value.id.as_str(), "x1000c0s0b0n0");
    assert_eq!(inventory.cloud_init_groups.len(), 1);
    assert!(inventory.cloud_init.is_empty());
    // An entry may be called as the file of the defaults is.
    let loaded = with(&[("cloud-init/defaults.yaml", "name: compute\ncloud-init: {}\n")]);
    assert_eq!(loaded.inventory.unwrap().cloud_init.len(), 1);
}

#[test]
fn problems_of_a_file_within_a_file_are_told_at_their_lines() {
    for (from, to, code, line, column) in [
        ("runcmd:", "runcmds:", Code::UnknownModule, 9, 5),
        ("ssh_deletekeys: false", "ssh_deletekeys: no", Code::OldYaml, 11, 21),
        ("- echo hello", "- 'echo hello", Code::UnclosedQuote, 10, 9),
        ("- echo hello", "- echo a: b", Code::WrongType, 10, 9),
        ("- echo hello", "- {$secret: {file: a}}", Code::OpenSecret, 10, 10),
        ("    #cloud-config\n", "", Code::NoHeader, 8, 5),
        ("#cloud-config", "## template: jinja\n    #cloud-config\n    hostname: {{ v1.x }", Code::Jinja, 10, 5),
    ] {
        let found = said(from, to);
        let [(found, at, column_at, text)] = found.as_slice() else { panic!("{to:?}: {found:#?}") };
        assert_eq!((*found, *at, *column_at), (code, line, column), "{to:?}\n{text}");
    }
}

#[test]
fn a_template_is_no_yaml_until_the_node_has_filled_it_in() {
    let template = "## template: jinja\n    #cloud-config\n    hostname: {{ ds.meta_data.hostname }}";
    assert_eq!(said("#cloud-config", template), []);
}

#[test]
fn an_encoded_file_is_looked_into() {
    let encoded = |text: &str| {
        let content = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
        let group = format!("name: compute\nfile:\n  encoding: base64\n  content: {content}\n");
        codes(&with(&[("cloud-init/groups/compute.yaml", &group)]))
    };
    assert_eq!(encoded("#cloud-config\nruncmd: [a]\n"), []);
    assert_eq!(encoded("#cloud-config\nruncmd: a\n"), [Code::WrongType]);
    assert_eq!(encoded("runcmd: [a]\n"), [Code::NoHeader]);
    let broken = said("  encoding: plain", "  encoding: base64");
    assert_eq!(broken.iter().map(|said| said.0).collect::<Vec<_>>(), [Code::Base64]);
    let misspelt = said("  encoding: plain", "  encoding: bas64");
    assert!(misspelt[0].0 == Code::Word && misspelt[0].3.contains("did you mean `base64`?"), "{misspelt:?}");
}

#[test]
fn mistakes_have_one_message_each_with_the_way_out() {
    let defaults = "cloud-init/defaults.yaml";
    let instance = "cloud-init/instances/one.yaml";
    for (path, text, code, help) in [
        (defaults, "cloud-provider: openchami\n", Code::UnknownField, "did you mean `cloud_provider`?"),
        (defaults, "nid-length: none\n", Code::Number, "a whole number"),
        (defaults, "public-keys: ssh-rsa AAAA k1\n", Code::WrongType, "`- `"),
        (defaults, "public-keys: [{$secret: {file: a}}]\n", Code::OpenSecret, "cloud-init/secure/"),
        (defaults, "public-keys: ['-----BEGIN OPENSSH PRIVATE KEY-----']\n", Code::OpenSecret, "cloud-init/secure/"),
        (defaults, "boot-subnet: 172.16.0.0\n", Code::Subnet, "prefix length"),
        (defaults, "short-name: n_d\n", Code::HostName, "letters"),
        (defaults, "base-url: http:///x\n", Code::BaseUrl, "172.16.0.254"),
        (defaults, "- region: a\n", Code::WrongType, "remove the `- `"),
        (instance, "id: nid001\nlocal_hostname: a\n", Code::UnknownField, "did you mean `local-hostname`?"),
        (instance, "id: nid001\ninstance-id: i-1\n", Code::UnknownField, "the server makes it"),
        (instance, "id: nid01\nlocal-hostname: a\n", Code::UnknownInstance, "did you mean `nid001`?"),
        (instance, "local-hostname: a\n", Code::MissingField, "id"),
        (instance, "- {id: nid001}\n- {id: x1000c0s0b0n0}\n", Code::DuplicateEntry, "one node"),
        ("cloud-init/groups/a.yaml", "- {name: compute}\n- {name: compute}\n", Code::DuplicateEntry, "one group"),
        ("cloud-init/groups/a.yaml", "name: compte\ndescription: a\n", Code::UnusedEntry, "did you mean `compute`?"),
        ("cloud-init/groups/a.yaml", "name: compute\nmeta-data: [a]\n", Code::WrongType, "`- `"),
        ("cloud-init/groups/a.yaml", "name: compute\nfile: {encoding: plain}\n", Code::MissingField, "content"),
        ("cloud-init/groups/a.yaml", "name: compute\nfile: {content: [a]}\n", Code::WrongType, "single value"),
        ("cloud-init/groups/a.yaml", "name: compute\ncontent: a\n", Code::UnknownField, "under `file:`"),
        ("cloud-init/groups/a.yaml", "name: compute\ncloud-init: {}\n", Code::UnknownField, "tutorial's form"),
        (
            "cloud-init/secure/a.yaml",
            "name: compute\nfile: {}\ncloud-init: {}\n",
            Code::UnknownField,
            "keeps no secrets",
        ),
        (defaults, "\n", Code::EmptyFile, "cluster-name"),
    ] {
        let loaded = with(&[(path, text)]);
        let told: Vec<_> = loaded.diagnostics.iter().filter(|problem| problem.code != Code::NoEntry).collect();
        let [problem] = told.as_slice() else { panic!("{text:?}: {}", rendered(&loaded)) };
        let helped = problem.help.as_ref().is_some_and(|known| known.contains(help));
        assert!(problem.code == code && helped, "{text:?}: {}", rendered(&loaded));
    }
}

#[test]
fn both_forms_for_one_node_are_an_error_that_names_both_places() {
    let entry = "name: nid001\ncloud-init: {}\n";
    let loaded = with(&[("cloud-init/groups/compute.yaml", GROUP), ("cloud-init/nid001.yaml", entry)]);
    let [problem] = loaded.diagnostics.as_slice() else { panic!("{}", rendered(&loaded)) };
    assert_eq!((problem.code, problem.node.as_deref()), (Code::TwoForms, Some("nid001")));
    assert_eq!(&*problem.place.as_ref().unwrap().file, "cloud-init/groups/compute.yaml");
    assert_eq!(&*problem.related[0].0.file, "cloud-init/nid001.yaml");
    assert!(loaded.inventory.is_none());
    let instance = ("cloud-init/instances/one.yaml", "id: nid001\nhostname: a\n");
    let group = ("cloud-init/compute.yaml", "name: compute\ncloud-init: {}\n");
    assert_eq!(codes(&with(&[instance, group])), [Code::TwoForms]);
    // Secrets have no other place than the secure store.
    let secure = ("cloud-init/secure/compute.yaml", "name: compute\ncloud-init: {}\n");
    assert_eq!(codes(&with(&[instance, secure])), []);
}

#[test]
fn what_is_for_nobody_is_not_told_where_the_nodes_could_not_be_read() {
    let nodes = "nodes:\n  - name: nid001\n    nid: one\n";
    let files = [("nodes.yaml", nodes), ("cloud-init/groups/a.yaml", "name: other\ndescription: a\n")];
    let instance = ("cloud-init/instances/one.yaml", "id: nid009\nhostname: a\n");
    let found = codes(&with(&[files[0], files[1], instance]));
    assert!(!found.contains(&Code::UnusedEntry) && !found.contains(&Code::UnknownInstance), "{found:?}");
}

#[test]
fn an_entry_may_not_have_the_name_of_a_path_and_a_group_may() {
    for name in ["admin", "version", "phone-home", "network-config", "openapi.json", "meta-data", "compute.yaml"] {
        for folder in ["cloud-init", "cloud-init/secure"] {
            let (path, text) = (format!("{folder}/x.yaml"), format!("name: {name}\ncloud-init: {{}}\n"));
            let loaded = with(&[(&path, &text)]);
            assert!(
                codes(&loaded).contains(&Code::ReservedName) && loaded.inventory.is_none(),
                "{}",
                rendered(&loaded)
            );
        }
    }
    let loaded = with(&[("cloud-init/groups/x.yaml", &GROUP.replacen("compute", "admin", 1))]);
    assert!(!codes(&loaded).contains(&Code::ReservedName) && loaded.inventory.is_some(), "{}", rendered(&loaded));
}
