//! `kill -9` at any moment of `apply` leaves all or nothing; a boot script costs no database read; a log that nobody reads
//! any more stops nothing, nor does a file system that is read-only but for the state directory.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Cluster, Killed, Serving, get, send, tool, until};

/// What the plan says there is to do.
fn pending(cluster: &Cluster) -> u64 {
    let plan = cluster.run(&["plan", "--format", "json"]).expect(0);
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    plan["summary"]["writes"].as_u64().unwrap()
}

/// Enough nodes that a kill has something to tear apart.
fn enlarge(cluster: &Cluster, nodes: usize) {
    use std::fmt::Write as _;
    let mut text = String::from("nodes:\n");
    for n in 0..nodes {
        let (slot, cabinet) = (n % 64, 1000 + n / 64);
        let (high, low) = (n / 200, n % 200 + 1);
        write!(
            text,
            "- name: nid{n:05}\n  xname: x{cabinet}c0s{slot}b0n0\n  nid: {}\n  group: compute\n  bmc_mac: a4:bf:02:00:{:02x}:{:02x}\n  \
             bmc_ip: 172.20.{high}.{low}\n  interfaces:\n  - mac_addr: a4:bf:01:00:{:02x}:{:02x}\n    ip_addrs:\n    - name: other\n      \
             ip_addr: 172.18.{high}.{low}\n",
            n + 1, n >> 8, n & 255, n >> 8, n & 255,
        )
        .unwrap();
    }
    std::fs::write(cluster.inventory().join("nodes.yaml"), text).unwrap();
    // The example declares its one network; these nodes are on others.
    let path = cluster.inventory().join("cluster.yaml");
    let all = std::fs::read_to_string(&path).unwrap();
    let networks = all.find("\nnetworks:").unwrap();
    let end = all[networks + 1..].find("\n\n").map_or(all.len(), |end| networks + 1 + end);
    std::fs::write(&path, format!("{}{}", &all[..networks], &all[end..])).unwrap();
}

