//! The room as a whole: trees of files in, diagnostics out.

mod dhcp;
mod meaning;
mod mistakes;
mod robustness;
mod slips;
mod syntax;
mod todays;

use std::fs;
use std::path::{Path, PathBuf};

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
            Content::Link => std::os::unix::fs::symlink(demo().join(file.path), path).unwrap(),
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
        for problem in &loaded.diagnostics {
            assert!(problem.help.is_some(), "{}: no help with `{}`", case.display(), problem.message);
        }
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
            let mut loaded = load(directory.path());
            // What is among the images is looked at on request only, by whoever has the directory.
            if *code == Code::MissingImage {
                let missing = crate::images::diagnostics(&loaded, &directory.path().join("images"));
                loaded.diagnostics.extend(missing);
            }
            loaded
        };
        let (wrong, right) = (run(&page.wrong), run(&page.right));
        if !codes(&wrong).contains(code) {
            failures.push(format!("{code}: the wrong example gives\n{}", rendered(&wrong)));
        }
        let helpless = |d: &&crate::inventory::Diagnostic| d.help.as_ref().is_none_or(|help| help.trim().is_empty());
        if let Some(problem) = wrong.diagnostics.iter().find(helpless) {
            failures.push(format!("{code}: no help with `{}` ({})", problem.message, problem.code));
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
fn what_a_link_leads_to_outside_of_the_inventory_is_not_quoted() {
    let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(directory.path(), &explain::files(explain::BASE));
    fs::create_dir_all(directory.path().join("cloud-init")).unwrap();
    fs::write(elsewhere.path().join("passwords"), "root SENTINEL\nname: 'x\n").unwrap();
    let link = directory.path().join("cloud-init/compute.yaml");
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(elsewhere.path().join("passwords"), link).unwrap();
    let loaded = load(directory.path());
    let text = rendered(&loaded);
    assert!(codes(&loaded).contains(&Code::LinkOutside) && loaded.count(Severity::Error) > 0, "{text}");
    assert!(!text.contains("SENTINEL") && text.contains("inventory/cloud-init/compute.yaml:1"), "{text}");
}

#[test]
fn a_wrong_router_is_told_once() {
    let cluster = "cluster_name: demo\ncluster_boot_ip: 172.16.0.254\nbss_kernel_version: 4.18.0\n\
                   bss_image_version: compute/latest\n\
                   networks: [{name: management, subnet: 172.16.0.0/24, router: 172.16.0.300}]\n";
    let loaded = load_with("cluster.yaml", cluster.as_bytes());
    let told = loaded.diagnostics.iter().filter(|problem| problem.code == Code::IpAddress).count();
    assert_eq!(told, 1, "{}", rendered(&loaded));
}

#[test]
fn an_ipv6_address_is_not_in_a_network_with_an_ipv4_subnet() {
    for (network, sound) in [("management", false), ("other", true)] {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &explain::files(explain::BASE));
        let nodes = format!(
            "nodes:\n- name: nid001\n  xname: x1c0s0b0n0\n  nid: 1\n  interfaces:\n  - mac_addr: ec:e7:a7:05:a1:fc\n    \
             ip_addrs: [{{name: {network}, ip_addr: '2001:db8::2'}}]\n"
        );
        fs::write(directory.path().join("nodes.yaml"), nodes).unwrap();
        let cluster = "cluster_name: demo\ncluster_boot_ip: 172.16.0.254\nbss_kernel_version: 4.18.0\n\
                       bss_image_version: compute/latest\nnetworks: [{name: management, subnet: 172.16.0.0/24}]\n";
        fs::write(directory.path().join("cluster.yaml"), cluster).unwrap();
        let loaded = load(directory.path());
        assert_eq!(!codes(&loaded).contains(&Code::OutsideSubnet), sound, "{network}: {}", rendered(&loaded));
    }
}

#[test]
fn an_absent_directory_is_a_diagnostic() {
    let loaded = load(Path::new("absent/inventory"));
    assert_eq!(codes(&loaded), [Code::MissingFile]);
    assert!(rendered(&loaded).contains("inventory directory cannot be read"));
    assert!(render::json(&loaded.diagnostics, "absent/inventory").contains("\"file\": \"absent/inventory\""));
}

#[test]
fn the_json_document_names_both_places_of_what_is_there_twice() {
    let nodes = "nodes:\n  - {name: a, xname: x1c0s0b0n0, nid: 1, interfaces: [{mac_addr: 'ec:e7:a7:05:a1:fc'}]}\n  \
                 - {name: b, xname: x1c0s0b0n0, nid: 2, interfaces: [{mac_addr: 'ec:e7:a7:05:a1:fd'}]}\n";
    let loaded = load_with("nodes.yaml", nodes.as_bytes());
    let document: serde_json::Value = serde_json::from_str(&render::json(&loaded.diagnostics, "inventory")).unwrap();
    let rows = document["diagnostics"].as_array().unwrap();
    let row = rows.iter().find(|row| row["code"] == "OS0401").unwrap();
    let message = "the xname `x1c0s0b0n0` is used twice (first used by node `a` at inventory/nodes.yaml:2:22)";
    assert_eq!((row["line"].as_u64(), row["message"].as_str()), (Some(3), Some(message)));
}

#[test]
fn an_xname_is_the_whole_text_and_nothing_around_it() {
    for (xname, sound) in
        [("x1c0s0b0n0", true), ("X01C0S0B0N0", true), (" x1c0s0b0n0", false), ("x1c0s0b0n0\\n", false)]
    {
        let nodes = format!(
            "nodes:\n  - {{name: a, xname: \"{xname}\", nid: 1, interfaces: [{{mac_addr: 'ec:e7:a7:05:a1:fc'}}]}}\n"
        );
        let loaded = load_with("nodes.yaml", nodes.as_bytes());
        assert_eq!(!codes(&loaded).contains(&Code::Xname), sound, "{xname:?}: {}", rendered(&loaded));
    }
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
