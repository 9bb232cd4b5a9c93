//! The cloud-init API as data: every route with what it takes and answers.

mod admin;

use super::access;
use crate::server::common::openapi::Answer::{Empty, Fails, Json, Text as Plain};
use crate::server::common::openapi::Schema::{Anything, Either, Map, Null, Object, Of, Text, Truth, Whole};
use crate::server::common::openapi::{
    Answer, Api, Failure, Named, Operation, Parameter, Route, delete, get, optional, post, put, required,
};

/// The cloud-init API.
pub static API: Api = Api {
    name: "cloud-init",
    title: "cloud-init server",
    description: "What nodes configure themselves with, as ochami-sync answers it. The secure store is the open one's \
        twin, for what only the holder of a token may read.",
    prefixes: &[""],
    routes: &[ENTRIES, SECURE_ENTRIES, OF_NODES, admin::ROUTES],
    parameters: &[
        Parameter("name", "The name of an entry: a group, an xname or a MAC address.", "compute"),
        Parameter("group", "The name of a group.", "compute"),
        Parameter("id", "The xname of a node.", "x1000c1s7b0n0"),
        Parameter(
            "document",
            "`user-data`, `meta-data`, `vendor-data`, or the name of a group with `.yaml` behind it.",
            "user-data",
        ),
    ],
    schemas: &[SCHEMAS, admin::SCHEMAS],
    failure: Failure::Text,
    is_open: |method, uri| access(method, uri.path()),
};

const MALFORMED: Answer = Fails(400, "The request holds what cannot be.");
const NOT_THERE: Answer = Fails(404, "There is no such entry.");
const NOBODY: Answer = Fails(422, "The sender's address is that of no node.");

/// The open store.
const ENTRIES: &[Route] = &[
    Route("/cloud-init", &[LIST, CREATE]),
    Route("/cloud-init/{name}", &[SHOW_OR_FILE, REPLACE, REMOVE]),
    Route("/cloud-init/{name}/user-data", &[OF_NAME]),
    Route("/cloud-init/{name}/meta-data", &[OF_NAME]),
    Route("/cloud-init/{name}/vendor-data", &[OF_NAME]),
];

/// What a node asks for by its address, and what the service says of itself.
const OF_NODES: &[Route] = &[
    Route(
        "/cloud-init/user-data",
        &[get("Gives the user-data of the node that asks, by its address.", &[Plain(200, "text/plain")])],
    ),
    Route(
        "/cloud-init/meta-data",
        &[get(
            "Gives the meta-data of the node that asks, by its address.",
            &[Plain(200, "application/x-yaml"), Plain(200, "text/yaml"), NOBODY],
        )],
    ),
    Route(
        "/cloud-init/vendor-data",
        &[get(
            "Gives the vendor-data of the node that asks, by its address.",
            &[Plain(200, "text/plain"), Plain(200, "text/yaml"), NOBODY],
        )],
    ),
    Route(
        "/cloud-init/network-config",
        &[get("Gives the network's configuration, which is empty.", &[Plain(200, "application/x-yaml")])],
    ),
    Route(
        "/cloud-init/phone-home",
        &[post("Takes the word of the node at this address that its cloud-init has ended.", &[Empty(200)])],
    ),
    Route(
        "/cloud-init/phone-home/{id}",
        &[post("Takes a node's word that its cloud-init has ended, whatever the body says.", &[Empty(200)])],
    ),
    Route("/cloud-init/version", &[get("Says which version runs.", &[Json(200, Of("Version"))])]),
    Route(
        "/cloud-init/openapi.json",
        &[get("Describes today's part of this API, as the original does.", &[Plain(200, "text/plain")])],
    ),
];

/// The secure store.
const SECURE_ENTRIES: &[Route] = &[
    Route("/cloud-init-secure", &[LIST, CREATE]),
    Route("/cloud-init-secure/{name}", &[SHOW, REPLACE, REMOVE]),
    Route("/cloud-init-secure/user-data", &[OF_CLIENT]),
    Route("/cloud-init-secure/meta-data", &[OF_CLIENT]),
    Route("/cloud-init-secure/vendor-data", &[OF_CLIENT]),
    Route("/cloud-init-secure/{name}/user-data", &[OF_NAME]),
    Route("/cloud-init-secure/{name}/meta-data", &[OF_NAME]),
    Route("/cloud-init-secure/{name}/vendor-data", &[OF_NAME]),
];

