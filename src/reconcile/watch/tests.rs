//! What the watcher tells of tries that fail, and when it tries again.

use std::sync::Mutex;

use super::*;
use crate::store::Store;

const TIMING: Timing = Timing {
    quiet: Duration::from_millis(10),
    ceiling: Duration::from_millis(50),
    rescan: Duration::from_secs(60),
    retry: Duration::from_secs(2),
    retry_most: Duration::from_secs(5),
};

fn words(event: Event) -> String {
    match event {
        Event::Loaded { .. } => "loaded".to_owned(),
        Event::Invalid { .. } => "invalid".to_owned(),
        Event::Planned(plan) => format!("planned {}", plan.summary.writes > 0),
        Event::Applied(_) => "applied".to_owned(),
        Event::Failed(error) => error.to_string(),
        Event::Again(event) => format!("again {}", words(*event)),
    }
}

/// A watcher of a small inventory, whose loads happen when they are asked for.
struct Watcher {
    directory: tempfile::TempDir,
    reconciler: Reconciler,
    state: State,
    told: Mutex<Vec<String>>,
}

impl Watcher {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let node = "nodes:\n- {name: nid001, xname: x1000c0s0b0n0, nid: 1, interfaces: [{mac_addr:                     ec:e7:a7:05:a1:fc}]}\n";
        std::fs::write(directory.path().join("cluster.yaml"), "cluster_name: demo\ncluster_boot_ip: 172.16.0.254\n")
            .unwrap();
        std::fs::write(directory.path().join("nodes.yaml"), node).unwrap();
        let reconciler = Reconciler::new(Store::in_memory());
        Self { directory, reconciler, state: State::default(), told: Mutex::default() }
    }

    /// Looks at the inventory once, for services whose token is in this file or for our own store; answers what was told.
    async fn look(&mut self, token_file: Option<&str>) -> Vec<String> {
        let services = token_file.map(|name| Services {
            smd: "http://127.0.0.1:1/hsm/v2".into(),
            bss: "http://127.0.0.1:1/boot/v1".into(),
            cloud_init: "http://127.0.0.1:1/cloud-init".into(),
            token_file: Some(self.directory.path().join(name)),
            ca_cert: None,
        });
        let config = WatchConfig {
            inventory: self.directory.path().to_owned(),
            secrets: self.directory.path().join("secrets"),
            apply: false,
            services,
            timing: TIMING,
            replan: Arc::default(),
        };
        let told = &self.told;
        let tell = |event: Event| told.lock().unwrap().push(words(event));
        self.state.reload(&config, &self.reconciler, &tell).await;
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

#[tokio::test]
async fn a_failure_that_lasts_is_marked_as_known_and_tried_again_less_and_less_often() {
    let mut watcher = Watcher::new();
    let told = watcher.look(Some("none")).await;
    assert!(told.len() == 2 && told[0] == "loaded" && told[1].contains("/none"), "{told:?}");
    let mut waits = vec![watcher.state.retry_in];
    for _ in 0..3 {
        assert_eq!(watcher.look(Some("none")).await, [format!("again {}", told[1])]);
        waits.push(watcher.state.retry_in);
    }
    assert_eq!(waits, [2, 4, 5, 5].map(|seconds| Some(Duration::from_secs(seconds))));
    let told = watcher.look(Some("other")).await;
    assert!(told.len() == 1 && told[0].contains("/other"), "another failure is news: {told:?}");
}

#[tokio::test]
async fn a_try_that_goes_well_is_the_last_one_and_the_next_failure_is_told_and_waited_for_anew() {
    let mut watcher = Watcher::new();
    watcher.look(Some("none")).await;
    watcher.look(Some("none")).await;
    assert_eq!(watcher.look(None).await, ["planned true"]);
    assert!(watcher.state.retry_in.is_none() && watcher.state.pending.is_none());
    assert_eq!(watcher.look(None).await, [""; 0], "the same content is silence");
    let path = watcher.directory.path().join("cluster.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("# a remark\n{text}")).unwrap();
    let told = watcher.look(Some("none")).await;
    assert!(told.len() == 2 && told[1].contains("/none"), "{told:?}");
    assert_eq!(watcher.state.retry_in, Some(TIMING.retry));
}

#[tokio::test]
async fn a_plan_that_a_try_comes_to_again_is_marked_as_known_unless_there_was_none_between() {
    let mut watcher = Watcher::new();
    assert_eq!(watcher.look(None).await, ["loaded", "planned true"]);
    let desired = |watcher: &Watcher| {
        let loaded = inventory::load_settled(watcher.directory.path());
        Arc::new(super::desired(&loaded.inventory.unwrap(), Path::new("/nonexistent")))
    };
    watcher.state.pending = Some(desired(&watcher));
    assert_eq!(watcher.look(None).await, ["again planned true"]);
    watcher.state.pending = Some(desired(&watcher));
    assert_eq!(watcher.look(Some("none")).await.len(), 1);
    assert_eq!(watcher.look(None).await, ["planned true"]);
}