#[test]
fn a_kill_at_any_moment_of_apply_leaves_all_or_nothing() {
    let cluster = Cluster::demo();
    enlarge(&cluster, 600);
    let whole = pending(&cluster);
    assert!(whole > 3000, "{whole}");
    let mut unfinished = 0;
    let mut delay = Duration::from_millis(5);
    // Later and later kills, until an apply gets through: they fall before, into and after the transaction.
    loop {
        let mut child = cluster
            .command(&["apply", "--yes", "--quiet"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::park_timeout(delay);
        let finished = child.try_wait().unwrap().is_some_and(|status| status.success());
        child.kill().unwrap();
        child.wait().unwrap();
        let left = pending(&cluster);
        assert!(left == whole || left == 0, "{left} of {whole} writes are left after a kill at {delay:?}");
        if finished {
            assert_eq!(left, 0);
            break;
        }
        if left == 0 {
            // Durable although the process was killed before it could say so. The next kills start from nothing.
            std::fs::remove_dir_all(cluster.state()).unwrap();
        } else {
            unfinished += 1;
        }
        delay += delay / 4;
        assert!(delay < Duration::from_secs(60), "no apply got through");
    }
    assert!(unfinished > 3, "only {unfinished} applies were cut short");
}

#[test]
fn a_boot_script_reads_no_file_and_no_database() {
    if !tool("strace", &["-V"]) {
        return;
    }
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let serving = cluster.serve(&[]);
    let url = format!("{}/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc", serving.boot);
    let trace = cluster.path("trace");
    let mut strace = std::process::Command::new("strace")
        .args(["-f", "-q", "-e", "trace=open,openat,read,pread64,write,sendto,writev", "-o"])
        .arg(&trace)
        .args(["-p", &serving.child.0.id().to_string()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let read = || std::fs::read_to_string(&trace).unwrap_or_default();
    // The trace is on once a request shows up in it.
    until("the trace saw a request", || {
        assert!(get(&url).body.contains("kernel"));
        read().contains("#!ipxe").then_some(())
    });
    let start = read().len();
    for _ in 0..50 {
        assert!(get(&url).body.contains("kernel"));
    }
    until("the trace saw all requests", || (read()[start..].matches("#!ipxe").count() >= 50).then_some(()));
    let seen = read()[start..].to_owned();
    strace.kill().unwrap();
    strace.wait().unwrap();
    // The time of a boot is stored a while later, by threads that answer nobody.
    let thread = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    let answering: BTreeSet<String> = seen.lines().filter(|l| l.contains("#!ipxe")).map(thread).collect();
    let seen: Vec<&str> = seen.lines().filter(|line| answering.contains(&thread(line))).collect();
    let opened: Vec<&&str> = seen.iter().filter(|l| l.contains("openat(") || l.contains("open(")).collect();
    assert!(opened.is_empty(), "files were opened: {opened:#?}");
    let database: Vec<&&str> = seen.iter().filter(|l| l.contains("pread64(")).collect();
    assert!(database.is_empty(), "the database was read: {database:#?}");
}

#[test]
fn a_daemon_whose_log_nobody_reads_any_more_answers_and_ends_when_it_is_told_to() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let mut serve = cluster.command(&["serve", "-v", "--api", "http://127.0.0.1:0", "--boot", "127.0.0.1:0"]);
    let mut running = Killed(serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let child = &mut running.0;
    drop(child.stderr.take());
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let boot = ready.as_array().unwrap().iter().find(|listener| listener["role"] == "boot").unwrap();
    let script = get(&format!("{}/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc", boot["url"].as_str().unwrap()));
    assert!(script.body.contains("kernel"), "{script:?}");
    rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM).unwrap();
    let status = until("it has ended", || child.try_wait().unwrap());
    assert!(status.success(), "{status}");
}

/// Makes the working directory and the places for temporary files read-only, but for `state`, and runs what it is given.
const READ_ONLY: &str = r#"
set -e
cd "$(pwd -P)"
for dir in /tmp /var/tmp /usr/tmp .; do
    test -d $dir || continue
    mount --bind $dir $dir
    mount -o remount,bind,ro $dir
done
cd "$PWD"
mount --bind state state
mount -o remount,bind,rw state
for dir in /tmp /var/tmp .; do
    if touch $dir/$$ 2>/dev/null; then echo "$dir can be written" >&2; exit 1; fi
done
unset SQLITE_TMPDIR TMPDIR
exec "$@"
"#;

#[test]
fn a_daemon_that_can_write_nothing_but_its_state_stores_a_large_load() {
    if !tool("unshare", &["--mount", "true"]) {
        return;
    }
    let cluster = Cluster::demo();
    std::fs::create_dir(cluster.state()).unwrap();
    let serve = cluster.command(&["serve", "--api", "http://127.0.0.1:0", "--boot", "127.0.0.1:0", "--auth", "none"]);
    let mut confined = std::process::Command::new("unshare");
    confined.args(["--mount", "sh", "-c", READ_ONLY, "sh"]).arg(serve.get_program()).args(serve.get_args());
    confined.current_dir(cluster.dir.path()).env("OCHAMI_SYNC_STATE", cluster.state()).env("OCHAMI_SYNC_INSECURE", "1");
    let serving = Serving::start(confined);
    let smd = format!("{}/hsm/v2/State/Components", serving.api);
    let ids: Vec<String> =
        (0..20_000).map(|n| format!("x{}c{}s{}b0n{}", 1000 + n / 256, n / 32 % 8, n / 2 % 16, n % 2)).collect();
    let components: Vec<serde_json::Value> =
        ids.iter().map(|id| serde_json::json!({"ID": id, "State": "On", "Role": "Compute"})).collect();
    let body = serde_json::json!({ "Components": components }).to_string();
    let created = send("POST", &smd, &[], Some(&body));
    assert_eq!(created.status, 204, "{created:?}\n{}", serving.log());
    let body = serde_json::json!({"ComponentIDs": ids, "State": "Off"}).to_string();
    let patched = send("PATCH", &format!("{smd}/BulkStateData"), &[], Some(&body));
    assert_eq!(patched.status, 204, "{patched:?}\n{}", serving.log());
    let off = get(&format!("{smd}?state=off&type=Node")).json();
    assert_eq!(off["Components"].as_array().unwrap().len(), ids.len());
    serving.stop();
}
