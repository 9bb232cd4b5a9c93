//! Groups, partitions and memberships.

use super::{CHANGED, CLASH, COMPONENT_FILTERS, CREATED, DELETED, MALFORMED, NOT_THERE};
use crate::server::common::openapi::Answer::{Empty, Json};
use crate::server::common::openapi::Schema::{List, Of, Text};
use crate::server::common::openapi::{Query, Route, delete, get, patch, post, put};

/// The routes of sets of components.
pub(super) const ROUTES: &[Route] = &[
    Route("/groups", &[
        get("Lists groups.", &[Json(200, List(&Of("Group"))), MALFORMED]).query(&[
            Query("group", List(&Text), "Labels."),
            Query("tag", List(&Text), "Tags."),
            PARTITION,
        ]),
        post("Creates a group.", CREATED).body(
            Of("Group"),
            r#"{"label": "io", "description": "I/O nodes", "tags": ["storage"], "exclusiveGroup": "role", "members": {"ids": ["x1000c1s7b0n0"]}}"#,
        ),
    ]),
    Route("/groups/labels", &[
        get("Lists the labels of groups.", &[Json(200, List(&Text))]),
        patch("Changes the group that is called `labels`.", CHANGED).body(Of("GroupPatch"), r#"{"description": "all of them"}"#),
        delete("Deletes the group that is called `labels`.", DELETED),
    ]),
    Route("/groups/{label}", &[
        get("Shows a group.", &[Json(200, Of("Group")), MALFORMED, NOT_THERE]).query(&[PARTITION]),
        patch("Changes description and tags of a group.", CHANGED).body(Of("GroupPatch"), r#"{"description": "all of them", "tags": ["slurm"]}"#),
        delete("Deletes a group.", DELETED),
    ]),
    Route("/groups/{label}/members", &[
        get("Lists the members of a group.", &[Json(200, Of("Members")), MALFORMED, NOT_THERE]).query(&[PARTITION]),
        post("Adds a member.", &[Json(201, List(&Of("Uri"))), MALFORMED, NOT_THERE, CLASH]).body(Of("Member"), r#"{"id": "x1000c1s7b0"}"#),
        put("Puts these members in the place of those that are there.", &[Json(201, List(&Of("Uri"))), Empty(204), MALFORMED, NOT_THERE, CLASH])
            .body(Of("Members"), r#"{"ids": ["x1000c1s7b0"]}"#),
    ]),
    Route("/groups/{label}/members/{xname}", &[delete("Takes a member out.", DELETED)]),
    Route("/partitions", &[
        get("Lists partitions.", &[Json(200, List(&Of("Partition"))), MALFORMED])
            .query(&[Query("partition", List(&Text), "Names."), Query("tag", List(&Text), "Tags.")]),
        post("Creates a partition.", CREATED)
            .body(Of("Partition"), r#"{"name": "p2", "description": "the test system", "tags": ["test"], "members": {"ids": ["x1000c1s7b0"]}}"#),
    ]),
    Route("/partitions/names", &[get("Lists the names of partitions.", &[Json(200, List(&Text))])]),
    Route("/partitions/{name}", &[
        get("Shows a partition.", &[Json(200, Of("Partition")), MALFORMED, NOT_THERE]),
        patch("Changes description and tags of a partition.", CHANGED).body(Of("GroupPatch"), r#"{"description": "the big one"}"#),
        delete("Deletes a partition.", DELETED),
    ]),
    Route("/partitions/{name}/members", &[
        get("Lists the members of a partition.", &[Json(200, Of("Members")), MALFORMED, NOT_THERE]),
        post("Adds a member.", &[Json(201, List(&Of("Uri"))), MALFORMED, NOT_THERE, CLASH]).body(Of("Member"), r#"{"id": "x1000c1s7b0"}"#),
    ]),
    Route("/partitions/{name}/members/{xname}", &[delete("Takes a member out.", DELETED)]),
    Route("/memberships", &[get("Lists what components belong to.", &[Json(200, List(&Of("Membership"))), MALFORMED]).query(COMPONENT_FILTERS)]),
    Route("/memberships/{xname}", &[get("Shows what a component belongs to.", &[Json(200, Of("Membership")), MALFORMED, NOT_THERE])]),
];

const PARTITION: Query = Query("partition", Text, "Show the members in that partition; `NULL` for those in none.");
