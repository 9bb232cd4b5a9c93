//! Writing SMD's objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::json as tree;

use super::{Fault, Session, Settled, grouped, json, parallel, reason, segment};
use crate::model::{Component, Group, Kind, MacAddr, Object, ObjectKey, Xname};
use crate::plan::Action;
use crate::wire::smd::{
    ComponentsRequest, DiscoveryRequest, GroupPatchRequest, GroupView, InterfacePatchRequest, InterfaceRequest,
    ManagerBody, MemberView, PutComponentRequest, SystemBody,
};

/// Components in one POST. The real SMD fails above 4,369, where its database runs out of parameters.
const CHUNK: usize = 2000;

/// Where an object is, below its service's address.
pub(super) fn path(key: &ObjectKey) -> String {
    match key.kind {
        Kind::Component => format!("/State/Components/{}", key.id),
        Kind::RedfishEndpoint => format!("/Inventory/RedfishEndpoints/{}", key.id),
        Kind::ComponentEndpoint => format!("/Inventory/ComponentEndpoints/{}", key.id),
        Kind::EthernetInterface => format!("/Inventory/EthernetInterfaces/{}", key.id.replace(':', "")),
        Kind::Group => format!("/groups/{}", key.id),
        Kind::CloudInit | Kind::CloudInitSecure => format!("/{}", segment(key)),
        Kind::BootParams => "/bootparameters".to_owned(),
    }
}

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
            return vec![(chunk.to_vec(), reason(whole))];
        }
        parallel(chunk.iter().copied().map(|at| async move { (vec![at], reason(self.post_some(&[at]).await)) })).await
    }

    async fn post_some(&self, writes: &[usize]) -> Result<Vec<u8>, Fault> {
        let components = writes.iter().filter_map(|&at| self.component(at)).map(AsRef::as_ref);
        let body = json(&ComponentsRequest::new(components, false));
        self.client.send(Method::POST, Kind::Component, "/State/Components", body).await
    }

    /// SMD has a request of its own for most fields, and silently keeps them on a PUT with force.
    async fn update_component(&self, at: usize) -> Result<(), String> {
        let (Some(Object::Component(old)), Some(new)) = (&self.writes[at].before, self.component(at)) else {
            return Err("not a component".to_owned());
        };
        let base = format!("/State/Components/{}", new.id);
        if (old.arch, old.class, old.net_type) != (new.arch, new.class, new.net_type) {
            let body = json(&PutComponentRequest::new(new, true));
            reason(self.client.send(Method::PUT, Kind::Component, &base, body).await)?;
        }
        if old.enabled != new.enabled {
            self.patch_component(format!("{base}/Enabled"), tree!({ "Enabled": new.enabled })).await?;
        }
        if (old.role, old.sub_role) != (new.role, new.sub_role) {
            let role = new.role.map_or("", crate::model::Role::as_str);
            let sub_role = new.sub_role.map_or("", crate::model::SubRole::as_str);
            self.patch_component(format!("{base}/Role"), tree!({ "Role": role, "SubRole": sub_role })).await?;
        }
        if let Some(nid) = new.nid.filter(|nid| Some(*nid) != old.nid) {
            let body = tree!({ "Components": [{ "ID": new.id, "NID": nid }] });
            self.patch_component("/State/Components/BulkNID".to_owned(), body).await?;
        }
        Ok(())
    }

    async fn patch_component(&self, path: String, body: serde_json::Value) -> Result<(), String> {
        reason(self.client.send(Method::PATCH, Kind::Component, &path, json(&body)).await)
    }

    /// Component endpoints exist in SMD only as what was found behind a Redfish endpoint, so both are written by
    /// posting the endpoint with its systems and managers.
    pub(super) async fn put_endpoints(&mut self, wanted: &[usize]) -> Vec<Settled> {
        let by_endpoint = grouped(wanted, |at| self.endpoint_of(at));
        let this: &Self = self;
        let requests = by_endpoint.clone().into_iter().map(|(endpoint, writes)| async move {
            let result = match &endpoint {
                Some(endpoint) => this.put_endpoint(endpoint).await,
                None => Err("it belongs to no Redfish endpoint".to_owned()),
            };
            (writes, result)
        });
        let settled = parallel(requests).await;
        self.rediscovered.extend(by_endpoint.into_keys().flatten());
        settled
    }

    fn endpoint_of(&self, at: usize) -> Option<Xname> {
        match &self.writes[at].object {
            Some(Object::RedfishEndpoint(endpoint)) => Some(endpoint.id.clone()),
            Some(Object::ComponentEndpoint(behind)) => Some(behind.redfish_endpoint_id.clone()),
            _ => None,
        }
    }

    async fn put_endpoint(&self, id: &Xname) -> Result<(), String> {
        let endpoint = self.after.redfish_endpoints.get(id).ok_or("its Redfish endpoint is not there")?;
        let boot = &self.after.boot;
        let behind = boot.index.behind.get(id).into_iter().flatten();
        let behind = behind.filter_map(|id| boot.component_endpoints.get(id));
        let (controllers, mut nodes): (Vec<_>, Vec<_>) = behind.partition(|found| found.redfish_type == "Manager");
        nodes.sort_by_key(|found| number_behind(&found.id, id));
        if let Some((_, gap)) = nodes.iter().enumerate().find(|(at, node)| number_behind(&node.id, id) != Some(*at)) {
            return Err(format!(
                "SMD numbers the nodes behind {id} from n0 without gaps, so it cannot hold {}",
                gap.id
            ));
        }
        let interfaces = |found: &Xname| boot.interfaces_of(found).map(AsRef::as_ref).collect::<Vec<_>>();
        let systems = nodes.iter().map(|node| SystemBody::of(node, interfaces(&node.id))).collect();
        let managers = controllers.iter().map(|found| ManagerBody::of(found, interfaces(&found.id))).collect();
        let body = json(&DiscoveryRequest::new(endpoint, systems, managers));
        if !self.before.redfish_endpoints.contains_key(id) {
            let posted = self
                .client
                .send(Method::POST, Kind::RedfishEndpoint, "/Inventory/RedfishEndpoints", body.clone())
                .await;
            match posted {
                // SMD 2.20.4 and 2.20.5 answer 409 although they stored it all; putting the same again settles it.
                Err(fault) if fault.status == Some(StatusCode::CONFLICT) => {}
                answer => return reason(answer),
            }
        }
        let path = format!("/Inventory/RedfishEndpoints/{id}");
        reason(self.client.send(Method::PUT, Kind::RedfishEndpoint, &path, body).await)
    }

    /// Writes the interfaces of the plan, and those that SMD made anew from an endpoint, whose network labels are lost.
    pub(super) async fn put_interfaces(&self, wanted: &[usize]) -> Vec<Settled> {
        let planned: BTreeSet<MacAddr> = wanted.iter().filter_map(|&at| self.writes[at].key.id.parse().ok()).collect();
        let boot = &self.after.boot;
        let again: Vec<MacAddr> = self
            .rediscovered
            .iter()
            .flat_map(|endpoint| boot.index.behind.get(endpoint).into_iter().flatten())
            .flat_map(|component| boot.interfaces_of(component))
            .map(|interface| interface.mac)
            .filter(|mac| !planned.contains(mac))
            .collect();
        let mut all: Vec<(Vec<usize>, MacAddr)> = again.into_iter().map(|mac| (Vec::new(), mac)).collect();
        all.extend(wanted.iter().copied().filter_map(|at| Some((vec![at], self.writes[at].key.id.parse().ok()?))));
        let requests = all.into_iter().map(|(writes, mac)| async move { (writes, self.put_interface(mac).await) });
        parallel(requests).await
    }

    async fn put_interface(&self, mac: MacAddr) -> Result<(), String> {
        let interface = self.after.boot.interfaces.get(&mac).ok_or("it is not an interface")?;
        // Patching an interface that is not there succeeds without effect, so it is posted first.
        if !self.before.boot.interfaces.contains_key(&mac) {
            let body = json(&InterfaceRequest::from(interface.as_ref()));
            let posted =
                self.client.send(Method::POST, Kind::EthernetInterface, "/Inventory/EthernetInterfaces", body).await;
            match posted {
                Err(fault) if fault.status == Some(StatusCode::CONFLICT) => {}
                answer => return reason(answer),
            }
        }
        let path = format!("/Inventory/EthernetInterfaces/{}", mac.id());
        let all = InterfacePatchRequest::default()
            .description(&interface.description)
            .component(interface.component_id.as_ref())
            .addresses(&interface.ip_addresses);
        reason(self.client.send(Method::PATCH, Kind::EthernetInterface, &path, json(&all)).await)
    }

    pub(super) async fn put_groups(&self, wanted: &[usize]) -> Vec<Settled> {
        let requests = wanted.iter().copied().map(|at| async move {
            let Some(Object::Group(new)) = &self.writes[at].object else {
                return (vec![at], Err("not a group".to_owned()));
            };
            let result = match &self.writes[at].before {
                Some(Object::Group(old)) => self.update_group(old, new).await,
                _ => reason(
                    self.client.send(Method::POST, Kind::Group, "/groups", json(&GroupView::from(new.as_ref()))).await,
                ),
            };
            (vec![at], result)
        });
        parallel(requests).await
    }

    /// Members are added and taken one by one: SMD's PATCH of a group ignores them without saying so.
    async fn update_group(&self, old: &Group, new: &Group) -> Result<(), String> {
        let path = format!("/groups/{}", new.label);
        if (&old.description, &old.tags) != (&new.description, &new.tags) {
            let body = GroupPatchRequest { description: Some(&new.description), tags: Some(&new.tags) };
            reason(self.client.send(Method::PATCH, Kind::Group, &path, json(&body)).await)?;
        }
        let members = format!("{path}/members");
        let added = new.members.iter().filter(|member| !old.members.contains(*member)).map(|member| (member, true));
        let taken = old.members.iter().filter(|member| !new.members.contains(*member)).map(|member| (member, false));
        let moved: Vec<(Xname, bool)> = added.chain(taken).map(|(member, add)| (member.clone(), add)).collect();
        let members = &members;
        let requests = moved.into_iter().map(|(member, add)| async move {
            let answer = if add {
                self.client.send(Method::POST, Kind::Group, members, json(&MemberView::from(&member))).await
            } else {
                let path = format!("{members}/{member}");
                self.client.send(Method::DELETE, Kind::Group, &path, None).await
            };
            (Vec::new(), if add { settled_member(answer) } else { super::gone_is_fine(answer) })
        });
        parallel(requests).await.into_iter().try_for_each(|(_, result)| result)
    }
}

/// The number of a node behind its controller: 3 for `x0c0s0b0n3`.
fn number_behind(node: &Xname, controller: &Xname) -> Option<usize> {
    node.as_str().strip_prefix(controller.as_str())?.strip_prefix('n')?.parse().ok()
}

/// A member that is there already is what was wanted.
fn settled_member(answer: Result<Vec<u8>, Fault>) -> Result<(), String> {
    match answer {
        Err(fault) if fault.status == Some(StatusCode::CONFLICT) => Ok(()),
        other => reason(other),
    }
}
