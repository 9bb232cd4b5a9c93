//! The cloud-init API as data: every route with what it takes and answers.

use super::access;
use crate::server::common::openapi::Answer::{Empty, Fails, Json, Text as Plain};
use crate::server::common::openapi::Schema::{Anything, Either, Map, Null, Object, Of, Text, Truth};
use crate::server::common::openapi::{
    Answer, Api, Failure, Named, Operation, Parameter, Route, delete, get, optional, post, put,
};

/// The cloud-init API.
pub static API: Api = Api {
    name: "cloud-init",
    title: "cloud-init server",
    description: "What nodes configure themselves with, as ochami-sync answers it. The secure store is the open one's \
        twin, for what only the holder of a token may read.",
    prefixes: &[""],
    routes: &[ENTRIES, SECURE_ENTRIES],
    parameters: &[Parameter("name", "The name of an entry: a group, an xname or a MAC address.", "compute")],
    schemas: &[SCHEMAS],
    failure: Failure::Text,
    is_open: |method, uri| access(method, uri.path()),
};

const MALFORMED: Answer = Fails(400, "The request holds what cannot be.");
const NOT_THERE: Answer = Fails(404, "There is no such entry.");

/// The open store.
const ENTRIES: &[Route] = &[
    Route("/cloud-init", &[LIST, CREATE]),
    Route("/cloud-init/{name}", &[SHOW, REPLACE, REMOVE]),
    Route("/cloud-init/user-data", &[OF_CLIENT]),
    Route("/cloud-init/meta-data", &[OF_CLIENT]),
    Route("/cloud-init/vendor-data", &[OF_CLIENT]),
    Route("/cloud-init/{name}/user-data", &[OF_NAME]),
    Route("/cloud-init/{name}/meta-data", &[OF_NAME]),
    Route("/cloud-init/{name}/vendor-data", &[OF_NAME]),
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
const SCHEMAS: &[Named] = &[Named(
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
)];

const DOCUMENT: crate::server::common::openapi::Schema = Either(&[Map(&Anything), Null]);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;

    use super::*;
    use crate::server::cloud_init::{CloudInitState, routes};
    use crate::server::common::openapi::check;
    use crate::store::Store;

    async fn prepared(_: &str, _: &Operation) -> Router {
        let router = routes(CloudInitState {
            store: Store::in_memory(),
            settings: Arc::default(),
            accesses: Default::default(),
        });
        for store in ["/cloud-init", "/cloud-init-secure"] {
            let made =
                check::ask(&router, "POST", store, r#"{"name": "compute", "cloud-init": {"userdata": {"a": 1}}}"#)
                    .await;
            assert_eq!(made.status, 200);
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
    async fn nonsense_at_any_route_is_the_clients_fault() {
        check::survives_nonsense(&API, &prepared("", &LIST).await).await;
    }
}
