//! The filters of `GET State/Components`, which `GET memberships` takes, too.

use std::sync::Arc;

use crate::model::{Arch, Class, Component, Flag, GroupLabel, Nid, Role, State, SubRole, Xname, XnameType};
use crate::server::common::Problem;
use crate::server::smd::query::{Filter, Pairs, or_nothing};
use crate::snapshot::BootView;
use crate::wire::smd::Shown;

/// A compiled query.
#[derive(Debug)]
pub(in crate::server::smd) struct ComponentFilter {
    pub(in crate::server::smd) shown: Shown,
    id: Filter<Xname>,
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
    groups: Groups,
    /// A partition is asked for. There are none, so nothing is in it.
    in_partition: bool,
}

/// `nid`, `nid_start` and `nid_end` together: any of the numbers, or within any of the ranges.
#[derive(Debug)]
struct NidFilter {
    numbers: Filter<Option<Nid>>,
    ranges: Vec<(u64, u64)>,
}

#[derive(Debug)]
enum Groups {
    /// No restriction.
    Any,
    /// `group=NULL`: in no group.
    None,
    /// In one of these.
    Of(Vec<GroupLabel>),
}

const NO_MATCH: &str = "a required argument did not match any valid input";
const NOT_A_NUMBER: &str = "a required argument was not an integer";

impl ComponentFilter {
    /// Compiles the query; keys that mean nothing here are ignored.
    ///
    /// # Errors
    ///
    /// 400 for a value that its key does not take.
    pub(in crate::server::smd) fn read(pairs: &Pairs) -> Result<Self, Problem> {
        // The four that SMD does not let be empty are read without `or_nothing`.
        Ok(Self {
            shown: shown(pairs),
            id: pairs.xnames("id")?,
            kind: pairs.types("type")?,
            state: pairs.filter("state", "Argument was not a valid HMS State", |word| word.parse().ok().map(Some))?,
            flag: pairs.filter("flag", "Argument was not a valid HMS Flag", |word| word.parse().ok().map(Some))?,
            enabled: pairs.filter("enabled", NO_MATCH, truth)?,
            software_status: pairs.texts("softwarestatus")?,
            role: pairs.filter("role", "Argument was not a valid HMS Role", or_nothing)?,
            sub_role: pairs.filter("subrole", "Argument was not a valid HMS SubRole", or_nothing)?,
            subtype: pairs.texts("subtype")?,
            arch: pairs.filter("arch", "Argument was not a valid HMS Arch", or_nothing)?,
            class: pairs.filter("class", "Argument was not a valid HMS Class", or_nothing)?,
            locked: pairs.filter("locked", NO_MATCH, truth)?,
            reservation_disabled: pairs.filter("reservation_disabled", NO_MATCH, truth)?,
            nid: NidFilter::read(pairs)?,
            groups: groups(pairs)?,
            in_partition: in_partition(pairs)?,
        })
    }

    /// The components that pass, in the order of their xnames.
    pub(in crate::server::smd) fn select<'a>(
        &'a self,
        view: &'a BootView,
    ) -> impl Iterator<Item = &'a Arc<Component>> + 'a {
        // A query by xname looks them up: a client that asks for 1,000 of 50,000 must not cost 50 million comparisons.
        let mut ids: Vec<&Xname> = self.id.wanted.iter().collect();
        ids.sort();
        ids.dedup();
        let asked = ids.into_iter().filter_map(|id| view.components.get(id));
        let all = view.components.values().filter(|_| self.id.wanted.is_empty());
        asked.chain(all).filter(|component| self.passes(component, view))
    }

    fn passes(&self, component: &Component, view: &BootView) -> bool {
        !self.in_partition
            && !self.id.excluded.contains(&component.id)
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
            && self.groups.pass(component, view)
    }
}

fn shown(pairs: &Pairs) -> Shown {
    let on = |key: &str| pairs.all(key).any(|value| truth(value) == Some(true));
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

impl NidFilter {
    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let number = |text: &str| text.parse::<i64>().ok();
        let bounds = |key: &str| Ok::<_, Problem>(pairs.filter(key, NOT_A_NUMBER, number)?.wanted);
        let at_least = |bound: i64| u64::try_from(bound).unwrap_or(0);
        let (starts, ends) = (bounds("nid_start")?, bounds("nid_end")?);
        // Starts and ends belong together in the order in which they are given; the last ones may stand alone.
        let ranges = (0..starts.len().max(ends.len()))
            .filter_map(|i| match (starts.get(i), ends.get(i)) {
                (_, Some(end)) if *end < 0 => None,
                (start, end) => {
                    Some((at_least(start.copied().unwrap_or(0)), end.map_or(u64::MAX, |end| at_least(*end))))
                }
            })
            .collect::<Vec<_>>();
        let asked = !starts.is_empty() || !ends.is_empty();
        // A range that holds nothing still restricts.
        let ranges = if asked && ranges.is_empty() { vec![(1, 0)] } else { ranges };
        let numbers = pairs.filter("nid", NOT_A_NUMBER, |text| number(text).map(|n| u64::try_from(n).ok().map(Nid)))?;
        Ok(Self { numbers, ranges })
    }

    fn passes(&self, nid: Option<Nid>) -> bool {
        if self.ranges.is_empty() {
            return self.numbers.passes(&nid);
        }
        let within = |nid: Nid| self.ranges.iter().any(|&(start, end)| (start..=end).contains(&nid.0));
        nid.is_some_and(within) || self.numbers.wanted.contains(&nid)
    }
}

fn groups(pairs: &Pairs) -> Result<Groups, Problem> {
    let values: Vec<&str> = pairs.all("group").collect();
    match values.as_slice() {
        [] => Ok(Groups::Any),
        ["NULL"] => Ok(Groups::None),
        labels => {
            let read =
                |label: &&str| label.parse().map_err(|_| Problem::bad_request("bad query param: no such group."));
            Ok(Groups::Of(labels.iter().map(read).collect::<Result<_, _>>()?))
        }
    }
}

fn in_partition(pairs: &Pairs) -> Result<bool, Problem> {
    let mut asked = false;
    for name in pairs.all("partition").filter(|name| *name != "NULL") {
        name.parse::<GroupLabel>().map_err(|_| Problem::bad_request("bad query param: no such partition."))?;
        asked = true;
    }
    Ok(asked)
}

impl Groups {
    fn pass(&self, component: &Component, view: &BootView) -> bool {
        let of = || view.index.groups_of.get(&component.id);
        match self {
            Self::Any => true,
            Self::None => of().is_none(),
            Self::Of(labels) => of().is_some_and(|groups| labels.iter().any(|label| groups.contains(label))),
        }
    }
}
