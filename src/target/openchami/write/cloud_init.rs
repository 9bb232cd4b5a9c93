//! Writing cloud-init entries of both stores.

use reqwest::{Method, StatusCode};

use super::{Session, Settled, parallel, reason, segment};
use crate::model::Object;
use crate::plan::Action;
use crate::wire::cloud_init;

impl Session {
    /// New entries are posted and present ones put, because the server refuses either the other way round.
    pub(super) async fn put_entries(&self, wanted: &[usize]) -> Vec<Settled> {
        let requests = wanted.iter().copied().map(|at| async move {
            let write = &self.writes[at];
            let (Some(Object::CloudInit(entry)) | Some(Object::CloudInitSecure(entry))) = &write.object else {
                return (vec![at], Err("not a cloud-init entry".to_owned()));
            };
            let put = format!("/{}", segment(&write.key));
            if write.action == Action::Create {
                match self.client.send(Method::POST, write.key.kind, "", Some(cloud_init::create_body(entry))).await {
                    // The server of August 2024 answers 404 for an entry that exists.
                    Err(fault) if matches!(fault.status, Some(StatusCode::NOT_FOUND | StatusCode::CONFLICT)) => {}
                    answer => return (vec![at], reason(answer)),
                }
            }
            (
                vec![at],
                reason(
                    self.client.send(Method::PUT, write.key.kind, &put, Some(cloud_init::replace_body(entry))).await,
                ),
            )
        });
        parallel(requests).await
    }
}
