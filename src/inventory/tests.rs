//! The room as a whole: trees of files in, diagnostics out.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::explain::{self, Content, File};
use super::{Code, Loaded, Severity, load, render};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn demo() -> PathBuf {
    root().join("inventory")
}

/// Writes files into a directory, those of later lists over those of earlier ones.
fn write(directory: &Path, files: &[File]) {
    for file in files {
        let path = directory.join(file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        match file.content {
            Content::Absent => {}
            Content::Directory => fs::create_dir_all(path).unwrap(),
            Content::Text(text) => {
                let text = text.replace('→', "\t");
                let bytes: Vec<Vec<u8>> = text.split('�').map(|part| part.as_bytes().to_vec()).collect();
                fs::write(path, bytes.join(&0xff)).unwrap();
            }
        }
    }
}

fn rendered(loaded: &Loaded) -> String {
    render::text(&loaded.diagnostics, &loaded.sources, "inventory", false)
}

fn codes(loaded: &Loaded) -> Vec<Code> {
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// Loads the base example of the explanations with one file changed.
fn load_with(path: &'static str, bytes: &[u8]) -> Loaded {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &explain::files(explain::BASE));
    fs::write(directory.path().join(path), bytes).unwrap();
    load(directory.path())
}

/// Code and place of the first diagnostic.
fn first(path: &'static str, text: &str) -> (Code, u32, u32) {
    let loaded = load_with(path, text.as_bytes());
    let diagnostic = loaded.diagnostics.first().unwrap_or_else(|| panic!("no diagnostics for {text:?}"));
    let place = diagnostic.place.as_ref().unwrap();
    (diagnostic.code, place.line, place.column)
}

/// Every folder of `tests/fixtures/inventory` is an inventory with the text that `validate` prints for it in
/// `expected.txt`. With `UPDATE_EXPECTED` in the environment the texts are written instead of compared.
#[test]
fn fixtures_are_diagnosed_as_expected() {
    let mut cases: Vec<_> =
        fs::read_dir(root().join("tests/fixtures/inventory")).unwrap().map(|c| c.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let (loaded, path) = (load(&case), case.join("expected.txt"));
        let found = rendered(&loaded);
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&path).unwrap(), "{}", case.display());
        assert_eq!(loaded.inventory.is_none(), loaded.count(Severity::Error) > 0, "{}", case.display());
    }
}

