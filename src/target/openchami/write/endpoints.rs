//! Writing Redfish endpoints and what is behind them.
//!
//! Component endpoints exist in SMD only as what was found behind a Redfish endpoint, so they are written by putting the
//! endpoint with its systems and managers. That is a heavy hand: SMD forgets the endpoint's password, resets State and
//! Flag, Arch and Class of the components behind it, and makes their interfaces anew. A change of the endpoint alone is
//! therefore patched, and where it has to be put, what SMD forgets is read just before and given back just after.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Map, Value};

use super::components::has_something_to_lose;
use super::{Failed, Fault, Session, Settled, done, json, parallel};
use crate::model::{Component, Kind, Object, RedfishEndpoint, Secret, Xname};
use crate::wire::smd::{DiscoveryRequest, ManagerBody, SystemBody};

/// How an endpoint is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Manner {
    /// Only its own fields.
    Patch,
    /// With everything behind it.
    Put,
}

impl Session {
    pub(super) async fn put_endpoints(&mut self, wanted: &[usize]) -> Vec<Settled> {
        let mut by_endpoint: BTreeMap<Option<Xname>, (Vec<usize>, Manner)> = BTreeMap::new();
        for &at in wanted {
            let (writes, manner) =
                by_endpoint.entry(self.endpoint_of(at)).or_insert_with(|| (Vec::new(), Manner::Patch));
            writes.push(at);
            *manner = (*manner).max(self.manner(at));
        }
        let this: &Self = self;
        let requests = by_endpoint.into_iter().map(|(endpoint, (writes, manner))| async move {
            let result = match (&endpoint, manner) {
                (None, _) => Err("it belongs to no Redfish endpoint".into()),
                (Some(endpoint), Manner::Patch) => this.patch_endpoint(endpoint).await,
                (Some(endpoint), Manner::Put) => this.put_endpoint(endpoint).await,
            };
            (endpoint.filter(|_| manner == Manner::Put), writes, result)
        });
        let mut settled = Vec::new();
        for (put, writes, result) in parallel(requests).await {
            if let Some(endpoint) = put {
                self.rediscovered.insert(endpoint, result.is_ok());
            }
            settled.push((writes, result));
        }
        settled
    }

    /// The Redfish endpoint with which an object is written.
    pub(super) fn endpoint_of(&self, at: usize) -> Option<Xname> {
        match &self.writes[at].object {
            Some(Object::RedfishEndpoint(endpoint)) => Some(endpoint.id.clone()),
            Some(Object::ComponentEndpoint(behind)) => Some(behind.redfish_endpoint_id.clone()),
            _ => None,
        }
    }

    fn manner(&self, at: usize) -> Manner {
        match (&self.writes[at].before, &self.writes[at].object) {
            (Some(Object::RedfishEndpoint(_)), Some(Object::RedfishEndpoint(_))) => Manner::Patch,
            _ => Manner::Put,
        }
    }

    async fn patch_endpoint(&self, id: &Xname) -> Result<(), Failed> {
        let (old, new) = (self.before.redfish_endpoints.get(id), self.after.redfish_endpoints.get(id));
        let (Some(old), Some(new)) = (old, new) else { return Err("it is not there".into()) };
        let body = json(&changed_fields(old, new));
        let path = format!("/Inventory/RedfishEndpoints/{id}");
        done(self.client.send(Method::PATCH, Kind::RedfishEndpoint, &path, body).await)
    }

    /// Puts an endpoint with what is behind it; SMD's PUT creates it, too.
    async fn put_endpoint(&self, id: &Xname) -> Result<(), Failed> {
        let endpoint = self.after.redfish_endpoints.get(id).ok_or("its Redfish endpoint is not there")?;
        let (systems, managers) = self.found_behind(id)?;
        let password = match self.before.redfish_endpoints.contains_key(id) {
            true => self.password(id).await?,
            false => None,
        };
        let reset = self.held_behind(id).await?;
        let request = DiscoveryRequest::new(endpoint, systems, managers);
        let body = json(&request.with_password(password.as_ref().map(|password| password.expose().as_str())));
        let path = format!("/Inventory/RedfishEndpoints/{id}");
        let put = self.client.send(Method::PUT, Kind::RedfishEndpoint, &path, body).await;
        if put.as_ref().is_err_and(Fault::never_arrived) {
            return done(put);
        }
        // SMD may refuse after half of it was done, and a refusal may repeat what was sent.
        let put = put.map_err(|mut fault| {
            if let Some(password) = password.as_ref().filter(|password| !password.expose().is_empty()) {
                fault.reason = fault.reason.replace(password.expose().as_str(), "[redacted]");
            }
            Failed::from(fault).in_part()
        });
        for component in &reset {
            self.force(component).await.map_err(Failed::in_part)?;
        }
        put.map(|_| ())
    }

