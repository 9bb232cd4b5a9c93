//! `State/Components`.

use super::{CHANGED, COMPONENT_FILTERS, DELETED, MALFORMED, NOT_THERE};
use crate::server::common::openapi::Answer::{self, Empty, Json};
use crate::server::common::openapi::Schema::Of;
use crate::server::common::openapi::{Operation, Route, delete, get, patch, post, put};

/// The routes of components.
pub(super) const ROUTES: &[Route] = &[
    Route(
        "/State/Components",
        &[
            get("Lists components.", LIST).query(COMPONENT_FILTERS),
            post("Creates components; with `Force` also changes those that are there.", &[Empty(204), MALFORMED]).body(
                Of("Components"),
                r#"{"Components": [{"ID": "x1000c1s7b0n1", "State": "On", "NID": 2}], "Force": false}"#,
            ),
            delete("Deletes all components.", DELETED),
        ],
    ),
    Route(
        "/State/Components/{xname}",
        &[
            get("Shows a component.", &[Json(200, Of("Component")), NOT_THERE]),
            put("Creates a component, or with `Force` changes it.", &[Empty(204), MALFORMED])
                .body(Of("PutComponent"), r#"{"component": {"ID": "x1000c1s7b0n0", "State": "On"}, "Force": true}"#),
            delete("Deletes a component.", DELETED),
        ],
    ),
    Route(
        "/State/Components/ByNID/{nid}",
        &[get("Shows the node of a number.", &[Json(200, Of("Component")), MALFORMED, NOT_THERE])],
    ),
    Route(
        "/State/Components/ByNID/Query",
        &[post("Lists the nodes of some numbers.", LIST)
            .body(Of("NidQuery"), r#"{"NIDRanges": ["1-9"], "nidonly": true}"#)],
    ),
    Route(
        "/State/Components/Query",
        &[post("Lists what is at and below some components.", LIST)
            .body(Of("ComponentQuery"), r#"{"ComponentIDs": ["x1000c1"], "type": ["Node"], "stateonly": true}"#)],
    ),
    Route(
        "/State/Components/Query/{xname}",
        &[get("Lists what is at and below a component.", LIST).query(COMPONENT_FILTERS)],
    ),
    Route(
        "/State/Components/{xname}/StateData",
        &[change("Sets a state.", r#"{"State": "Ready", "Flag": "OK", "Force": true}"#, "StatePatch")],
    ),
    Route("/State/Components/{xname}/FlagOnly", &[change("Sets a flag.", r#"{"Flag": "Warning"}"#, "FlagPatch")]),
    Route(
        "/State/Components/{xname}/Enabled",
        &[change("Enables or disables.", r#"{"Enabled": false}"#, "EnabledPatch")],
    ),
    Route(
        "/State/Components/{xname}/SoftwareStatus",
        &[change("Sets the software status.", r#"{"SoftwareStatus": "AdminStandby"}"#, "SoftwareStatusPatch")],
    ),
    Route(
        "/State/Components/{xname}/Role",
        &[change("Sets role and sub-role.", r#"{"Role": "Service", "SubRole": "Worker"}"#, "RolePatch")],
    ),
    Route("/State/Components/{xname}/NID", &[change("Sets the number.", r#"{"NID": 7}"#, "NidPatch")]),
    Route(
        "/State/Components/BulkStateData",
        &[change(
            "Sets the state of components.",
            r#"{"ComponentIDs": ["x1000c1s7b0n0"], "State": "Ready"}"#,
            "BulkStatePatch",
        )],
    ),
    Route(
        "/State/Components/BulkFlagOnly",
        &[change(
            "Sets the flag of components.",
            r#"{"ComponentIDs": ["x1000c1s7b0n0"], "Flag": "Warning"}"#,
            "BulkFlagPatch",
        )],
    ),
    Route(
        "/State/Components/BulkEnabled",
        &[change(
            "Enables or disables components.",
            r#"{"ComponentIDs": ["x1000c1s7b0n0"], "Enabled": false}"#,
            "BulkEnabledPatch",
        )],
    ),
    Route(
        "/State/Components/BulkSoftwareStatus",
        &[change(
            "Sets the software status of components.",
            r#"{"ComponentIDs": ["x1000c1s7b0n0"], "SoftwareStatus": "AdminStandby"}"#,
            "BulkSoftwareStatusPatch",
        )],
    ),
    Route(
        "/State/Components/BulkRole",
        &[change(
            "Sets role and sub-role of components.",
            r#"{"ComponentIDs": ["x1000c1s7b0n0"], "Role": "Service"}"#,
            "BulkRolePatch",
        )],
    ),
    Route(
        "/State/Components/BulkNID",
        &[change(
            "Sets the numbers of nodes.",
            r#"{"Components": [{"ID": "x1000c1s7b0n0", "NID": 7}]}"#,
            "BulkNidPatch",
        )],
    ),
];

const LIST: &[Answer] = &[Json(200, Of("Components")), MALFORMED, NOT_THERE];

/// A change of one field, of one component or of many.
const fn change(summary: &'static str, example: &'static str, schema: &'static str) -> Operation {
    patch(summary, CHANGED).body(Of(schema), example)
}
