//! BSS's API as data: every route with what it takes and answers.

use super::{PREFIXES, access};
use crate::server::common::openapi::Answer::{Empty, Fails, Json, Text as Plain};
use crate::server::common::openapi::Schema::{Either, List, Null, Object, Of, Text, Whole};
use crate::server::common::openapi::{
    Answer, Api, Failure, Named, Query, Route, delete, get, optional, patch, post, put, required,
};

/// BSS's API.
pub static API: Api = Api {
    name: "bss",
    title: "Boot Script Service (BSS)",
    description: "What nodes boot, as ochami-sync answers it.",
    prefixes: &PREFIXES,
    routes: &[ROUTES],
    parameters: &[],
    schemas: &[SCHEMAS],
    failure: Failure::Problem,
    is_open: access,
};

const MALFORMED: Answer = Fails(400, "The request holds what cannot be.");
const NOT_THERE: Answer = Fails(404, "There are no such parameters.");

/// The routes.
const ROUTES: &[Route] = &[
    Route(
        "/bootparameters",
        &[
            get(
                "Lists boot parameters.",
                &[Json(200, Either(&[List(&Of("BootParameters")), Null])), MALFORMED, NOT_THERE],
            )
            .query(&[
                Query("mac", Text, "MAC addresses, parted by commas."),
                Query("name", Text, "Xnames, parted by commas."),
                Query("nid", Text, "Numbers, parted by commas."),
            ]),
            post("Creates boot parameters.", &[Empty(201), MALFORMED, Fails(409, "Some are there already.")]).body(
                Of("BootParametersRequest"),
                r#"{"macs": ["02:00:00:00:00:02"], "kernel": "http://demo/vmlinuz", "params": "quiet"}"#,
            ),
            put("Creates or replaces boot parameters.", &[Empty(200), MALFORMED]).body(
                Of("BootParametersRequest"),
                r#"{"hosts": ["x1000c1s7b0n0"], "kernel": "http://demo/vmlinuz", "initrd": "http://demo/initrd"}"#,
            ),
            patch("Changes what is given of boot parameters.", &[Empty(200), MALFORMED, NOT_THERE])
                .body(Of("BootParametersRequest"), r#"{"macs": ["02:00:00:00:00:01"], "params": "quiet"}"#),
            delete("Deletes boot parameters.", &[Empty(200), MALFORMED, NOT_THERE])
                .body(Of("BootParametersRequest"), r#"{"macs": ["02:00:00:00:00:01"], "nids": [1]}"#),
        ],
    ),
    Route(
        "/bootscript",
        &[get(
            "Gives the iPXE script of a node. By `mac` it takes no token.",
            &[
                Plain(200, "text/plain"),
                Json(200, Of("BootScript")),
                MALFORMED,
                Fails(404, "The node has nothing to boot."),
            ],
        )
        .query(&[
            Query("mac", Text, "A MAC address of the node, in any spelling."),
            Query("name", Text, "The node's xname."),
            Query("nid", Whole, "The node's number."),
            Query("arch", Text, "The architecture that the firmware names."),
            Query("retry", Whole, "How often it has failed."),
            Query("json", Whole, "1 for the script's parts as JSON."),
        ])],
    ),
    Route("/service/status", &[get("Says that BSS runs.", &[Json(200, Of("Status"))]).any()]),
    Route("/service/status/all", &[get("Says how BSS and what it needs are.", &[Json(200, Of("Status"))]).any()]),
    Route("/service/hsm", &[get("Says whether SMD can be reached.", &[Json(200, Of("Status"))]).any()]),
    Route("/service/storage/status", &[get("Says how the storage is.", &[Json(200, Of("Status"))]).any()]),
    Route("/service/version", &[get("Says which version runs.", &[Json(200, Of("Status"))]).any()]),
];

/// The shapes of bodies and answers.
const SCHEMAS: &[Named] = &[
    Named("Xname", "The physical location of a node, such as `x1000c1s7b0n0`.", Text),
    Named("MAC", "A MAC address.", Text),
    Named(
        "BootParametersRequest",
        "Which nodes, and what they boot.",
        Object(&[
            optional("hosts", List(&Of("Xname")), ""),
            optional("macs", List(&Of("MAC")), "In any spelling."),
            optional("nids", List(&Whole), "Numbers."),
            optional("kernel", Text, "A URL."),
            optional("initrd", Text, "A URL."),
            optional("params", Text, "The kernel's command line."),
        ]),
    ),
    Named(
        "BootParameters",
        "",
        Object(&[
            optional("hosts", List(&Text), ""),
            optional("macs", List(&Text), ""),
            optional("nids", List(&Whole), ""),
            optional("kernel", Text, ""),
            optional("initrd", Text, ""),
            optional("params", Text, ""),
            required(
                "cloud-init",
                Object(&[
                    required("meta-data", Null, ""),
                    required("user-data", Null, ""),
                    required(
                        "phone-home",
                        Object(&[
                            required("pub_key_dsa", Text, ""),
                            required("pub_key_rsa", Text, ""),
                            required("pub_key_ecdsa", Text, ""),
                            required("instance_id", Text, ""),
                            required("hostname", Text, ""),
                            required("fqdn", Text, ""),
                        ]),
                        "",
                    ),
                ]),
                "Always empty: cloud-init has its own service.",
            ),
        ]),
    ),
    Named(
        "BootScript",
        "",
        Object(&[
            required("params", Text, "The kernel's command line."),
            required("kernel", Object(&[required("path", Text, "A URL.")]), ""),
            required("initrd", Object(&[required("path", Text, "A URL, or empty.")]), ""),
        ]),
    ),
    Named(
        "Status",
        "",
        Object(&[
            optional("bss-status", Text, ""),
            optional("bss-status-hsm", Text, ""),
            optional("bss-storage-backend", Object(&[required("name", Text, ""), required("status", Text, "")]), ""),
            optional("bss-version", Text, ""),
        ]),
    ),
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;

    use super::*;
    use crate::boot::ScriptSettings;
    use crate::server::bss::{BssSettings, BssState, routes};
    use crate::server::common::openapi::{Operation, check};
    use crate::store::Store;

    async fn prepared(_: &str, _: &Operation) -> Router {
        let script = ScriptSettings {
            advertise_address: String::new(),
            chain_base_url: String::new(),
            boot_port: 80,
            retry_delay: 30,
            unknown_delay: 10,
        };
        let settings = Arc::new(BssSettings { script: Arc::new(script), storage: "sqlite" });
        let router = routes(BssState { store: Store::in_memory(), settings, accesses: Default::default() });
        for body in [r#"{"macs": ["02:00:00:00:00:01"], "kernel": "k"}"#, r#"{"nids": [1], "kernel": "k"}"#] {
            assert_eq!(check::ask(&router, "POST", "/boot/v1/bootparameters", body).await.status, 201);
        }
        router
    }

    /// Any operation: what is prepared is the same for all.
    const ANY: &Operation = &ROUTES[0].1[0];

    #[test]
    fn the_document_is_sound() {
        check::is_sound(&API);
    }

    #[tokio::test]
    async fn the_table_and_the_router_have_the_same_paths_and_methods() {
        check::equals_router(&API, &prepared("", ANY).await).await;
    }

    #[tokio::test]
    async fn every_example_is_answered_as_the_table_says() {
        check::answers_as_listed(&API, prepared).await;
    }

    #[tokio::test]
    async fn every_member_of_a_body_that_the_table_names_is_read() {
        check::reads_what_it_lists(&API, prepared).await;
    }

    #[tokio::test]
    async fn nonsense_at_any_route_is_the_clients_fault() {
        check::survives_nonsense(&API, &prepared("", ANY).await).await;
    }

    #[tokio::test]
    async fn what_is_no_xname_or_mac_is_refused_wherever_one_stands() {
        check::refuses_what_cannot_be(&API, &["Xname", "MAC"], prepared).await;
    }
}
