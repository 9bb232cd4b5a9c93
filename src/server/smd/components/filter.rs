//! The filters of `GET State/Components`, which `GET memberships` and the queries take, too.

mod membership;
mod nid;

use std::sync::Arc;

use membership::{Members, MembershipFilter};
use nid::NidFilter;

use crate::model::{Arch, Class, Component, Flag, Role, State, SubRole, Xname, XnameType};
use crate::server::common::Problem;
use crate::server::smd::query::{Filter, Pairs, alphanumeric, or_nothing};
use crate::snapshot::Snapshot;
use crate::wire::smd::Shown;

/// A compiled query.
#[derive(Debug)]
pub(in crate::server::smd) struct ComponentFilter {
    pub(in crate::server::smd) shown: Shown,
    /// Those that are wanted are in order, each once; none is one that no component has.
    id: Filter<Option<Xname>>,
    kind: Filter<Option<XnameType>>,
    state: Filter<Option<State>>,
    flag: Filter<Option<Flag>>,
    enabled: Filter<bool>,
    software_status: Filter<String>,
    role: Filter<Option<Role>>,
    sub_role: Filter<Option<SubRole>>,
    subtype: Filter<String>,
    arch: Filter<Option<Arch>>,
    class: Filter<Option<Class>>,
    locked: Filter<bool>,
    reservation_disabled: Filter<bool>,
    nid: NidFilter,
    membership: MembershipFilter,
}

const NO_MATCH: &str = "a required argument did not match any valid input";

impl ComponentFilter {
    /// The keys that name filters, in no order that matters. All of them take several values.
    pub(in crate::server::smd) const KEYS: &[&str] = &[
        "id",
        "type",
        "state",
        "flag",
        "enabled",
        "softwarestatus",
        "role",
        "subrole",
        "subtype",
        "arch",
        "class",
        "locked",
        "reservation_disabled",
        "nid",
        "nid_start",
        "nid_end",
        "group",
        "partition",
    ];

    /// Compiles the query; keys that mean nothing here are ignored.
    ///
    /// # Errors
    ///
    /// 400 for a value that its key does not take.
    pub(in crate::server::smd) fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let mut id = pairs.xnames("id")?;
        id.wanted.sort();
        id.wanted.dedup();
        // The four that SMD does not let be empty are read without `or_nothing`.
        Ok(Self {
            shown: shown(pairs),
            id,
            kind: pairs.types("type")?,
            state: pairs.filter("state", "Argument was not a valid HMS State", |word| word.parse().ok().map(Some))?,
            flag: pairs.filter("flag", "Argument was not a valid HMS Flag", |word| word.parse().ok().map(Some))?,
            enabled: pairs.filter("enabled", NO_MATCH, truth)?,
            software_status: pairs.texts("softwarestatus")?,
            role: pairs.filter("role", "Argument was not a valid HMS Role", or_nothing)?,
            sub_role: pairs.filter("subrole", "Argument was not a valid HMS SubRole", or_nothing)?,
            subtype: pairs.filter("subtype", "Argument was not a valid HMS Subtype", alphanumeric)?,
            arch: pairs.filter("arch", "Argument was not a valid HMS Arch", or_nothing)?,
            class: pairs.filter("class", "Argument was not a valid HMS Class", or_nothing)?,
            // Of these two SMD reads the value without the blanks around it.
            locked: pairs.filter("locked", NO_MATCH, |word| truth(word.trim()))?,
            reservation_disabled: pairs.filter("reservation_disabled", NO_MATCH, |word| truth(word.trim()))?,
            nid: NidFilter::read(pairs)?,
            membership: MembershipFilter::read(pairs)?,
        })
    }

    /// True where the query restricts the type.
    pub(in crate::server::smd) fn has_types(&self) -> bool {
        !self.kind.is_empty()
    }

    /// The components that pass, in the order of their xnames.
    pub(in crate::server::smd) fn select<'a>(
        &'a self,
        snapshot: &'a Snapshot,
    ) -> impl Iterator<Item = &'a Arc<Component>> + 'a {
        // A query by xname looks them up: a client that asks for 1,000 of 50,000 must not cost 50 million comparisons.
        let components = &snapshot.boot.components;
        let asked = self.id.wanted.iter().flatten().filter_map(|id| components.get(id));
        let all = components.values().filter(|_| self.id.wanted.is_empty());
        self.select_among(snapshot, asked.chain(all))
    }

    /// Those of these components that pass.
    pub(in crate::server::smd) fn select_among<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        components: impl Iterator<Item = &'a Arc<Component>> + 'a,
    ) -> impl Iterator<Item = &'a Arc<Component>> + 'a {
        let members = self.membership.over(snapshot);
        components.filter(move |component| self.passes(component, &members))
    }

    fn passes(&self, component: &Component, members: &Members<'_>) -> bool {
        let id = Some(&component.id);
        (self.id.wanted.is_empty() || self.id.wanted.binary_search_by(|wanted| wanted.as_ref().cmp(&id)).is_ok())
            && !self.id.excluded.iter().any(|excluded| excluded.as_ref() == id)
            && self.kind.passes(&Some(component.kind()))
            && self.state.passes(&component.state)
            && self.flag.passes(&component.flag)
            && self.enabled.passes(&component.enabled)
            && self.software_status.passes(component.software_status.as_deref().unwrap_or_default())
            && self.role.passes(&component.role)
            && self.sub_role.passes(&component.sub_role)
            && self.subtype.passes(component.subtype.as_deref().unwrap_or_default())
            && self.arch.passes(&component.arch)
            && self.class.passes(&component.class)
            && self.locked.passes(&component.locked)
            && self.reservation_disabled.passes(&component.reservation_disabled)
            && self.nid.passes(component.nid)
            && members.hold(&component.id)
    }
}

fn shown(pairs: &Pairs) -> Shown {
    let on = |key: &str| pairs.first(key).and_then(truth) == Some(true);
    match () {
        () if on("stateonly") => Shown::State,
        () if on("flagonly") => Shown::Flag,
        () if on("roleonly") => Shown::Role,
        () if on("nidonly") => Shown::Nid,
        () => Shown::All,
    }
}

fn truth(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" => Some(true),
        "false" | "f" | "0" | "no" => Some(false),
        _ => None,
    }
}
