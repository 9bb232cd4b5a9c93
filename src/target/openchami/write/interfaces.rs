//! Writing Ethernet interfaces.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};

use super::{Failed, Session, Settled, done, json, parallel};
use crate::model::{Kind, MacAddr};
use crate::wire::smd::{InterfacePatchRequest, InterfaceRequest};

impl Session {
    /// Writes the interfaces of the plan, and those that SMD made anew from an endpoint, whose network labels are lost.
    pub(super) async fn put_interfaces(&self, wanted: &[usize]) -> Vec<Settled> {
        let planned: Vec<(usize, MacAddr)> =
            wanted.iter().filter_map(|&at| Some((at, self.writes[at].key.id.parse().ok()?))).collect();
        let known: BTreeSet<MacAddr> = planned.iter().map(|(_, mac)| *mac).collect();
        let (mut made, mut again) = (BTreeSet::new(), Vec::new());
        for (endpoint, answered) in &self.rediscovered {
            for mac in self.interfaces_behind(endpoint) {
                if *answered {
                    made.insert(mac);
                }
                if !known.contains(&mac) {
                    again.push((Vec::new(), mac));
                }
            }
        }
        let planned = planned.into_iter().map(|(at, mac)| (vec![at], mac));
        let made = &made;
        let requests = again.into_iter().chain(planned).map(|(writes, mac)| async move {
            let present = made.contains(&mac) || self.before.boot.interfaces.contains_key(&mac);
            (writes, self.put_interface(mac, present).await)
        });
        parallel(requests).await
    }

    async fn put_interface(&self, mac: MacAddr, present: bool) -> Result<(), Failed> {
        let interface = self.after.boot.interfaces.get(&mac).ok_or("it is not an interface")?;
        // Patching an interface that is not there succeeds without effect, so it is posted first.
        if !present {
            let body = json(&InterfaceRequest::from(interface.as_ref()));
            let posted =
                self.client.send(Method::POST, Kind::EthernetInterface, "/Inventory/EthernetInterfaces", body).await;
            match posted {
                Err(fault) if fault.status == Some(StatusCode::CONFLICT) => {}
                answer => return done(answer),
            }
        }
        let path = format!("/Inventory/EthernetInterfaces/{}", mac.id());
        let all = InterfacePatchRequest::default()
            .description(&interface.description)
            .component(interface.component_id.as_ref())
            .addresses(&interface.ip_addresses);
        done(self.client.send(Method::PATCH, Kind::EthernetInterface, &path, json(&all)).await)
    }
}
