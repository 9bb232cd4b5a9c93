//! SMD's API as data: every route with what it takes and answers.

mod components;
mod inventory;
mod records;
mod schemas;
mod sets;

use super::{BASE, access};
use crate::server::common::openapi::Schema::{List, Of, Text, Truth};
use crate::server::common::openapi::{Answer, Api, Failure, Parameter, Query};

/// SMD's API.
pub static API: Api = Api {
    name: "smd",
    title: "State Management Database (SMD)",
    description: "The hardware state manager of OpenCHAMI, as ochami-sync answers it. Members of bodies are read in the \
        spelling given here and in lower case; members that are not listed are ignored, and so are unknown keys of a query. \
        Several values of one key mean any of them, and `!` before a value means anything but it.",
    prefixes: &[BASE],
    routes: &[components::ROUTES, inventory::ROUTES, sets::ROUTES, records::ROUTES],
    parameters: &[
        Parameter("xname", "The component's physical location.", "x1000c1s7b0n0"),
        Parameter("bmc", "The xname of a Redfish endpoint.", "x1000c1s7b0"),
        Parameter("nid", "The number of a node.", "1"),
        Parameter("id", "A MAC address without separators.", "ece7a705a100"),
        Parameter("ip", "An IP address.", "172.16.0.1"),
        Parameter("fruid", "The identifier of a part.", "Node.HPE.P1.S1"),
        Parameter("service", "A Redfish service.", "UpdateService"),
        Parameter("label", "The name of a group.", "compute"),
        Parameter("name", "The name of a partition.", "p1"),
        Parameter("field", "The name of a field, in lower case.", "role"),
        Parameter("number", "The number of a subscription.", "1"),
        Parameter("status", "The number of a discovery status.", "0"),
    ],
    schemas: &[
        schemas::WORDS,
        schemas::COMPONENTS,
        schemas::inventory::SCHEMAS,
        schemas::sets::SCHEMAS,
        schemas::records::SUBSCRIPTIONS,
        schemas::records::LOCKS,
        schemas::ANSWERS,
    ],
    failure: Failure::Problem,
    is_open: |method, uri| access(method, uri.path()),
};

/// The answer that something was deleted, and the failures of it.
const DELETED: &[Answer] = &[Answer::Json(200, Of("Done")), NOT_THERE];
/// The answer that something was put into a collection.
const DONE: &[Answer] = &[Answer::Json(200, Of("Done")), MALFORMED];
/// The answer that a change was made.
const CHANGED: &[Answer] = &[Answer::Empty(204), MALFORMED, NOT_THERE];
/// The answer that things were created.
const CREATED: &[Answer] = &[Answer::Json(201, List(&Of("Uri"))), MALFORMED, CLASH];

const MALFORMED: Answer = Answer::Fails(400, "The request holds what cannot be.");
const NOT_THERE: Answer = Answer::Fails(404, "There is no such thing.");
const CLASH: Answer = Answer::Fails(409, "It clashes with what is there.");

/// The filters of lists of components.
const COMPONENT_FILTERS: &[Query] = &[
    Query("id", List(&Text), "Xnames."),
    Query("type", List(&Text), "Types of components."),
    Query("state", List(&Text), "States."),
    Query("flag", List(&Text), "Flags."),
    Query("enabled", List(&Text), "True or false."),
    Query("softwarestatus", List(&Text), "Software states."),
    Query("role", List(&Text), "Roles."),
    Query("subrole", List(&Text), "Sub-roles."),
    Query("subtype", List(&Text), "Subtypes."),
    Query("arch", List(&Text), "Architectures."),
    Query("class", List(&Text), "Classes."),
    Query("locked", List(&Text), "True or false."),
    Query("reservation_disabled", List(&Text), "True or false."),
    Query("nid", List(&Text), "Numbers, or ranges of them such as `1-9`."),
    Query("nid_start", List(&Text), "The first number of a range."),
    Query("nid_end", List(&Text), "The last number of a range."),
    Query("group", List(&Text), "Groups; `NULL` for none."),
    Query("partition", List(&Text), "Partitions; `NULL` for none."),
    Query("stateonly", Truth, "Show ID, type, state and flag."),
    Query("flagonly", Truth, "Show ID, type and flag."),
    Query("roleonly", Truth, "Show ID, type, role and sub-role."),
    Query("nidonly", Truth, "Show ID, type and number."),
];

#[cfg(test)]
mod tests;
