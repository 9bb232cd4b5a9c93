//! The bytes of a secret are nowhere but in the answer of the secure store.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Cluster, MUNGE_KEY, get, send, until};

/// The texts under which the secret could show itself: plain, base64 in every alignment, hexadecimal.
fn spellings() -> Vec<Vec<u8>> {
    let readable = &MUNGE_KEY[..MUNGE_KEY.iter().position(|b| *b == 0).unwrap()];
    let mut all = vec![readable.to_vec(), readable.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect()];
    for skip in 0..3 {
        let whole = STANDARD.encode(&MUNGE_KEY[skip..]);
        // The last characters depend on what follows, the rest does not.
        all.push(whole.as_bytes()[..whole.len() - 8].to_vec());
    }
    all
}

#[track_caller]
fn assert_absent(bytes: &[u8], place: &str) {
    for spelling in spellings() {
        let found = bytes.windows(spelling.len()).any(|window| window == spelling);
        assert!(!found, "the secret is in {place}");
    }
}

fn assert_absent_below(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_absent_below(&path);
        } else if path.metadata().unwrap().is_file() {
            assert_absent(&fs::read(&path).unwrap(), &path.display().to_string());
        }
    }
}

#[test]
fn a_secret_is_in_no_log_no_plan_no_state_file_and_no_error() {
    let cluster = Cluster::demo();
    let mut said = Vec::new();
    let mut run = |args: &[&str]| {
        let finished = cluster.run_with(args, &[("RUST_LOG", "trace")]);
        said.push((format!("{args:?}"), finished.stdout + &finished.stderr));
    };
    run(&["validate"]);
    run(&["plan"]);
    run(&["plan", "--format", "json", "--expand"]);
    run(&["apply", "--yes", "--format", "json"]);
    let serving = cluster.serve_with(&["-i", "inventory", "--apply", "-vv"], &[("RUST_LOG", "trace")]);
    until("the daemon is in sync", || serving.log().contains("in sync").then_some(()));
    // The entry is read, replaced by another client, broken in every way, and put back.
    let bearer = format!("Bearer {}", cluster.run(&["token"]).expect(0).stdout.trim());
    let headers = [("authorization", bearer.as_str())];
    let url = format!("{}/cloud-init-secure/compute", serving.api);
    let user_data = send("GET", &format!("{url}/user-data"), &headers, None);
    let yaml_wrapped = user_data.body.replace(['\n', ' '], "");
    assert!(yaml_wrapped.contains(&STANDARD.encode(MUNGE_KEY)), "the node cannot get its secret");
    let stored = send("GET", &url, &headers, None).body;
    for body in [&stored[..stored.len() - 3], &stored.replace("\"userdata\":", "\"userdata\":[], \"x\":")] {
        let refused = send("PUT", &url, &headers, Some(body));
        assert_absent(refused.body.as_bytes(), "an error of the secure store");
    }
    assert_eq!(
        send("PUT", &url, &headers, Some(r#"{"name":"compute","cloud-init":{"userdata":{"a":1}}}"#)).status,
        200
    );
    let drift = cluster.run(&["plan"]).expect(0).stdout;
    assert!(drift.contains("compute"), "{drift}");
    assert_absent(drift.as_bytes(), "the plan with drift");
    let json = cluster.run(&["plan", "--format", "json"]).expect(0).stdout;
    assert_absent(json.as_bytes(), "the plan with drift as JSON");
    cluster.run(&["apply", "--yes"]).expect(0);
    for listener in [&serving.api, &serving.boot, &serving.metrics] {
        for path in
            ["/metrics", "/health", "/ready", "/cloud-init", "/cloud-init/compute", "/cloud-init-secure/compute"]
        {
            assert_absent(get(&format!("{listener}{path}")).body.as_bytes(), path);
        }
    }
    fs::write(cluster.path("secrets/munge.key"), b"").unwrap();
    run(&["plan"]);
    fs::write(cluster.path("secrets/munge.key"), MUNGE_KEY).unwrap();
    let log = serving.stop();
    assert!(log.len() > 1000, "the daemon logged nothing:\n{log}");
    assert_absent(log.as_bytes(), "the daemon's log");
    for (what, text) in said {
        assert_absent(text.as_bytes(), &what);
    }
    assert_absent_below(&cluster.state());
}

#[test]
fn the_state_directory_and_its_keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::demo();
    let serving = cluster.serve(&[]);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cluster.state()), 0o700);
    let mut keys = 0;
    for entry in fs::read_dir(cluster.state()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{} is open to others", path.display());
        keys += usize::from(path.extension().is_some_and(|e| e == "key"));
    }
    assert!(keys >= 2, "found {keys} keys");
    drop(serving);
}

