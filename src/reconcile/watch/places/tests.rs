use std::os::unix::fs::symlink;

use super::*;

const QUICK: Timing = Timing {
    quiet: Duration::from_millis(20),
    ceiling: Duration::from_secs(1),
    rescan: Duration::from_secs(60),
    retry: Duration::from_secs(2),
    retry_most: Duration::from_secs(2),
};

async fn armed(root: &Path) -> Places {
    let mut places = Places::new(&WatchConfig {
        inventory: root.join("inventory"),
        secrets: root.join("secrets"),
        apply: false,
        services: None,
        timing: QUICK,
        replan: std::sync::Arc::default(),
    });
    places.arm().await;
    places
}

/// Whether a change is seen, at once or never.
async fn sees(places: &mut Places) -> bool {
    let begun = Instant::now();
    places.change(QUICK, Duration::from_secs(10)).await;
    begun.elapsed() < Duration::from_secs(5)
}

fn tree(path: &Path) {
    std::fs::create_dir_all(path.join("cloud-init/secure")).unwrap();
    std::fs::write(path.join("nodes.yaml"), "nodes: []").unwrap();
}

#[tokio::test]
async fn a_directory_moved_over_another_is_seen_and_so_is_what_happens_in_it_then() {
    let root = tempfile::tempdir().unwrap();
    let inventory = root.path().join("inventory");
    tree(&inventory);
    tree(&root.path().join("new"));
    let mut places = armed(root.path()).await;
    std::fs::rename(&inventory, root.path().join("old")).unwrap();
    std::fs::rename(root.path().join("new"), &inventory).unwrap();
    assert!(sees(&mut places).await, "the replacement");
    places.arm().await;
    std::fs::write(inventory.join("nodes.yaml"), "nodes: [1]").unwrap();
    assert!(sees(&mut places).await, "a save in the new directory");
}

#[tokio::test]
async fn a_directory_deleted_and_made_again_is_seen() {
    let root = tempfile::tempdir().unwrap();
    let inventory = root.path().join("inventory");
    tree(&inventory);
    let mut places = armed(root.path()).await;
    std::fs::remove_dir_all(&inventory).unwrap();
    tree(&inventory);
    assert!(sees(&mut places).await, "the replacement");
    places.arm().await;
    std::fs::write(inventory.join("cloud-init/secure/compute.yaml"), "name: compute").unwrap();
    assert!(sees(&mut places).await, "a save deep in the new directory");
}

#[tokio::test]
async fn a_swapped_link_is_seen_wherever_on_the_way_it_is() {
    for link in ["inventory", "cloud-init", "nodes.yaml"] {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        tree(&at("one"));
        tree(&at("two"));
        let (from, below) = match link {
            "inventory" => (at("inventory"), ""),
            below => {
                std::fs::create_dir(at("inventory")).unwrap();
                (at("data"), below)
            }
        };
        symlink("one", &from).unwrap();
        if !below.is_empty() {
            symlink(at("data").join(below), at("inventory").join(below)).unwrap();
        }
        let mut places = armed(root.path()).await;
        symlink("two", at("next")).unwrap();
        std::fs::rename(at("next"), &from).unwrap();
        assert!(sees(&mut places).await, "{link}");
    }
}

#[tokio::test]
async fn directories_that_come_later_are_seen_and_watched() {
    let root = tempfile::tempdir().unwrap();
    let mut places = armed(root.path()).await;
    assert_eq!(places.fault, None, "a directory that is not there is no fault");
    tree(&root.path().join("inventory"));
    assert!(sees(&mut places).await, "the inventory");
    places.arm().await;
    std::fs::create_dir(root.path().join("secrets")).unwrap();
    assert!(sees(&mut places).await, "the secrets");
    places.arm().await;
    std::fs::write(root.path().join("secrets/munge.key"), "key").unwrap();
    assert!(sees(&mut places).await, "a secret");
}

#[tokio::test]
async fn editors_files_and_silence_are_no_change() {
    let root = tempfile::tempdir().unwrap();
    let inventory = root.path().join("inventory");
    tree(&inventory);
    let mut places = armed(root.path()).await;
    for name in [".nodes.yaml.swp", "nodes.yaml~", "4913", ".#nodes.yaml"] {
        std::fs::write(inventory.join(name), "half").unwrap();
    }
    let wait = Duration::from_millis(400);
    let begun = Instant::now();
    places.change(QUICK, wait).await;
    assert!(begun.elapsed() >= wait, "after {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_burst_that_never_ends_is_cut() {
    let root = tempfile::tempdir().unwrap();
    let inventory = root.path().join("inventory");
    tree(&inventory);
    let mut places = armed(root.path()).await;
    let writer = tokio::spawn(async move {
        loop {
            std::fs::write(inventory.join("nodes.yaml"), "nodes: [2]").unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    let begun = Instant::now();
    places.change(QUICK, Duration::from_secs(30)).await;
    writer.abort();
    assert!(begun.elapsed() < Duration::from_secs(15), "after {:?}", begun.elapsed());
}
