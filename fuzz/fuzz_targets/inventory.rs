//! An inventory of three files, parted by `%`: the cluster, the nodes, and what cloud-init is told. Whatever they say is
//! checked without a panic, what is wrong with them can be shown, and what is right leads to a desired state.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use ochami_sync::{desired, inventory};

/// One directory for all inputs; each writes the same files anew.
static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory for the inventory").keep();
    std::fs::create_dir(directory.join("cloud-init")).expect("a directory below it");
    directory
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut parts = input.split(|byte| *byte == b'%').filter(|part| !part.is_empty());
    for name in ["cluster.yaml", "nodes.yaml", "cloud-init/compute.yaml"] {
        std::fs::write(DIRECTORY.join(name), parts.next().unwrap_or_default()).expect("a file of the inventory");
    }
    let loaded = inventory::load(&DIRECTORY);
    let text = inventory::render::text(&loaded.diagnostics, &loaded.sources, "", false);
    assert!(loaded.inventory.is_some() || !text.is_empty(), "refused without a word");
    let _ = inventory::render::json(&loaded.diagnostics, "");
    if let Some(inventory) = &loaded.inventory {
        let _ = desired::desired(inventory, &|value| Ok(value.clone()));
    }
});
