//! Node maps, power maps, locks, subscriptions, and what SMD says of itself.

use super::{CHANGED, DELETED, DONE, MALFORMED, NOT_THERE};
use crate::server::common::openapi::Answer::{self, Empty, Json};
use crate::server::common::openapi::Schema::{List, Of, Text};
use crate::server::common::openapi::{Operation, Query, Route, delete, get, patch, post, put};

/// The routes of all else.
pub(super) const ROUTES: &[Route] = &[
    Route(
        "/Defaults/NodeMaps",
        &[
            get("Lists node maps.", &[Json(200, Of("NodeMaps"))]),
            post("Creates or replaces node maps.", &[Json(200, Of("Done")), MALFORMED]).body(
                Of("NodeMaps"),
                r#"{"NodeMaps": [{"ID": "x1000c1s7b0n5", "NID": 55, "Role": "Compute", "NodeInfo": {"rack": 1}}]}"#,
            ),
            delete("Deletes all node maps.", DELETED),
        ],
    ),
    Route(
        "/Defaults/NodeMaps/{xname}",
        &[
            get("Shows a node map.", &[Json(200, Of("NodeMap")), NOT_THERE]),
            put("Creates or replaces a node map.", &[Json(200, Of("NodeMap")), MALFORMED])
                .body(Of("NodeMap"), r#"{"ID": "x1000c1s7b0n0", "NID": 50, "SubRole": "Worker"}"#),
            delete("Deletes a node map.", DELETED),
        ],
    ),
    Route(
        "/sysinfo/powermaps",
        &[
            get("Lists what feeds what.", &[Json(200, List(&Of("PowerMap")))]),
            post("Creates or replaces power maps.", DONE)
                .body(List(&Of("PowerMap")), r#"[{"id": "x1000c1s7b0n0", "poweredBy": ["x1000m0p0j1"]}]"#),
            delete("Deletes all power maps.", DELETED),
        ],
    ),
    Route(
        "/sysinfo/powermaps/{xname}",
        &[
            get("Shows what feeds a component.", &[Json(200, Of("PowerMap")), MALFORMED, NOT_THERE]),
            put("Creates or replaces a power map.", &[Json(200, Of("PowerMap")), MALFORMED])
                .body(Of("PowerMap"), r#"{"id": "x1000c1s7b0n0", "poweredBy": ["x1000m0p0j2"]}"#),
            delete("Deletes a power map.", DELETED),
        ],
    ),
    Route(
        "/locks/status",
        &[
            get("Lists locks and reservations.", STATUS).query(&[
                Query("type", List(&Text), "Types of components."),
                Query("state", List(&Text), "States."),
                Query("role", List(&Text), "Roles."),
                Query("subrole", List(&Text), "Sub-roles."),
                Query("locked", List(&Text), "True or false."),
                Query("reserved", Text, "True or false."),
                Query("reservationdisabled", Text, "True or false."),
            ]),
            post("Lists locks and reservations of some components.", STATUS).body(Of("LockRequest"), NODE),
        ],
    ),
    Route("/locks/lock", &[switch("Locks components.")]),
    Route("/locks/unlock", &[switch("Unlocks components.")]),
    Route("/locks/repair", &[switch("Allows reservations again.")]),
    Route("/locks/disable", &[switch("Ends reservations and refuses new ones.")]),
    Route(
        "/locks/reservations",
        &[post("Reserves locked components without an end.", RESERVED).body(Of("LockRequest"), NODE)],
    ),
    Route("/locks/reservations/release", &[keys("Releases reservations by their keys.")]),
    Route(
        "/locks/reservations/remove",
        &[post("Removes reservations without their keys.", SWITCHED).body(Of("LockRequest"), NODE)],
    ),
    Route(
        "/locks/service/reservations",
        &[post("Reserves unlocked components for at most 15 minutes.", RESERVED).body(
            Of("LockRequest"),
            r#"{"ComponentIDs": ["x1000c1s7b0n0"], "ProcessingModel": "flexible", "ReservationDuration": 1}"#,
        )],
    ),
    Route("/locks/service/reservations/release", &[keys("Releases reservations by their keys.")]),
    Route("/locks/service/reservations/renew", &[keys("Renews reservations by their keys.")]),
    Route(
        "/locks/service/reservations/check",
        &[post("Checks reservations by their deputy keys.", RESERVED)
            .body(Of("DeputyKeys"), r#"{"DeputyKeys": [{"ID": "x1000c1s7b0n0", "Key": "x1000c1s7b0n0:dk:none"}]}"#)],
    ),
    Route(
        "/Subscriptions/SCN",
        &[
            get("Lists subscriptions to state changes.", &[Json(200, Of("Subscriptions"))]),
            post("Subscribes.", &[Json(200, Of("Subscription")), MALFORMED]).body(
                Of("SubscriptionRequest"),
                r#"{"Subscriber": "hmnfd@sms01", "Url": "http://sms01/scn", "Enabled": true, "Roles": ["Compute"],
                "SubRoles": ["Worker"], "SoftwareStatus": ["AdminDown"], "States": ["Ready"]}"#,
            ),
            delete("Deletes all subscriptions.", &[Json(200, Of("Done"))]),
        ],
    ),
    Route(
        "/Subscriptions/SCN/{number}",
        &[
            get("Shows a subscription.", &[Json(200, Of("Subscription")), MALFORMED, NOT_THERE]),
            put("Replaces a subscription.", CHANGED).body(
                Of("SubscriptionRequest"),
                r#"{"Subscriber": "hmnfd@sms01", "Url": "http://sms01/scn", "States": ["Off"]}"#,
            ),
            patch("Adds, removes or replaces triggers.", CHANGED)
                .body(Of("SubscriptionPatch"), r#"{"Op": "add", "States": ["Off"]}"#),
            delete("Deletes a subscription.", DELETED),
        ],
    ),
    Route("/service/ready", &[get("Says that SMD is ready.", &[Json(200, Of("Done"))])]),
    Route("/service/liveness", &[get("Says that SMD lives.", &[Empty(204)])]),
    Route("/service/values", &[get("Lists the words that fields take.", &[Json(200, Of("Values"))])]),
    Route("/service/values/{field}", &[get("Lists the words that a field takes.", &[Json(200, Of("Values"))])]),
];

const NODE: &str = r#"{"ComponentIDs": ["x1000c1s7b0n0"], "ProcessingModel": "rigid"}"#;
const STATUS: &[Answer] = &[Json(200, Of("Locks")), MALFORMED];
const SWITCHED: &[Answer] = &[Json(200, Of("LockResult")), MALFORMED];
const RESERVED: &[Answer] = &[Json(200, Of("ReservationResult")), MALFORMED];

const fn switch(summary: &'static str) -> Operation {
    post(summary, SWITCHED)
        .body(Of("LockRequest"), r#"{"ComponentIDs": ["x1000c1s7b0n0"], "ProcessingModel": "flexible"}"#)
}

const fn keys(summary: &'static str) -> Operation {
    const KEYS: &str = r#"{"ReservationKeys": [{"ID": "x1000c1s7b0n0", "Key": "x1000c1s7b0n0:rk:none"}], "ProcessingModel": "flexible"}"#;
    post(summary, SWITCHED).body(Of("ReservationKeys"), KEYS)
}
