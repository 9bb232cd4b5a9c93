//! No file, whatever is in it, makes loading panic.

use std::fs;

use proptest::prelude::*;

use super::{Severity, demo, load, render, rendered};

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

/// Somebody may write a secret into a secure entry instead of referring to it. No mistake beside it shows it.
#[test]
fn the_text_of_a_secure_entry_is_never_shown() {
    let entry = |userdata: &str| format!("name: compute\ntemplate: jinja\ncloud-init:\n  userdata:\n{userdata}");
    for text in [
        entry("    write_files: [{path: /a, encoding: base64, content: 'SENTINEL!', permissions: 0400}]\n"),
        entry("    password: \"SENTINEL\n"),
        entry("    password: 'SENTINEL' SENTINEL\n"),
        entry("    password\n      SENTINEL: x\n"),
        entry("    SENTINEL\n"),
        entry("    password: {{ SENTINEL }}\n"),
        entry("    password: *SENTINEL\n"),
        entry("    runcmd:\n      - echo: SENTINEL\n       SENTINEL: x\n"),
        entry("    write_files: [{path: /a, encoding: SENTINEL, content: a}]\n"),
        entry("    password: \"\\SENTINEL\"\n"),
        entry("    password: [SENTINEL\n"),
        entry("    password: '{{ SENTINEL }'\n"),
        entry("    password: {$secret: SENTINEL}\n"),
        entry("   \tpassword: SENTINEL\n"),
        entry("    password: !SENTINEL_TAG x\n").replace("SENTINEL_TAG", "vault"),
        entry("    password: 98765432198765432198765\n"),
        entry("    password: 07654321\n"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("cloud-init/secure")).unwrap();
        for name in &FILES[..3] {
            fs::copy(demo().join(name), directory.path().join(name)).unwrap();
        }
        fs::write(directory.path().join(FILES[3]), &text).unwrap();
        let loaded = load(directory.path());
        assert!(loaded.diagnostics.len() > 2, "{text}: {}", rendered(&loaded));
        for output in [rendered(&loaded), render::json(&loaded.diagnostics, ""), format!("{loaded:?}")] {
            assert!(!output.contains("SENTINEL") && !output.contains("7654321"), "{text}: {output}");
        }
    }
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
