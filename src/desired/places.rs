//! The lines of the inventory that the fields of objects come from, so that a plan can name the one that was edited.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::inventory::{BootStretches, Inventory, Lines, Pointers, Stretch};
use crate::model::ObjectKey;

/// What each node, boot profile and cloud-init entry is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Places {
    /// The lines of each node in `nodes.yaml`, by xname.
    nodes: BTreeMap<Arc<str>, Lines>,
    /// Which of the boot values a node has, by xname.
    boots: BTreeMap<Arc<str>, usize>,
    /// What boot values are put together from, each once: most nodes share one.
    stretches: Vec<BootStretches>,
    /// The lines of each cloud-init entry in its file, by the key of its object.
    entries: BTreeMap<String, Lines>,
    /// What the lines of the other files say.
    #[serde(default)]
    pointers: Pointers,
}

impl Places {
    /// Gathers those of the nodes.
    pub(super) fn of(inventory: &Inventory) -> Self {
        let mut places = Self { pointers: inventory.pointers.clone(), ..Self::default() };
        let mut known: HashMap<[*const Stretch; 3], usize> = HashMap::new();
        for node in &inventory.nodes {
            let xname: Arc<str> = node.xname.clone().into();
            if let Some(boot) = &node.boot {
                let stretches = &boot.stretches;
                let parts = [&stretches.kernel, &stretches.initrd, &stretches.params].map(|part| part.as_ptr());
                let number = *known.entry(parts).or_insert_with(|| {
                    places.stretches.push(stretches.clone());
                    places.stretches.len() - 1
                });
                places.boots.insert(xname.clone(), number);
            }
            places.nodes.insert(xname, node.lines.clone());
        }
        places
    }

    /// Adds those of an entry.
    pub(super) fn add_entry(&mut self, key: &ObjectKey, lines: &Lines) {
        self.entries.insert(key.to_string(), lines.clone());
    }

    /// The line of a node's key, `/nid`, or of the nearest thing around it.
    #[must_use]
    pub fn of_node(&self, xname: &str, pointer: &str) -> Option<u32> {
        self.nodes.get(xname)?.line(pointer)
    }

    /// The key of a node that begins on a line of `nodes.yaml`, as a pointer within the node.
    #[must_use]
    pub fn key_of_node(&self, xname: &str, line: u32) -> Option<&str> {
        self.nodes.get(xname)?.at(line)
    }

    /// The value that a line of any other file says, as a pointer within the file.
    #[must_use]
    pub fn of_line(&self, file: &str, line: u32) -> Option<&str> {
        self.pointers.find(file, line)
    }

    /// The line at which a node names its groups.
    #[must_use]
    pub fn of_groups(&self, xname: &str) -> Option<u32> {
        self.of_node(xname, "/group").or_else(|| self.of_node(xname, "/groups"))
    }

    /// The line of something in a cloud-init entry, `/userdata/runcmd/2`, or of the nearest thing around it.
    #[must_use]
    pub fn of_entry(&self, key: &ObjectKey, pointer: &str) -> Option<u32> {
        self.entries.get(&key.to_string())?.line(pointer)
    }

    /// What a boot value of a node, `kernel`, `initrd` or `params`, is put together from.
    #[must_use]
    pub fn of_boot(&self, xname: &str, field: &str) -> &[Stretch] {
        let Some(stretches) = self.boots.get(xname).and_then(|number| self.stretches.get(*number)) else { return &[] };
        match field {
            "kernel" => &stretches.kernel,
            "initrd" => &stretches.initrd,
            "params" => &stretches.params,
            _ => &[],
        }
    }
}
