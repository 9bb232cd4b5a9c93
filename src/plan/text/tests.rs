//! What people read.

mod first;
mod others;
mod quiet;
mod stories;
mod whole;

use serde_json::json;

use super::super::tests::{World, options};
use super::{TextOptions, render};
use crate::desired::samples::{boot, desire, entry, inventory, node};
use crate::inventory::Inventory;
use crate::model::{Component, Kind, Object, ObjectKey, Timestamp};
use crate::plan::{Options, Plan};
use crate::snapshot::Change;
use crate::store::Provenance;

fn plan(world: &World, inventory: &Inventory, options: &Options) -> Plan {
    let mut plan = world.plan(&desire(inventory), options).plan;
    // The identifier changes with every detail of every object and says nothing to the reader of a test.
    plan.id = "p-7f31c2000000".to_owned();
    plan
}

fn text(world: &World, inventory: &Inventory) -> String {
    render(&plan(world, inventory, &options()), &TextOptions::default())
}

/// The cluster of the walk-through: one node comes, one goes, one gets another card, six get another kernel.
fn walk_through() -> (World, Inventory, Options) {
    let mut world = World::with(&inventory(9));
    let mut wanted = inventory(10);
    wanted.nodes.remove(8);
    wanted.nodes[6].interfaces[0].mac = "02:00:00:00:07:ff".parse().unwrap();
    for node in wanted.nodes.iter_mut().take(6) {
        let mut boot = boot("6.6");
        boot.params = boot.params.replace("quiet", "loglevel=4").into();
        node.boot = Some(boot);
    }
    wanted.cloud_init[0] =
        entry("compute", json!({"packages": ["slurmd", "chrony", "pmix"], "runcmd": ["systemctl start slurmd"]}));
    let key = ObjectKey::component(&node(3).xname);
    world.meddle(&key, "nid", json!(33));
    world.meddle(&ObjectKey::new(Kind::Group, "compute"), "members", json!(members(&[1, 2, 3, 4, 5, 6, 7, 9])));
    for foreign in ["x1000c0s9b0n0", "x1000c0s9b0n1"] {
        world.change(Change::Put(Object::Component(Component::bare(foreign.parse().unwrap()).into())));
    }
    let mut options = options();
    let provenance = Provenance { writer: "api sub=ben".into(), at: Timestamp(1_795_385_000_000_000) };
    options.provenance.insert(key, provenance);
    (world, wanted, options)
}

fn members(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|number| node(*number).xname.to_string()).collect()
}
