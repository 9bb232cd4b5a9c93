//! What a booting node asks for by its address, on the boot role and on the API role alike.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use super::CloudInitSettings;
use super::data::{self, Client, Local, Reached};
use crate::clock;
use crate::model::Xname;
use crate::server::common::{Accesses, Endpoint, body, plain};
use crate::store::BootReader;
use crate::wire::cloud_init::DataKind;

/// What the handlers share. Nothing of it can reach a secret.
#[derive(Clone)]
pub(super) struct NodeState {
    pub(super) reader: BootReader,
    pub(super) settings: Arc<CloudInitSettings>,
    pub(super) accesses: Accesses,
}

/// The largest body of a node's last word: some public keys.
const PHONE_HOME: usize = 64 * 1024;

/// Everything but the files of groups, whose paths the roles share out differently.
pub(super) fn routes(state: NodeState) -> Router {
    let network = get(|| async { data::network_config() });
    let mut router = Router::new()
        .route("/cloud-init/network-config", get_only(network))
        .route("/cloud-init/phone-home", post(phone_home))
        .route("/cloud-init/phone-home/{id}", post(phone_home));
    for kind in DataKind::ALL {
        let handler = async move |State(state): State<NodeState>, client: Client, local: Local| {
            data::told_client(&state.reader.load(), &Reached::new(&state.settings, local), client, kind)
        };
        router = router.route(&format!("/cloud-init/{}", kind.path()), get_only(get(handler)));
    }
    router.with_state(state)
}

/// `/{group}.yaml`, for the boot role, which has nothing else of one part.
pub(super) fn group_files(state: NodeState) -> Router {
    let handler = async |State(state): State<NodeState>, client: Client, Path(file): Path<String>| {
        data::file_of_client(&state.reader.load(), client, &file)
    };
    Router::new().route("/cloud-init/{file}", get_only(get(handler))).with_state(state)
}

/// The route with GET alone: the original answers HEAD with 405.
pub(super) fn get_only<S: Clone + Send + Sync + 'static>(routes: MethodRouter<S>) -> MethodRouter<S> {
    routes.head(|| async { StatusCode::METHOD_NOT_ALLOWED })
}

/// A node's last word of its cloud-init: taken from anybody and answered alike, so that no node waits for a better
/// answer, but believed of the node only whose address it comes from. A node need not say who it is.
async fn phone_home(
    State(state): State<NodeState>,
    client: Client,
    id: Option<Path<String>>,
    body: Body,
) -> Result<Response, Response> {
    let too_much = |problem: crate::server::common::Problem| plain::text(problem.status, &problem.detail);
    body::read_up_to(body, PHONE_HOME).await.map_err(too_much)?;
    let view = state.reader.load();
    let is_told = |node: &Xname| id.is_none_or(|Path(id)| id.parse::<Xname>().is_ok_and(|id| id == *node));
    let node = data::component_of(&view, client).filter(|node| is_told(&node.id));
    match node {
        Some(node) => {
            tracing::info!(node.xname = %node.id, "a node has ended its cloud-init");
            state.accesses.note(Endpoint::PhoneHome, &node.id, clock::now());
        }
        None => tracing::debug!("a phone home that is not from the address of its node"),
    }
    Ok(StatusCode::OK.into_response())
}