/// Stores two secure entries beside the inventory's own: one that the inventory holds a secret for, and one of a client.
fn with_a_foreign_entry(cluster: &Cluster) {
    cluster.run(&["apply", "--yes"]).expect(0);
    let serving = cluster.serve(&[]);
    let bearer = format!("Bearer {}", cluster.run(&["token"]).expect(0).stdout.trim());
    let body = r#"{"name":"login","cloud-init":{"userdata":{"a":1}}}"#;
    let url = format!("{}/cloud-init-secure", serving.api);
    let stored = send("POST", &url, &[("authorization", &bearer)], Some(body));
    assert!(stored.status < 300, "{} {}", stored.status, stored.body);
    serving.stop();
}

/// Puts a new key in the place of the one that everything is encrypted with.
fn replace_key(cluster: &Cluster) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = cluster.state().join("secrets.key");
    fs::write(&path, STANDARD.encode([7; 32])).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn after_the_loss_of_the_key_apply_writes_anew_what_the_inventory_holds() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let key = cluster.state().join("secrets.key");
    fs::remove_file(&key).unwrap();
    // Without any key nothing can be encrypted: the file is named, and the command that makes one.
    let refused = cluster.run(&["apply", "--yes"]).expect(4);
    for word in [&*key.display().to_string(), "cloud-init-secure/compute", "base64 > ", "is missing"] {
        assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
    }
    replace_key(&cluster);
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("compute") && !plan.contains("refused"), "{plan}");
    cluster.run(&["apply", "--yes"]).expect(0);
    assert!(cluster.run(&["plan"]).expect(0).stdout.contains("in sync"));
    let serving = cluster.serve(&[]);
    assert_eq!(get(&format!("{}/ready", serving.boot)).json()["status"], "ready");
    let bearer = format!("Bearer {}", cluster.run(&["token"]).expect(0).stdout.trim());
    let url = format!("{}/cloud-init-secure/compute/user-data", serving.api);
    let user_data = send("GET", &url, &[("authorization", &bearer)], None).body.replace(['\n', ' '], "");
    assert!(user_data.contains(&STANDARD.encode(MUNGE_KEY)));
}

#[test]
fn the_daemon_writes_lost_secrets_anew_by_itself_and_serves_meanwhile() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    replace_key(&cluster);
    let serving = cluster.serve(&["-i", "inventory", "--apply"]);
    assert!(get(&format!("{}/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc", serving.boot)).body.contains("kernel"));
    until("the daemon was ready", || {
        let ready = get(&format!("{}/ready", serving.boot)).json();
        (ready["status"] == "ready" && serving.log().contains("applied: ")).then_some(())
    });
    assert!(cluster.run(&["plan"]).expect(0).stdout.contains("in sync"));
}

#[test]
fn what_is_lost_for_good_is_named_and_goes_only_when_it_is_given_up() {
    let cluster = Cluster::demo();
    with_a_foreign_entry(&cluster);
    replace_key(&cluster);
    let serving = cluster.serve(&[]);
    let ready = get(&format!("{}/ready", serving.boot)).body;
    assert!(ready.contains("cloud-init-secure/login") && ready.contains("secrets.key"), "{ready}");
    for verb in ["plan", "apply"] {
        let words: &[&str] = if verb == "apply" { &["apply", "--yes"] } else { &["plan"] };
        let finished = cluster.run(words).expect(4);
        let said = finished.stdout + &finished.stderr;
        for word in ["cloud-init-secure/login", "secrets.key", "--give-up-unreadable"] {
            assert!(said.contains(word), "{verb} {word}: {said}");
        }
        assert!(!said.contains("cloud-init-secure/compute cannot"), "the inventory holds that one: {said}");
    }
    // The plan shows what giving up deletes, and counts it.
    let plan = cluster.run(&["plan", "--give-up-unreadable", "--format", "json"]).expect(0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!((&plan["summary"]["delete"], &plan["safety"]["ok"]), (&1.into(), &true.into()), "{plan}");
    let text = cluster.run(&["plan", "--give-up-unreadable"]).expect(0).stdout;
    assert!(text.contains("delete") && text.contains("login"), "{text}");
    cluster.run(&["apply", "--yes", "--give-up-unreadable"]).expect(0);
    until("the daemon was ready", || {
        (get(&format!("{}/ready", serving.boot)).json()["status"] == "ready").then_some(())
    });
    assert!(cluster.run(&["plan"]).expect(0).stdout.contains("in sync"));
    serving.stop();
    let serving = cluster.serve(&[]);
    assert_eq!(get(&format!("{}/ready", serving.boot)).json()["status"], "ready", "and after a restart");
}
