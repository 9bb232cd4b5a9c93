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
