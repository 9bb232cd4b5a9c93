//! Writing cloud-init entries of both stores.

use std::sync::Arc;

use reqwest::{Method, StatusCode};

use super::{Failed, Session, Settled, done, parallel, segment};
use crate::model::{GroupLabel, Object, ObjectKey};
use crate::plan::Action;
use crate::wire::cloud_init;

impl Session {
    pub(super) async fn put_entries(&self, wanted: &[usize]) -> Vec<Settled> {
        let requests = wanted.iter().copied().map(|at| async move {
            let result = self.put_entry(at).await;
            // Whoever would be configured by it must not be told to boot something new without it.
            let held_back = |failed| Failed { nodes: self.configured_by(&self.writes[at].key), ..failed };
            (vec![at], result.map_err(held_back))
        });
        parallel(requests).await
    }

    /// New entries are posted and present ones put, because the server refuses either the other way round.
    async fn put_entry(&self, at: usize) -> Result<(), Failed> {
        let write = &self.writes[at];
        let (Some(Object::CloudInit(entry)) | Some(Object::CloudInitSecure(entry))) = &write.object else {
            return Err("not a cloud-init entry".into());
        };
        if write.action == Action::Create {
            let body = Some(cloud_init::create_body(entry));
            match self.client.send(Method::POST, write.key.kind, "", body).await {
                // The server of August 2024 answers 404 for an entry that exists.
                Err(fault) if matches!(fault.status, Some(StatusCode::NOT_FOUND | StatusCode::CONFLICT)) => {}
                answer => return done(answer),
            }
        }
        let body = Some(cloud_init::replace_body(entry));
        done(self.client.send(Method::PUT, write.key.kind, &format!("/{}", segment(&write.key)), body).await)
    }

    /// The nodes that an entry is for: the members of the group that it is named after, or the node itself.
    fn configured_by(&self, key: &ObjectKey) -> Vec<Arc<str>> {
        let group = key.id.parse::<GroupLabel>().ok().and_then(|label| self.after.boot.groups.get(&label));
        match group {
            Some(group) => group.members.iter().cloned().map(Arc::from).collect(),
            None => vec![key.id.clone()],
        }
    }
}
