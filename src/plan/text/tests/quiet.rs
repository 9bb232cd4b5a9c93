//! What is not done, and what is said once.

use super::super::{TextOptions, render};
use super::{plan, text};
use crate::desired::samples::inventory;
use crate::plan::tests::{World, options};

#[test]
fn no_change_is_one_line() {
    let world = World::with(&inventory(9));
    assert_eq!(text(&world, &inventory(9)), "demo is in sync with the inventory (9 nodes, 1 group, 4 files).\n");
}

#[test]
fn a_rule_that_fails_for_several_services_is_told_once_and_so_is_the_secure_store() {
    let mut world = World::with(&inventory(1));
    world.live = Default::default();
    let text = text(&world, &inventory(1));
    assert_eq!(text.matches("refused by empty.live").count(), 1, "{text}");
    assert!(text.contains("cloud-init-secure\n") && !text.contains("cloud-init-secure secure"), "{text}");
}

#[test]
fn what_is_kept_is_told_with_the_reason() {
    let world = World::with(&inventory(2));
    let mut options = options();
    options.prune = Some(false);
    let text = render(&plan(&world, &inventory(1), &options), &TextOptions::default());
    assert!(text.contains("  kept        nid002   no longer in the inventory, but pruning is off"), "{text}");
}
