//! Writing cloud-init data: entries of both stores, and the defaults, groups and instances of today's generation.

use std::sync::Arc;

use reqwest::{Method, StatusCode};

use super::{Failed, Session, Settled, done, parallel, path, segment};
use crate::model::{GroupLabel, Kind, Object, ObjectKey};
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

    /// Defaults are posted, and all else is put: both make what is not there, and a put replaces what is.
    pub(super) async fn put_instance_data(&self, wanted: &[usize]) -> Vec<Settled> {
        let requests = wanted.iter().copied().map(|at| async move {
            let write = &self.writes[at];
            let (method, body) = match &write.object {
                Some(Object::ClusterDefaults(defaults)) => (Method::POST, cloud_init::defaults_json(defaults)),
                Some(Object::CloudInitGroup(group)) => (Method::PUT, cloud_init::group_json(group)),
                Some(Object::InstanceInfo(instance)) => (Method::PUT, cloud_init::instance_json(instance)),
                _ => return (vec![at], Err("not data of today's cloud-init server".into())),
            };
            let result = done(self.client.send(method, write.key.kind, &path(&write.key), Some(body)).await);
            let held_back = |failed| Failed { nodes: self.configured_by(&write.key), ..failed };
            (vec![at], result.map_err(held_back))
        });
        parallel(requests).await
    }

    /// Takes away what is special about nodes. The server has no way to delete it, but forgets what is not given.
    pub(super) async fn clear_instances(&self, wanted: &[usize]) -> Vec<Settled> {
        let requests = wanted.iter().copied().map(|at| async move {
            let key = &self.writes[at].key;
            let body = Some(cloud_init::no_instance_json(&key.id));
            (vec![at], done(self.client.send(Method::PUT, key.kind, &path(key), body).await))
        });
        parallel(requests).await
    }

    /// The nodes that cloud-init data is for: every node for the defaults, otherwise the members of the group that it is
    /// named after, or the node itself.
    fn configured_by(&self, key: &ObjectKey) -> Vec<Arc<str>> {
        if key.kind == Kind::ClusterDefaults {
            let nodes = self.after.boot.components.keys().filter(|xname| xname.is_node());
            return nodes.cloned().map(Arc::from).collect();
        }
        let group = key.id.parse::<GroupLabel>().ok().and_then(|label| self.after.boot.groups.get(&label));
        match group {
            Some(group) => group.members.iter().cloned().map(Arc::from).collect(),
            None => vec![key.id.clone()],
        }
    }
}
