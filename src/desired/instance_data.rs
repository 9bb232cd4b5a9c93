//! cloud-init's data in the form of today's cloud-init server. What a file does not give is not owned.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DesiredObject, Places, doc};
use crate::inventory::{Inventory, Lines, Origin};
use crate::model::{Object, ObjectKey, Xname};

/// What people call the one set of defaults.
const DEFAULTS: &str = "defaults";

/// Adds the defaults, the groups and the instances.
pub(super) fn objects(inventory: &Inventory, objects: &mut BTreeMap<ObjectKey, DesiredObject>, places: &mut Places) {
    let names: BTreeMap<&Xname, &Arc<str>> = inventory.nodes.iter().map(|node| (&node.xname, &node.name)).collect();
    let mut add = |object: Object, owner: Option<Arc<str>>, name: Arc<str>, (lines, origin): (&Lines, &Origin)| {
        let key = object.key();
        places.add_entry(&key, lines);
        let doc = doc::text(&object.fields()).into();
        objects.insert(key, DesiredObject { doc, owner, name, origin: origin.clone() });
    };
    if let Some(said) = &inventory.cloud_init_defaults {
        let object = Object::ClusterDefaults(Arc::new(said.value.clone()));
        add(object, None, DEFAULTS.into(), (&said.lines, &said.origin));
    }
    for said in &inventory.cloud_init_groups {
        let object = Object::CloudInitGroup(Arc::new(said.value.clone()));
        add(object, None, said.value.name.clone().into(), (&said.lines, &said.origin));
    }
    for said in &inventory.cloud_init_instances {
        let object = Object::InstanceInfo(Arc::new(said.value.clone()));
        let xname: Arc<str> = said.value.id.clone().into();
        let name = names.get(&said.value.id).map_or_else(|| xname.clone(), |name| (*name).clone());
        add(object, Some(xname), name, (&said.lines, &said.origin));
    }
}
