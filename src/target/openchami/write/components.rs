//! Writing components: new ones many at once, changes field by field.
//!
//! State and Flag belong to those who watch the hardware. SMD has requests of their own for most other fields; only
//! Arch, Class and NetType cannot be set without State and Flag, and describing what is behind a controller resets all
//! of them. What SMD holds is read in the moment before such a request, and given back with it.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json as tree;

use super::{Failed, Fault, Session, Settled, done, json, parallel};
use crate::model::{Component, Kind, Object, Role, SubRole, Xname};
use crate::plan::Action;
use crate::wire::smd::{BulkNidRequest, ComponentBody, ComponentsRequest, PutComponentRequest};

/// Components in one POST. The real SMD fails above 4,369, where its database runs out of parameters.
const CHUNK: usize = 2000;

impl Session {
    fn component(&self, at: usize) -> Option<&Arc<Component>> {
        match &self.writes[at].object {
            Some(Object::Component(component)) => Some(component),
            _ => None,
        }
    }

    pub(super) async fn put_components(&self, wanted: &[usize]) -> Vec<Settled> {
        let (new, present): (Vec<usize>, Vec<usize>) =
            wanted.iter().partition(|at| self.writes[**at].action == Action::Create);
        let mut settled = Vec::new();
        for chunk in new.chunks(CHUNK) {
            settled.extend(self.post_components(chunk).await);
        }
        let requests = present.into_iter().map(|at| async move { (vec![at], self.update_component(at).await) });
        settled.extend(parallel(requests).await);
        settled
    }

    /// Posts many at once; when that is refused, one by one, so that one bad component does not hold up the others.
    async fn post_components(&self, chunk: &[usize]) -> Vec<Settled> {
        let whole = self.post_some(chunk).await;
        // A service that does not answer would not answer 2,000 single requests either.
        let refused = whole.as_ref().is_err_and(|fault| fault.status.is_some_and(|status| status.is_client_error()));
        if !refused || chunk.len() == 1 {
            return vec![(chunk.to_vec(), done(whole))];
        }
        parallel(chunk.iter().copied().map(|at| async move { (vec![at], done(self.post_some(&[at]).await)) })).await
    }

    async fn post_some(&self, writes: &[usize]) -> Result<Vec<u8>, Fault> {
        let components = writes.iter().filter_map(|&at| self.component(at)).map(AsRef::as_ref);
        let body = json(&ComponentsRequest::new(components, false));
        self.client.send(Method::POST, Kind::Component, "/State/Components", body).await
    }

    async fn update_component(&self, at: usize) -> Result<(), Failed> {
        let (Some(Object::Component(old)), Some(new)) = (&self.writes[at].before, self.component(at)) else {
            return Err("not a component".into());
        };
        if (old.arch, old.class, old.net_type) != (new.arch, new.class, new.net_type) {
            let held = self.held(&new.id).await?.ok_or("it is not there any more")?;
            self.force(&Component { arch: new.arch, class: new.class, net_type: new.net_type, ..held }).await?;
        }
        let base = format!("/State/Components/{}", new.id);
        if old.enabled != new.enabled {
            self.patch_component(format!("{base}/Enabled"), tree!({ "Enabled": new.enabled })).await?;
        }
        if (old.role, old.sub_role) != (new.role, new.sub_role) {
            let role = new.role.map_or("", Role::as_str);
            let sub_role = new.sub_role.map_or("", SubRole::as_str);
            self.patch_component(format!("{base}/Role"), tree!({ "Role": role, "SubRole": sub_role })).await?;
        }
        if let Some(nid) = new.nid.filter(|nid| Some(*nid) != old.nid) {
            let body = json(&BulkNidRequest::new([(&new.id, nid)]));
            done(self.client.send(Method::PATCH, Kind::Component, "/State/Components/BulkNID", body).await)?;
        }
        Ok(())
    }

    async fn patch_component(&self, path: String, body: serde_json::Value) -> Result<(), Failed> {
        done(self.client.send(Method::PATCH, Kind::Component, &path, json(&body)).await)
    }

    /// A component as SMD holds it in this moment; none where it has none.
    pub(super) async fn held(&self, id: &Xname) -> Result<Option<Component>, Failed> {
        let body = match self.client.read(Kind::Component, &format!("/State/Components/{id}")).await {
            Ok(body) => body,
            Err(fault) if fault.status == Some(reqwest::StatusCode::NOT_FOUND) => return Ok(None),
            Err(fault) => return Err(fault.into()),
        };
        let row: ComponentBody = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        Ok(Some(Component::try_from(row).map_err(|error| error.to_string())?))
    }

    /// Sets State, Flag, Subtype, NetType, Arch and Class of a component that is there.
    pub(super) async fn force(&self, component: &Component) -> Result<(), Failed> {
        let path = format!("/State/Components/{}", component.id);
        let body = json(&PutComponentRequest::new(component, true));
        done(self.client.send(Method::PUT, Kind::Component, &path, body).await)
    }
}

/// True when something would be lost if SMD forgot all that describing a controller resets.
pub(super) fn has_something_to_lose(component: &Component) -> bool {
    let words = component.net_type.is_some() || component.arch.is_some() || component.class.is_some();
    words || component.state.is_some() || component.flag.is_some() || component.subtype.is_some()
}
