//! The filters of places and parts. Values are not negated; several of one key mean any of them.

use crate::model::{GroupLabel, HardwareFru, HardwareLocation, PartitionName, Records, Xname, XnameType};
use crate::server::common::Problem;
use crate::server::smd::query::Pairs;

/// A compiled query for parts; an empty list restricts nothing.
#[derive(Debug)]
pub(super) struct PartFilter {
    kinds: Vec<XnameType>,
    /// Parts of the makers' names, in lower case.
    makers: Vec<String>,
    part_numbers: Vec<String>,
    serial_numbers: Vec<String>,
    ids: Vec<String>,
}

impl PartFilter {
    /// Compiles the query; keys that mean nothing here are ignored.
    ///
    /// # Errors
    ///
    /// 400 for a type that is none.
    pub(super) fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let texts = |key| pairs.all(key).map(str::to_owned).collect();
        Ok(Self {
            kinds: kinds(pairs)?,
            makers: pairs.all("manufacturer").map(str::to_lowercase).collect(),
            part_numbers: texts("partnumber"),
            serial_numbers: texts("serialnumber"),
            ids: texts("fruid"),
        })
    }

    /// Whether a part passes.
    pub(super) fn passes(&self, fru: &HardwareFru) -> bool {
        let kind = || fru.kind.parse::<XnameType>().ok();
        (self.kinds.is_empty() || kind().is_some_and(|kind| self.kinds.contains(&kind))) && self.passes_details(fru)
    }

    /// Whether a part passes, whatever its type is.
    fn passes_details(&self, fru: &HardwareFru) -> bool {
        (self.ids.is_empty() || self.ids.iter().any(|id| **id == *fru.id)) && self.passes_info(fru)
    }

    fn passes_info(&self, fru: &HardwareFru) -> bool {
        // Details are kept as text; they are read only where somebody asks for what is in them.
        if self.makers.is_empty() && self.part_numbers.is_empty() && self.serial_numbers.is_empty() {
            return true;
        }
        let info = fru.info.tree();
        // A part of a type without the field has not even an empty text in it.
        let is_any = |wanted: &[String], key: &str, same: fn(&str, &str) -> bool| {
            let text = info[key].as_str();
            wanted.is_empty() || text.is_some_and(|text| wanted.iter().any(|wanted| same(text, wanted)))
        };
        is_any(&self.makers, "Manufacturer", |text, wanted| text.to_lowercase().contains(wanted))
            && is_any(&self.part_numbers, "PartNumber", |text, wanted| text == wanted)
            && is_any(&self.serial_numbers, "SerialNumber", |text, wanted| text == wanted)
    }

    fn asks_for_a_part(&self) -> bool {
        let lists = [&self.makers, &self.part_numbers, &self.serial_numbers, &self.ids];
        lists.into_iter().any(|list| !list.is_empty())
    }
}

/// A compiled query for places.
#[derive(Debug)]
pub(super) struct PlaceFilter {
    ids: Vec<Xname>,
    partitions: Vec<GroupLabel>,
    part: PartFilter,
}

impl PlaceFilter {
    /// Compiles the query; keys that mean nothing here are ignored.
    ///
    /// # Errors
    ///
    /// 400 for an xname, a type or a partition's name that is none.
    pub(super) fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self { ids: xnames(pairs)?, partitions: partitions(pairs)?, part: PartFilter::read(pairs)? })
    }

    /// Whether a place passes. What is asked of its part no empty place fulfils.
    pub(super) fn passes(&self, place: &HardwareLocation, records: &Records) -> bool {
        (self.ids.is_empty() || self.ids.contains(&place.id))
            && (self.part.kinds.is_empty() || self.part.kinds.contains(&place.id.kind()))
            && (self.partitions.is_empty() || is_in_partition(&place.id, &self.partitions, records))
            && (!self.part.asks_for_a_part()
                || place
                    .fru
                    .as_ref()
                    .and_then(|fru| records.frus.get(fru))
                    .is_some_and(|fru| self.part.passes_details(fru)))
    }
}

/// The values of `id`.
pub(super) fn xnames(pairs: &Pairs) -> Result<Vec<Xname>, Problem> {
    pairs.all("id").map(|text| text.parse().map_err(|_| Problem::bad_request("Invalid xname"))).collect()
}

/// The values of `type`.
pub(super) fn kinds(pairs: &Pairs) -> Result<Vec<XnameType>, Problem> {
    pairs.all("type").map(|text| text.parse().map_err(|()| Problem::bad_request("Invalid HMS type"))).collect()
}

/// The values of `partition`.
///
/// # Errors
///
/// 400 for what not even a group can be called; a partition that only cannot be holds nothing.
pub(super) fn partitions(pairs: &Pairs) -> Result<Vec<GroupLabel>, Problem> {
    let read = |text: &str| text.parse().map_err(|_| Problem::bad_request("Invalid partition"));
    pairs.all("partition").map(read).collect()
}

/// Whether a place, or the node that it is part of, is a member of one of the partitions.
pub(super) fn is_in_partition(place: &Xname, partitions: &[GroupLabel], records: &Records) -> bool {
    let node = std::iter::successors(Some(place.clone()), Xname::parent).find(Xname::is_node);
    let member = node.as_ref().unwrap_or(place);
    let names = partitions.iter().filter_map(|name| name.as_str().parse::<PartitionName>().ok());
    names.filter_map(|name| records.partitions.get(&name)).any(|found| found.members.contains(member))
}