#[test]
fn every_code_is_explained_by_examples_that_show_it() {
    let mut failures = Vec::new();
    for code in Code::ALL {
        let Some(page) = explain::page(code.as_str()) else {
            failures.push(format!("{code} has no page"));
            continue;
        };
        let run = |files: &[File]| {
            let directory = tempfile::tempdir().unwrap();
            write(directory.path(), &explain::files(explain::BASE));
            write(directory.path(), files);
            load(directory.path())
        };
        let (wrong, right) = (run(&page.wrong), run(&page.right));
        if !codes(&wrong).contains(code) {
            failures.push(format!("{code}: the wrong example gives\n{}", rendered(&wrong)));
        }
        if codes(&right).contains(code) || right.inventory.is_none() {
            failures.push(format!("{code}: the right example gives\n{}", rendered(&right)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(explain::all().len(), Code::ALL.len());
    assert!(explain::all().iter().all(|page| !page.text.is_empty()));
}

#[test]
fn the_demo_inventory_is_the_tutorials_cluster() {
    let loaded = load(&demo());
    assert_eq!(codes(&loaded), [Code::LocalMac, Code::LocalMac], "{}", rendered(&loaded));
    let inventory = loaded.inventory.unwrap();
    assert_eq!(inventory.nodes.len(), 9);
    let node = &inventory.nodes[0];
    assert_eq!((&*node.name, node.xname.as_str(), node.nid.0), ("nid001", "x1000c1s7b1n0", 1));
    let boot = node.boot.as_ref().unwrap();
    let base = "http://172.16.0.254:8080/openchami/compute-slurm/latest";
    let version = "4.18.0-553.27.1.el8_10.x86_64";
    assert_eq!(*boot.kernel, *format!("{base}/vmlinuz-{version}"));
    assert_eq!(*boot.initrd, *format!("{base}/initramfs-{version}.img"));
    assert_eq!(
        *boot.params,
        *format!(
            "root=live:{base}/rootfs-{version} ochami_ci_url=http://172.16.0.254:8081/cloud-init/ \
             ochami_ci_url_secure=http://172.16.0.254:8081/cloud-init-secure/ overlayroot=tmpfs \
             overlayroot_cfgdisk=disabled nomodeset ro ip=dhcp apparmor=0 selinux=0 console=ttyS0,115200 ip6=off \
             network-config=disabled rd.shell"
        )
    );
    assert_eq!(boot.origin.to_string(), "cluster.yaml:14");
    assert_eq!((node.origin.line, node.origin.end_line), (9, 19));
    let last = &inventory.nodes[8];
    assert_eq!(last.interfaces[0].mac.to_string(), "ec:e7:a7:05:9f:50");
    assert_eq!(last.bmc.as_ref().unwrap().ip.unwrap().to_string(), "172.16.0.109");
    let secret = super::secrets::references(&inventory.cloud_init_secure[0].userdata);
    assert_eq!(secret.len(), 1);
    assert_eq!(inventory.cloud_init[0].metadata, serde_json::json!({"instance-id": "ochami-compute"}));
}

#[test]
fn syntax_errors_point_at_the_mistake() {
    let mut failures = Vec::new();
    use Code::{Indentation, MissingColon, Syntax, Tab, UnclosedBracket, UnclosedQuote};
    for (text, expected) in [
        // A quote left open, closed by a later quote, by none, and in a list.
        ("nodes:\n- name: \"nid001\n  xname: x1\n", (UnclosedQuote, 2, 9)),
        ("nodes:\n- name: 'nid001\n  xname: x1\n- name: 'nid002'\n", (UnclosedQuote, 2, 9)),
        ("nodes:\n- name: \"nid001\n  xname: \"x1\"\n  nid: 1\n", (UnclosedQuote, 2, 9)),
        ("nodes:\n- groups: ['a, 'b']\n  nid: 1\n", (Syntax, 2, 17)),
        // Indentation.
        ("nodes:\n  - name: a\n   xname: b\n", (Indentation, 3, 4)),
        ("nodes:\n  - name: a\n     xname: b\n", (Indentation, 3, 6)),
        ("nodes:\n  - name: a\n - name: b\n", (Indentation, 3, 2)),
        (
            "nodes:\n- name: a\n  interfaces:\n  - mac_addr: b\n    ip_addrs:\n    - name: m\n     ip_addr: c\n",
            (Indentation, 7, 6),
        ),
        ("nodes:\n- name: a\nname: b\n  xname: c\n", (Indentation, 4, 3)),
        // Tabs.
        ("nodes:\n\t- name: a\n", (Tab, 2, 1)),
        ("nodes:\n- name: a\n\txname: b\n", (Tab, 3, 1)),
        ("nodes:\n- name: a\n  interfaces:\n  \t- mac_addr: b\n", (Tab, 4, 3)),
        // Files that were cut off.
        ("nodes:\n- name: a\n  xna", (MissingColon, 3, 3)),
        ("nodes:\n- name: a\n  groups: [compute, lo", (UnclosedBracket, 3, 11)),
        ("nodes:\n- name: a\n  interfaces:\n  - {mac_addr: b, ip_addrs: [", (UnclosedBracket, 4, 29)),
        ("nodes:\n- name: \"a", (UnclosedQuote, 2, 9)),
        // Brackets.
        ("nodes:\n- groups: [compute, login\n  nid: 1\n- name: b\n", (UnclosedBracket, 2, 11)),
        ("nodes:\n- groups: compute]\n  nid: 1\n", (Code::MissingField, 2, 3)),
        // Others.
        ("nodes:\n- name: a: b\n", (Syntax, 2, 10)),
        ("nodes:\n- name: 'a'b\n", (Syntax, 2, 12)),
        ("nodes:\n- name a\n  xname: b\n", (MissingColon, 2, 3)),
        ("nodes:\n- name:a\n  xname: b\n", (MissingColon, 2, 3)),
        ("nodes:\n- *other\n", (Syntax, 2, 3)),
        ("nodes: &a\n- *a\n", (Syntax, 2, 3)),
    ] {
        let found = first("nodes.yaml", text);
        if found != expected {
            failures.push(format!("{text:?}: {found:?}, not {expected:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let text = fs::read_to_string(demo().join("nodes.yaml")).unwrap();
    let plain = load_with("nodes.yaml", text.as_bytes());
    let other = load_with("nodes.yaml", format!("\u{feff}{}", text.replace('\n', "\r\n")).as_bytes());
    assert_eq!(codes(&plain), codes(&other));
    assert_eq!(plain.inventory.unwrap().nodes.len(), other.inventory.unwrap().nodes.len());
    let places = |loaded: &Loaded| {
        loaded.diagnostics.iter().map(|d| d.place.clone().map(|p| (p.line, p.column))).collect::<Vec<_>>()
    };
    assert_eq!(
        places(&load_with("nodes.yaml", text.as_bytes())),
        places(&load_with("nodes.yaml", text.replace('\n', "\r\n").as_bytes()))
    );
}

#[test]
fn aliases_cannot_blow_up() {
    let mut text = String::from("name: compute\ncloud-init:\n  metadata:\n    a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let references = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("    a{level}: &a{level} [{references}]\n"));
    }
    assert_eq!(first("cloud-init/compute.yaml", &text).0, Code::TooLarge);
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = "name: compute\ncloud-init:\n  metadata:\n    base: &base {a: 1, b: 2}\n    both: {<<: *base, b: 3}\n";
    let loaded = load_with("cloud-init/compute.yaml", text.as_bytes());
    let inventory = loaded.inventory.unwrap();
    assert_eq!(inventory.cloud_init[0].metadata["both"], serde_json::json!({"a": 1, "b": 3}));
}

#[test]
fn one_bad_node_hides_no_problem_of_another() {
    let text = "nodes:\n- junk\n- {name: a_b, xname: x1, nid: x, interfaces: [{mac_addr: z}]}\n- {name: c, name: d}\n";
    let loaded = load_with("nodes.yaml", text.as_bytes());
    for code in [
        Code::WrongType,
        Code::HostName,
        Code::Xname,
        Code::Nid,
        Code::MacAddress,
        Code::DuplicateKey,
        Code::MissingField,
    ] {
        assert!(codes(&loaded).contains(&code), "{code}: {}", rendered(&loaded));
    }
}

#[test]
fn equal_trees_have_equal_hashes() {
    let (one, same) = (load(&demo()), load(&demo()));
    assert_eq!(one.hash, same.hash);
    assert_eq!(one.hash.len(), 64);
    assert_ne!(one.hash, load_with("cluster.yaml", b"").hash);
}

#[test]
fn an_absent_directory_is_a_diagnostic() {
    let loaded = load(Path::new("absent/inventory"));
    assert_eq!(codes(&loaded), [Code::MissingFile]);
    assert!(rendered(&loaded).contains("inventory directory cannot be read"));
    assert!(render::json(&loaded.diagnostics, "x").contains("\"file\": null"));
}

#[test]
fn the_json_document_has_the_promised_fields() {
    let loaded = load_with("cluster.yaml", b"cluster_name: demo\ncluster_boot_ip: 10.0.0.300\n");
    let document: serde_json::Value = serde_json::from_str(&render::json(&loaded.diagnostics, "inventory/")).unwrap();
    assert_eq!(document["format"], "ochami-sync/diagnostics");
    assert_eq!(document["format_version"], "1.0");
    let row = &document["diagnostics"][1];
    assert_eq!(
        *row,
        serde_json::json!({"code": "OS0203", "severity": "error", "file": "inventory/cluster.yaml", "line": 2, "column": 18,
            "end_line": 2, "end_column": 28, "node": null, "message": "`10.0.0.300` is not an IP address of an interface",
            "help": "four numbers from 0 to 255 without leading zeros, as `172.16.0.1`"})
    );
}

const FILES: [&str; 4] = ["nodes.yaml", "cluster.yaml", "cloud-init/compute.yaml", "cloud-init/secure/compute.yaml"];

/// Loads the demo with one file replaced and renders everything.
fn exercise(file: usize, bytes: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("cloud-init/secure")).unwrap();
    for (index, name) in FILES.iter().enumerate() {
        let content = if index == file { bytes.to_vec() } else { fs::read(demo().join(name)).unwrap() };
        fs::write(directory.path().join(name), content).unwrap();
    }
    let loaded = load(directory.path());
    assert!(render::text(&loaded.diagnostics, &loaded.sources, "", true).contains(" in "));
    assert!(serde_json::from_str::<serde_json::Value>(&render::json(&loaded.diagnostics, "")).is_ok());
    let errors = loaded.count(Severity::Error) > 0;
    assert_eq!(loaded.inventory.is_none(), errors, "{}", rendered(&loaded));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_in_any_file_panic(file in 0..FILES.len(), bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        exercise(file, &bytes);
    }

    #[test]
    fn no_text_in_any_file_panics(file in 0..FILES.len(), text in "[a-z:\\-{}\\[\\]\"'&*!|>%@`#,?~0-9é\t\r\n $]{0,200}") {
        exercise(file, text.as_bytes());
    }

    #[test]
    fn mutations_of_the_demo_do_not_panic(
        file in 0..FILES.len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), "[\"'\\[\\]{}:&*!|>#\\-\t\n éx0<]{0,4}", 0_usize..6), 1..4),
    ) {
        let mut text: Vec<char> = fs::read_to_string(demo().join(FILES[file])).unwrap().chars().collect();
        for (at, insert, remove) in edits {
            let at = at.index(text.len());
            let end = (at + remove).min(text.len());
            text.splice(at..end, insert.chars());
        }
        exercise(file, text.into_iter().collect::<String>().as_bytes());
    }
}