const LIST: Operation = get("Lists entries by name.", &[Json(200, Map(&Of("Entry")))]);
const CREATE: Operation = post("Creates an entry.", &[Json(200, Text), MALFORMED, Fails(409, "There is one of that name.")])
    .body(Of("Entry"), r#"{"name": "login", "cloud-init": {"userdata": {"runcmd": ["date"]}, "metadata": {"instance-id": "i1"}, "vendordata": {}}, "jinja": false}"#);
const SHOW: Operation =
    get("Shows an entry, for an xname together with those of its groups.", &[Json(200, Of("Entry")), NOT_THERE]);
const SHOW_OR_FILE: Operation = get(
    "Shows an entry, for an xname together with those of its groups. With `.yaml` behind the name of a group, gives the \
     file of the group to a node that is in it, by its address.",
    &[
        Json(200, Of("Entry")),
        Plain(200, "text/plain"),
        Fails(404, "There is no such entry, or the node is not in the group."),
        NOBODY,
    ],
);
const REPLACE: Operation = put("Replaces an entry.", &[Json(200, Text), MALFORMED, NOT_THERE])
    .body(Of("Entry"), r#"{"name": "compute", "cloud-init": {"userdata": {"runcmd": ["date"]}}}"#);
const REMOVE: Operation =
    delete("Deletes an entry, if it is there.", &[Json(200, Object(&[optional("status", Text, "")]))]);
const OF_CLIENT: Operation = get(
    "Gives the document of the node that asks, by its address.",
    &[Plain(200, "text/plain"), Plain(200, "text/yaml"), Empty(422)],
);
const OF_NAME: Operation =
    get("Gives a document of an entry.", &[Plain(200, "text/plain"), Plain(200, "text/yaml"), NOT_THERE]);

/// The shapes of bodies and answers.
const SCHEMAS: &[Named] = &[
    Named(
        "Version",
        "",
        Object(&[
            required("process_name", Text, ""),
            required("build_info", Text, ""),
            required("uptime", Text, "In seconds, such as `7s`."),
            required("runtime_host", Text, "Always empty."),
            required("bytes_allocated", Whole, "Always 0."),
        ]),
    ),
    Named(
        "Entry",
        "What the nodes of a name are told.",
        Object(&[
            optional("name", Text, ""),
            optional(
                "cloud-init",
                Object(&[
                    optional("userdata", DOCUMENT, "What to do."),
                    optional("metadata", DOCUMENT, "Who the node is."),
                    optional("vendordata", DOCUMENT, "What the site adds."),
                ]),
                "",
            ),
            optional("jinja", Truth, "The documents are templates."),
        ]),
    ),
];

const DOCUMENT: crate::server::common::openapi::Schema = Either(&[Map(&Anything), Null]);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;

    use super::*;
    use crate::model::{Component, Object as Stored};
    use crate::server::cloud_init::{CloudInitState, routes};
    use crate::server::common::openapi::check;
    use crate::snapshot::Change;
    use crate::store::{Author, Decision, Store};

    async fn prepared(_: &str, _: &Operation) -> Router {
        let store = Store::in_memory();
        let node = Stored::Component(Arc::new(Component::bare("x1000c1s7b0n0".parse().unwrap())));
        let decide = move |_: &_| Ok::<_, ()>(Decision::new((), vec![Change::Put(node)]));
        store.write(Author("test".into()), decide).await.unwrap();
        let router = routes(CloudInitState { store, settings: Arc::default(), accesses: Default::default() });
        for store in ["/cloud-init", "/cloud-init-secure"] {
            let made =
                check::ask(&router, "POST", store, r#"{"name": "compute", "cloud-init": {"userdata": {"a": 1}}}"#)
                    .await;
            assert_eq!(made.status, 200);
        }
        for (path, body) in [
            ("groups", r##"{"name": "compute", "meta-data": {"a": 1}, "file": {"content": "#cloud-config"}}"##),
            ("cluster-defaults", r#"{"cluster-name": "demo", "public-keys": ["k"], "nid-length": 3}"#),
        ] {
            let made = check::ask(&router, "POST", &format!("/cloud-init/admin/{path}"), body).await;
            assert_eq!(made.status, 201);
        }
        router
    }

    #[test]
    fn the_document_is_sound() {
        check::is_sound(&API);
    }

    #[tokio::test]
    async fn the_table_and_the_router_have_the_same_paths_and_methods() {
        check::equals_router(&API, &prepared("", &LIST).await).await;
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
        check::survives_nonsense(&API, &prepared("", &LIST).await).await;
    }
}
