//! `Inventory/Hardware/Query/{xname}`: a place with what is in it or around it, listed by type.
//!
//! The parts of a node are shown within it and the outlets of a PDU within that, unless the query wants everything flat.
//! The `Hierarchical` format is refused, as in SMD.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{filter, view};
use crate::model::{GroupLabel, HardwareLocation, Records, Xname, XnameType};
use crate::server::common::Problem;
use crate::server::smd::query::Pairs;
use crate::server::smd::request::PathOf;
use crate::server::smd::{SmdState, answer};
use crate::wire::smd::{HardwareView, SystemView};

const NESTED: &str = "NestNodesOnly";
const FLAT: &str = "FullyFlat";

/// A compiled query.
struct TreeQuery {
    /// None asks for the whole system.
    id: Option<Xname>,
    kinds: Vec<XnameType>,
    partitions: Vec<GroupLabel>,
    parents: bool,
    children: bool,
    format: &'static str,
}

impl TreeQuery {
    fn read(xname: &str, pairs: &Pairs) -> Result<Self, Problem> {
        let mut partitions = filter::partitions(pairs)?;
        // Here alone SMD reads a name as it is spelled.
        if xname.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Problem::bad_request("Invalid xname"));
        }
        let id = match xname.parse::<Xname>() {
            Ok(id) if id.kind() == XnameType::System => None,
            Ok(id) if id.kind() == XnameType::Partition => {
                partitions.push(id.as_str().parse().map_err(|_| Problem::bad_request("Invalid partition"))?);
                None
            }
            Ok(id) => Some(id),
            Err(_) if xname == "all" => None,
            Err(_) => return Err(Problem::bad_request("Invalid xname")),
        };
        let parents = truth(pairs, "parents")?.unwrap_or(false);
        let children = truth(pairs, "children")?.unwrap_or(!parents);
        let format = match pairs.first("format").unwrap_or(NESTED) {
            text if text.eq_ignore_ascii_case(NESTED) => NESTED,
            text if text.eq_ignore_ascii_case(FLAT) => FLAT,
            _ => return Err(Problem::bad_request("Invalid format")),
        };
        Ok(Self { id, kinds: filter::kinds(pairs)?, partitions, parents, children, format })
    }

    /// The places that are asked for, in the order of their xnames.
    fn select<'a>(&self, records: &'a Records) -> Vec<&'a Arc<HardwareLocation>> {
        let above: HashSet<Xname> = match &self.id {
            Some(id) if self.parents => std::iter::successors(id.parent(), Xname::parent).collect(),
            _ => HashSet::new(),
        };
        // Types with children ask for what is within the places of these types. With parents and children both, types
        // would leave a gap between them and are passed over, as in SMD.
        let around = self.parents && self.children;
        let typed = !self.kinds.is_empty() && !around;
        let roots: HashSet<&Xname> = match typed && self.children {
            true => records.hardware.keys().filter(|id| self.is_asked(id, true) && self.is_typed(id)).collect(),
            false => HashSet::new(),
        };
        let chosen = |id: &Xname| {
            if typed && self.children {
                return std::iter::successors(Some(id.clone()), Xname::parent).any(|id| roots.contains(&id));
            }
            let within = self.children || (typed && !self.parents);
            (self.is_asked(id, within) || above.contains(id)) && (!typed || self.is_typed(id))
        };
        let passes = |place: &&Arc<HardwareLocation>| {
            chosen(&place.id)
                && (self.partitions.is_empty() || filter::is_in_partition(&place.id, &self.partitions, records))
        };
        records.hardware.values().filter(passes).collect()
    }

    fn is_typed(&self, id: &Xname) -> bool {
        self.kinds.contains(&id.kind())
    }

    /// Whether a place is the one that is named or, if wanted, within it.
    fn is_asked(&self, id: &Xname, within: bool) -> bool {
        let Some(named) = &self.id else { return true };
        let rest = id.as_str().strip_prefix(named.as_str());
        rest.is_some_and(|rest| rest.is_empty() || (within && rest.starts_with(|c: char| c.is_ascii_alphabetic())))
    }
}

fn truth(pairs: &Pairs, key: &str) -> Result<Option<bool>, Problem> {
    let read = |text| match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(Problem::bad_request(format!("Invalid boolean for {key}"))),
    };
    pairs.first(key).map(read).transpose()
}

pub(super) async fn tree(
    State(smd): State<SmdState>,
    pairs: Pairs,
    PathOf(xname): PathOf<String>,
) -> Result<Response, Problem> {
    let query = TreeQuery::read(&xname, &pairs)?;
    let snapshot = smd.store.snapshot();
    let records = &snapshot.records;
    let mut places: Vec<_> = query.select(records).into_iter().map(|place| view(records, place)).collect();
    if query.format == NESTED {
        places = nested(places);
    }
    Ok(answer::json(&SystemView { xname: &xname, format: query.format, places }))
}

/// Moves parts into their nodes and outlets into their PDUs. What has no place above it in the list stays in the list.
fn nested(places: Vec<HardwareView<'_>>) -> Vec<HardwareView<'_>> {
    let (mut outer, inner): (Vec<_>, Vec<_>) =
        places.into_iter().partition(|view| above(view.location.id.kind()).is_none());
    for view in inner {
        let parent = parent(&view.location.id);
        // The outer ones are in the order of their xnames, as the whole list was.
        match parent.and_then(|parent| outer.binary_search_by(|outer| outer.location.id.cmp(&parent)).ok()) {
            Some(at) => outer[at].within.push(view),
            None => {
                let at = outer.partition_point(|outer| outer.location.id < view.location.id);
                outer.insert(at, view);
            }
        }
    }
    outer
}

/// The type within whose places those of this type are shown.
fn above(kind: XnameType) -> Option<XnameType> {
    use XnameType as T;
    match kind {
        T::Processor | T::NodeAccel | T::Memory | T::Drive | T::NodeHsnNic | T::NodeAccelRiser => Some(T::Node),
        T::CabinetPduOutlet | T::CabinetPduPowerConnector => Some(T::CabinetPdu),
        _ => None,
    }
}

/// The enclosing place of the type within which this one is shown.
fn parent(id: &Xname) -> Option<Xname> {
    let wanted = above(id.kind())?;
    std::iter::successors(id.parent(), Xname::parent).find(|id| id.kind() == wanted)
}
