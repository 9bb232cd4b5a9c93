//! Creating, replacing and deleting components.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{Component, Flag, Group, Object, ObjectKey, Role, Table, Xname, XnameType};
use crate::server::common::Problem;
use crate::server::smd::answer;
use crate::snapshot::{BootView, Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{ComponentBody, FieldError, GivenNid};

/// A checked component of a request. What a node lacks is filled in when it is created, because node maps tell it.
#[derive(Debug)]
pub(super) struct NewComponent {
    component: Component,
    /// A NID was given, be it none.
    numbered: bool,
}

/// The components of a POST.
///
/// # Errors
///
/// 400 when there is none, or naming what is wrong with the first that is wrong.
pub(super) fn checked(bodies: Vec<ComponentBody>) -> Result<Vec<NewComponent>, Problem> {
    if bodies.first().is_none_or(|first| first.id.as_deref().unwrap_or_default().is_empty()) {
        return Err(Problem::bad_request("Missing Components"));
    }
    let wrong = |error| Problem::bad_request(format!("couldn't validate components: {error}"));
    bodies.into_iter().map(|body| NewComponent::read(body).map_err(wrong)).collect()
}

/// The component of a PUT; the body may leave out the xname.
///
/// # Errors
///
/// 400 when it names another component than the path, or naming what is wrong.
pub(super) fn checked_put(path: &str, mut body: ComponentBody) -> Result<NewComponent, Problem> {
    let id = body.id.get_or_insert_default();
    if id.is_empty() {
        path.clone_into(id);
    }
    let wrong = |error| Problem::bad_request(format!("couldn't validate component: {error}"));
    let new = NewComponent::read(body).map_err(wrong)?;
    if path.parse::<Xname>().ok().as_ref() != Some(&new.component.id) {
        return Err(Problem::bad_request("ID in URL and POST body do not match"));
    }
    Ok(new)
}

impl NewComponent {
    fn read(body: ComponentBody) -> Result<Self, FieldError> {
        let numbered = GivenNid::read(body.nid.as_ref())? != GivenNid::Unsaid;
        let mut component = Component::try_from(body)?;
        if component.state.is_none() {
            return Err(crate::model::component::ValueError { field: "state", text: String::new() }.into());
        }
        component.flag = component.flag.or(Some(Flag::Ok));
        Ok(Self { component, numbered })
    }

    /// The component with what SMD gives a node that lacks it: number, role and sub-role of its node map, else a number
    /// made of its xname and the role Compute. A map's sub-role counts only along with its role, and is given also to
    /// a node that has said another role, as in SMD; one that said number, role and class gets nothing.
    fn completed(self, snapshot: &Snapshot) -> Component {
        let Self { mut component, numbered } = self;
        let is_node = matches!(component.kind(), XnameType::Node | XnameType::VirtualNode);
        if is_node && !(numbered && component.role.is_some() && component.class.is_some()) {
            let map = snapshot.records.node_maps.get(&component.id);
            let (role, sub_role) = map.and_then(|map| Some((map.role?, map.sub_role))).unwrap_or((Role::Compute, None));
            component.role = component.role.or(Some(role));
            component.sub_role = component.sub_role.or(sub_role);
            if !numbered {
                component.nid = map.map(|map| map.nid).or_else(|| component.id.default_nid());
            }
        }
        component
    }
}

/// Creates those that do not exist. Of those that do, force sets what SMD lets a client force: State, Flag, Subtype,
/// NetType, Arch and Class, where absent means none. NID, Role and Enabled stay, because clients count on it: they
/// follow up with a patch. Of several with one xname the first counts that creates or changes the component.
pub(super) fn decide_create(
    snapshot: &Snapshot,
    components: Vec<NewComponent>,
    force: bool,
) -> Result<Decision<()>, Problem> {
    let mut written = HashSet::with_capacity(components.len());
    let mut changes = Vec::new();
    for new in components {
        let id = new.component.id.clone();
        if written.contains(&id) {
            continue;
        }
        let change = match snapshot.boot.components.get(&id) {
            None => Some(put(new.completed(snapshot))),
            Some(old) if force => forced(old, &new.component),
            Some(_) => None,
        };
        if let Some(change) = change {
            written.insert(id);
            changes.push(change);
        }
    }
    Ok(Decision::new((), changes))
}

/// What force changes of a component that exists. State and Flag always say something; of the other fields one that is
/// absent is no reason to change, and is cleared where there is a reason.
fn forced(old: &Component, new: &Component) -> Option<Change> {
    let is_set = new.state != old.state
        || new.flag != old.flag
        || (new.subtype.is_some() && new.subtype != old.subtype)
        || (new.net_type.is_some() && new.net_type != old.net_type)
        || (new.arch.is_some() && new.arch != old.arch)
        || (new.class.is_some() && new.class != old.class);
    is_set.then(|| {
        put(Component {
            state: new.state,
            flag: new.flag,
            subtype: new.subtype.clone(),
            net_type: new.net_type,
            arch: new.arch,
            class: new.class,
            ..Component::clone(old)
        })
    })
}

/// Deletes one, its memberships in groups and a partition, and its reservation. Its interfaces and component endpoint
/// stay, as in SMD.
pub(super) fn decide_remove(snapshot: &Snapshot, id: &Xname) -> Result<Decision<()>, Problem> {
    if !snapshot.boot.components.contains_key(id) {
        return Err(super::missing());
    }
    let mut changes = vec![Change::Delete(ObjectKey::component(id)), released(id)];
    changes.extend(snapshot.boot.groups_of(id).map(|group| {
        let members = group.members.without(id);
        Change::Put(Object::Group(Arc::new(Group { members, ..Group::clone(group) })))
    }));
    changes.extend(snapshot.leave_partitions(|member| member == id));
    Ok(Decision::new((), changes))
}

/// Deletes all, and answers how many there were. Groups and partitions stay, without them.
pub(super) fn decide_clear(snapshot: &Snapshot) -> Result<Decision<usize>, Problem> {
    let view: &BootView = &snapshot.boot;
    if view.components.is_empty() {
        return Err(answer::nothing_to_delete());
    }
    let ids = view.components.keys();
    let mut changes: Vec<Change> =
        ids.flat_map(|id| [Change::Delete(ObjectKey::component(id)), released(id)]).collect();
    let emptied = view.groups.values().filter_map(|group| {
        let members = group.members.iter().filter(|id| !view.components.contains_key(*id)).cloned().collect();
        replace_group(group, Group { members, ..Group::clone(group) })
    });
    changes.extend(emptied);
    changes.extend(snapshot.leave_partitions(|id| view.components.contains_key(id)));
    Ok(Decision::new(view.components.len(), changes))
}

/// The change that ends a reservation, where there is one.
fn released(id: &Xname) -> Change {
    Change::DeleteRecord(Table::Reservation, id.as_str().into())
}

fn replace_group(old: &Group, new: Group) -> Option<Change> {
    (*old != new).then(|| Change::Put(Object::Group(Arc::new(new))))
}

/// The change that stores a component.
pub(super) fn put(component: Component) -> Change {
    Change::Put(Object::Component(Arc::new(component)))
}

/// The change from one to the other; none where they are equal, so that such a write touches nothing.
pub(super) fn replace(old: &Component, new: Component) -> Option<Change> {
    (*old != new).then(|| put(new))
}
