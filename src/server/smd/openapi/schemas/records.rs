//! Shapes of locks and of subscriptions.

use crate::server::common::openapi::Schema::{Either, Format, List, Null, Object, Of, Text, Truth, Whole};
use crate::server::common::openapi::{Field, Named, optional, required};

const MODEL: Field = optional("ProcessingModel", Text, "`rigid`: whole or not at all; `flexible`: as far as it can.");
const MINUTES: Field = optional("ReservationDuration", Whole, "In minutes; 1 to 15.");
const FAILURES: Field =
    required("Failure", List(&Object(&[required("ID", Text, ""), required("Reason", Text, "")])), "");

/// Who is told of which changes.
pub(in super::super) const SUBSCRIPTIONS: &[Named] = &[
    Named(
        "SubscriptionRequest",
        "Who is told of which changes.",
        Object(&[
            required("Subscriber", Text, ""),
            required("Url", Format("uri"), "Where notices are posted; http or https, without a password."),
            optional("Enabled", Truth, ""),
            optional("Roles", List(&Text), ""),
            optional("SubRoles", List(&Text), ""),
            optional("SoftwareStatus", List(&Text), ""),
            optional("States", List(&Text), ""),
        ]),
    ),
    Named(
        "SubscriptionPatch",
        "",
        Object(&[
            required("Op", Text, "`add`, `remove` or `replace`."),
            optional("Enabled", Truth, ""),
            optional("Roles", List(&Text), ""),
            optional("SubRoles", List(&Text), ""),
            optional("SoftwareStatus", List(&Text), ""),
            optional("States", List(&Text), ""),
        ]),
    ),
    Named(
        "Subscription",
        "",
        Object(&[
            required("ID", Whole, ""),
            required("Subscriber", Text, ""),
            required("Url", Format("uri"), ""),
            optional("Enabled", Truth, ""),
            optional("Roles", List(&Text), ""),
            optional("SubRoles", List(&Text), ""),
            optional("SoftwareStatus", List(&Text), ""),
            optional("States", List(&Text), ""),
        ]),
    ),
    Named("Subscriptions", "", Object(&[required("SubscriptionList", Either(&[List(&Of("Subscription")), Null]), "")])),
];

/// What `locks` speaks.
pub(in super::super) const LOCKS: &[Named] = &[
    Named(
        "LockRequest",
        "Which components, by any of their properties, and what is wanted of them.",
        Object(&[
            optional("ComponentIDs", List(&Text), ""),
            optional("NID", List(&Text), ""),
            optional("Type", List(&Text), ""),
            optional("State", List(&Text), ""),
            optional("Flag", List(&Text), ""),
            optional("Enabled", List(&Text), ""),
            optional("SoftwareStatus", List(&Text), ""),
            optional("Role", List(&Text), ""),
            optional("SubRole", List(&Text), ""),
            optional("Subtype", List(&Text), ""),
            optional("Arch", List(&Text), ""),
            optional("Class", List(&Text), ""),
            optional("Group", List(&Text), ""),
            optional("Partition", List(&Text), ""),
            optional("Locked", List(&Text), ""),
            optional("Reserved", List(&Text), ""),
            optional("ReservationDisabled", List(&Text), ""),
            MODEL,
            MINUTES,
        ]),
    ),
    Named("Key", "", Object(&[required("ID", Of("Xname"), ""), required("Key", Text, "")])),
    Named("ReservationKeys", "", Object(&[required("ReservationKeys", List(&Of("Key")), ""), MODEL, MINUTES])),
    Named("DeputyKeys", "", Object(&[required("DeputyKeys", List(&Of("Key")), "")])),
    Named(
        "Lock",
        "",
        Object(&[
            required("ID", Of("Xname"), ""),
            required("Locked", Truth, ""),
            required("Reserved", Truth, ""),
            optional("CreationTime", Format("date-time"), ""),
            optional("ExpirationTime", Format("date-time"), ""),
            required("ReservationDisabled", Truth, ""),
        ]),
    ),
    Named("Locks", "", Object(&[required("Components", List(&Of("Lock")), ""), optional("NotFound", List(&Text), "")])),
    Named(
        "LockResult",
        "",
        Object(&[
            required(
                "Counts",
                Object(&[required("Total", Whole, ""), required("Success", Whole, ""), required("Failure", Whole, "")]),
                "",
            ),
            required("Success", Object(&[required("ComponentIDs", List(&Of("Xname")), "")]), ""),
            FAILURES,
        ]),
    ),
    Named(
        "ReservationResult",
        "",
        Object(&[
            required(
                "Success",
                List(&Object(&[
                    required("ID", Of("Xname"), ""),
                    required("DeputyKey", Text, ""),
                    optional("ReservationKey", Text, ""),
                    optional("CreationTime", Format("date-time"), ""),
                    optional("ExpirationTime", Format("date-time"), ""),
                ])),
                "",
            ),
            FAILURES,
        ]),
    ),
];