    /// The systems and managers behind an endpoint.
    fn found_behind(&self, id: &Xname) -> Result<(Vec<SystemBody>, Vec<ManagerBody>), Failed> {
        let boot = &self.after.boot;
        let behind = boot.index.behind.get(id).into_iter().flatten();
        let behind = behind.filter_map(|id| boot.component_endpoints.get(id));
        let (controllers, mut nodes): (Vec<_>, Vec<_>) = behind.partition(|found| found.redfish_type == "Manager");
        nodes.sort_by_key(|found| number_behind(&found.id, id));
        if let Some((_, gap)) = nodes.iter().enumerate().find(|(at, node)| number_behind(&node.id, id) != Some(*at)) {
            let node = &gap.id;
            return Err(
                format!("SMD numbers the nodes behind {id} from n0 without gaps, so it cannot hold {node}").into()
            );
        }
        let interfaces = |found: &Xname| boot.interfaces_of(found).map(AsRef::as_ref).collect::<Vec<_>>();
        let systems = nodes.iter().map(|node| SystemBody::of(node, interfaces(&node.id))).collect();
        let managers = controllers.iter().map(|found| ManagerBody::of(found, interfaces(&found.id))).collect();
        Ok((systems, managers))
    }

    /// The password that SMD has for an endpoint.
    async fn password(&self, id: &Xname) -> Result<Option<Secret<String>>, Failed> {
        let path = format!("/Inventory/RedfishEndpoints/{id}");
        let body = self.client.read(Kind::RedfishEndpoint, &path).await?;
        // The reader's message may repeat a value, so it is left out.
        let row: Value = serde_json::from_slice(&body).map_err(|_| "SMD's answer about it cannot be read")?;
        Ok(row.get("Password").and_then(Value::as_str).map(|text| Secret::new(text.to_owned())))
    }

    /// The components behind an endpoint of which SMD is going to forget something. Those that were made by this run
    /// are as they were made; others are asked for.
    async fn held_behind(&self, id: &Xname) -> Result<Vec<Component>, Failed> {
        let boot = &self.after.boot;
        let components: BTreeSet<&Xname> = boot.index.behind.get(id).into_iter().flatten().collect();
        let mut held = Vec::new();
        for id in components {
            if self.before.boot.components.contains_key(id) {
                held.extend(self.held(id).await?.filter(has_something_to_lose));
            } else if let Some(made) = boot.components.get(id)
                && (made.arch.is_some() || made.class.is_some())
            {
                held.push(Component::clone(made));
            }
        }
        Ok(held)
    }
}

/// The fields of a PATCH of an endpoint.
fn changed_fields(old: &RedfishEndpoint, new: &RedfishEndpoint) -> Map<String, Value> {
    let mut fields = Map::from_iter([("ID".to_owned(), Value::from(new.id.as_str()))]);
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    if old.name != new.name {
        set("Name", new.name.as_str().into());
    }
    if old.enabled != new.enabled {
        set("Enabled", new.enabled.into());
    }
    if old.uuid != new.uuid {
        set("UUID", new.uuid.as_str().into());
    }
    if old.shown_mac() != new.shown_mac() {
        set("MACAddr", (*new.shown_mac()).into());
    }
    if old.ip != new.ip {
        set("IPAddress", new.ip.map_or_else(String::new, |ip| ip.to_string()).into());
    }
    if old.fqdn != new.fqdn {
        // SMD refuses an FQDN that is not made of the two others.
        let (hostname, domain) = new.fqdn.split_once('.').unwrap_or((&new.fqdn, ""));
        set("FQDN", new.fqdn.as_str().into());
        set("Hostname", hostname.into());
        set("Domain", domain.into());
    }
    fields
}

/// The number of a node behind its controller: 3 for `x0c0s0b0n3`.
fn number_behind(node: &Xname, controller: &Xname) -> Option<usize> {
    node.as_str().strip_prefix(controller.as_str())?.strip_prefix('n')?.parse().ok()
}
