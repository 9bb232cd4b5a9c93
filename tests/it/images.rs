//! `--images`: whether what the inventory names is there, and what is; and how they are served.

mod serving;

use crate::support::Cluster;

const VERSION: &str = "4.18.0-553.27.1.el8_10.x86_64";

/// The example cluster with the image that it boots; the rootfs of this version.
fn cluster(rootfs: &str) -> Cluster {
    let cluster = Cluster::demo();
    let image = cluster.path("images/openchami/compute-slurm/latest");
    std::fs::create_dir_all(&image).unwrap();
    for name in [format!("vmlinuz-{VERSION}"), format!("initramfs-{VERSION}.img"), format!("rootfs-{rootfs}")] {
        std::fs::write(image.join(name), "x".repeat(2048)).unwrap();
    }
    cluster
}

#[test]
fn validate_plan_and_apply_pass_when_every_file_is_there() {
    let cluster = cluster(VERSION);
    let validated = cluster.run(&["validate", "--images", "images"]).expect(0);
    assert!(validated.stdout.contains("inventory is valid: 9 nodes"), "{}", validated.stdout);
    cluster.run(&["plan", "--images", "images"]).expect(0);
    cluster.run(&["apply", "--yes", "--images", "images"]).expect(0);
}

#[test]
fn a_file_that_is_missing_is_told_with_its_line_and_a_near_name() {
    let cluster = cluster("4.18.0-553.30.1.el8_10.x86_64");
    for verb in [&["validate"][..], &["plan"], &["apply", "--yes"]] {
        let finished = cluster.run(&[verb, &["--images", "images"]].concat()).expect(3);
        let told = &finished.stderr;
        assert!(!finished.stdout.contains("is valid"), "{}", finished.stdout);
        if verb == ["validate"] {
            let told = &finished.stdout;
            assert!(told.contains("inventory/cluster.yaml:13") && told.contains("OS0608"), "{told}");
            assert!(!told.contains("0 errors") && finished.stderr.is_empty(), "{told}{}", finished.stderr);
            continue;
        }
        assert!(told.contains("inventory/cluster.yaml:13: the rootfs"), "{told}");
        assert!(
            told.contains(
                "of 9 nodes is not there below images; there is `openchami/compute-slurm/latest/rootfs-4.18.0-553.30.1"
            ),
            "{told}"
        );
    }
}

#[test]
fn a_file_that_is_missing_is_a_diagnostic_for_programs() {
    let cluster = cluster("4.18.0-553.30.1.el8_10.x86_64");
    for verb in ["validate", "plan", "apply"] {
        let finished = cluster.run(&["--format", "json", verb, "--images", "images"]).expect(3);
        let told: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(told["format"], "ochami-sync/diagnostics", "{verb}");
        let rows = told["diagnostics"].as_array().unwrap();
        let row = rows.iter().find(|row| row["code"] == "OS0608").unwrap_or_else(|| panic!("{verb}: {told}"));
        assert_eq!((&row["file"], &row["line"]), (&"inventory/cluster.yaml".into(), &13.into()), "{verb}");
        assert_eq!(row["severity"], "error");
        let help = row["help"].as_str().unwrap();
        assert_eq!(help, "there is `openchami/compute-slurm/latest/rootfs-4.18.0-553.30.1.el8_10.x86_64`");
        assert!(finished.stderr.is_empty() || verb != "validate", "{}", finished.stderr);
    }
}

#[test]
fn images_are_listed_with_users_and_what_does_not_fit() {
    let cluster = cluster("5.2");
    let listed = cluster.run(&["images", "list", "--images", "images"]).expect(0).stdout;
    assert!(listed.starts_with("IMAGE "), "{listed}");
    assert!(listed.contains("openchami/compute-slurm/latest    6.0 KiB       9  "), "{listed}");
    assert!(listed.contains("warning: rootfs 5.2 has no kernel of its version"), "{listed}");
    let json = cluster.run(&["--format", "json", "images", "list", "--images", "images"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json[0]["nodes"], &json[0]["bytes"]), (&9.into(), &6144.into()));
    assert!(listed.contains("\n  compute: nid[001-009]\n"), "{listed}");
    assert_eq!(json[0]["users"][0]["groups"], serde_json::json!(["compute"]));
    assert_eq!(json[0]["users"][0]["nodes"].as_array().map(Vec::len), Some(9), "{json}");
    let finished = cluster.run(&["images", "list", "--images", "nowhere"]).expect(1);
    assert!(finished.stderr.contains("nowhere cannot be read"), "{}", finished.stderr);
}
