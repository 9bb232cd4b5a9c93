//! BSS's API as data: every route with what it takes and answers.

use super::{PREFIXES, access};
use crate::model::{Arch, Class, Flag, NetType, Role, State, SubRole, XnameType};
use crate::server::common::openapi::Answer::{Empty, Fails, Json, Text as Plain};
use crate::server::common::openapi::Schema::{
    Anything, Either, List, Map, Null, Object, Of, Text, Truth, Whole, Words,
};
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

/// How a query names nodes.
const NODES: &[Query] = &[
    Query("mac", Text, "MAC addresses, parted by commas."),
    Query("name", Text, "Xnames, parted by commas."),
    Query("nid", Text, "Numbers, parted by commas."),
];

/// The routes.
const ROUTES: &[Route] = &[
    Route(
        "/bootparameters",
        &[
            get(
                "Lists boot parameters.",
                &[Json(200, Either(&[List(&Of("BootParameters")), Null])), MALFORMED, NOT_THERE],
            )
            .query(NODES),
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
            "Gives the iPXE script of a node.",
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
    Route(
        "/hosts",
        &[
            get(
                "Lists the nodes that boot, as SMD has them, or those that the query names.",
                &[Json(200, List(&Of("Host"))), MALFORMED, Fails(404, "The query names a node that there is not.")],
            )
            .query(NODES),
            post("Asks to have SMD read again, which is never needed here: nothing is done.", &[Empty(204)]),
        ],
    ),
    Route("/dumpstate", &[get("Gives the nodes that boot and all boot parameters.", &[Json(200, Of("Dump"))])]),
    Route(
        "/endpoint-history",
        &[get(
            "Tells when each node last asked for its boot script, and when it last phoned home.",
            &[Json(200, List(&Of("EndpointAccess"))), MALFORMED],
        )
        .query(&[Query("name", Text, "The node's xname."), Query("endpoint", Text, "What was asked for.")])],
    ),
    Route(
        "/scn",
        &[post(
            "Takes a notice of a change in SMD, which is known here already: nothing is done.",
            &[Empty(200), MALFORMED],
        )
        .body(Of("Notice"), r#"{"Components": ["x1000c1s7b0n0"], "State": "Ready"}"#)],
    ),
    Route("/service/status", &[get("Says that BSS runs.", &[Json(200, Of("Status"))]).any()]),
    Route("/service/status/all", &[get("Says how BSS and what it needs are.", &[Json(200, Of("Status"))])]),
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
            optional("macs", List(&Of("MAC")), "With colons."),
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
        "Host",
        "A node as SMD has it. What is not known of it is left out.",
        Object(&[
            required("ID", Of("Xname"), ""),
            required("Type", Words(|| XnameType::ALL.iter().map(|kind| kind.as_str()).collect()), ""),
            optional("State", Words(|| State::ALL.iter().map(|word| word.as_str()).collect()), ""),
            optional("Flag", Words(|| Flag::ALL.iter().map(|word| word.as_str()).collect()), ""),
            optional("Enabled", Truth, ""),
            optional("SoftwareStatus", Text, ""),
            optional("Role", Words(|| Role::ALL.iter().map(|word| word.as_str()).collect()), ""),
            optional("SubRole", Words(|| SubRole::ALL.iter().map(|word| word.as_str()).collect()), ""),
            optional("NID", Whole, ""),
            optional("Subtype", Text, ""),
            optional("NetType", Words(|| NetType::ALL.iter().map(|word| word.as_str()).collect()), ""),
            optional("Arch", Words(|| Arch::ALL.iter().map(|word| word.as_str()).collect()), ""),
            optional("Class", Words(|| Class::ALL.iter().map(|word| word.as_str()).collect()), ""),
            optional("ReservationDisabled", Truth, "Shown when true."),
            optional("Locked", Truth, "Shown when true."),
            required("FQDN", Text, "Always empty."),
            required("MAC", Either(&[List(&Of("MAC")), Null]), ""),
            required("EndpointEnabled", Truth, "Whether SMD has its endpoint, and has it enabled."),
        ]),
    ),
    Named(
        "Dump",
        "",
        Object(&[
            required("Components", List(&Of("Host")), ""),
            required("Params", Either(&[List(&Of("BootParameters")), Null]), ""),
        ]),
    ),
    Named(
        "EndpointAccess",
        "The last time that a node asked for something.",
        Object(&[
            required("name", Text, "The node's xname."),
            required("endpoint", Text, "`bootscript` or `phone-home`."),
            required("last_epoch", Whole, "Seconds since 1970."),
        ]),
    ),
    Named("Notice", "Any object: nothing of it is needed.", Map(&Anything)),
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
    use crate::clock;
    use crate::model::{Component, EthernetInterface, Nid, Object as Stored, Timestamp};
    use crate::server::bss::{BssSettings, BssState, routes};
    use crate::server::common::openapi::{Operation, check};
    use crate::server::common::{Accesses, Endpoint};
    use crate::snapshot::Change;
    use crate::store::{Author, Decision, Store};

    /// A store with two nodes, of which one has an interface.
    async fn store() -> Store {
        let node = |id: &str| Component { nid: Some(Nid(1)), ..Component::bare(id.parse().unwrap()) };
        let interface = EthernetInterface {
            mac: "02:00:00:00:00:09".parse().unwrap(),
            description: String::new(),
            last_update: Timestamp(0),
            component_id: Some("x1000c1s7b0n0".parse().unwrap()),
            ip_addresses: Vec::new(),
        };
        let objects = [
            Stored::Component(Arc::new(node("x1000c1s7b0n0"))),
            Stored::Component(Arc::new(Component { nid: None, ..node("x1000c1s7b1n0") })),
            Stored::EthernetInterface(Arc::new(interface)),
        ];
        let store = Store::in_memory();
        let decide = move |_: &_| Ok::<_, ()>(Decision::new((), objects.into_iter().map(Change::Put).collect()));
        store.write(Author("test".into()), decide).await.unwrap();
        store
    }

    async fn prepared(_: &str, _: &Operation) -> Router {
        let script = ScriptSettings {
            advertise_address: String::new(),
            chain_base_url: String::new(),
            boot_port: 80,
            retry_delay: 30,
            unknown_delay: 10,
        };
        let settings = Arc::new(BssSettings { script: Arc::new(script), storage: "sqlite" });
        let accesses = Accesses::default();
        accesses.note(Endpoint::BootScript, &"x1000c1s7b0n0".parse().unwrap(), clock::now());
        let router = routes(BssState { store: store().await, settings, accesses });
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
    async fn every_member_of_a_body_is_read_in_any_capitals() {
        check::reads_names_in_any_capitals(&API, prepared).await;
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
