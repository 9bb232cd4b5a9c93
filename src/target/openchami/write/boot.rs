//! Writing boot parameters: nodes that boot the same thing in one request.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, StatusCode};

use super::{Fault, Session, Settled, done, parallel};
use crate::model::{BootConfig, BootKey, Kind, Object};
use crate::wire::bss::{self, Body};

/// Keys in one request. The real BSS takes 10 s for 10,000; a part that fails should not cost all of them.
const MOST: usize = 500;

const PATH: &str = "/bootparameters";

impl Session {
    pub(super) async fn put_boot_params(&self, wanted: &[usize]) -> Vec<Settled> {
        let (clearing, merging): (Vec<usize>, Vec<usize>) = wanted.iter().partition(|at| self.clears(**at));
        let by_key = self.by_key(wanted);
        let mut all = self.replace_boot_params(&clearing, &by_key).await;
        let bodies = bss::put_bodies(self.wanted_params(&merging), MOST);
        let requests = bodies.into_iter().map(|body| self.send_body(Method::PUT, body));
        let answers = parallel(requests).await;
        all.extend(answers.into_iter().map(|(keys, answer)| settled(&keys, &by_key, answer)));
        all
    }

    /// Empties fields. BSS merges what is put with what is there, so the only way is to start over; between the two
    /// requests the nodes have nothing to boot, so each part is posted right after it was deleted, and one that cannot
    /// be posted is given back what it had.
    async fn replace_boot_params(&self, clearing: &[usize], by_key: &BTreeMap<BootKey, usize>) -> Vec<Settled> {
        let bodies = bss::put_bodies(self.wanted_params(clearing), MOST);
        let requests = bodies.into_iter().map(|body| async move {
            let keys = body.keys.clone();
            let mut removed = Ok(());
            for delete in bss::delete_bodies(&keys, MOST) {
                let (keys, answer) = self.send_body(Method::DELETE, delete).await;
                removed = removed.and(self.absent(&keys, answer).await.map_err(|(_, fault)| fault));
            }
            let answer = match removed {
                Ok(()) => self.send_body(Method::POST, body).await.1,
                Err(fault) => Err(fault),
            };
            let answer = match answer {
                Ok(done) => Ok(done),
                Err(fault) => Err(self.give_back(&keys, fault).await),
            };
            (keys, answer)
        });
        let done = parallel(requests).await;
        done.into_iter().map(|(keys, answer)| settled(&keys, by_key, answer)).collect()
    }

    /// Stores again what was there before, and says in the fault how that went.
    async fn give_back(&self, keys: &[BootKey], mut fault: Fault) -> Fault {
        let old = keys.iter().filter_map(|key| Some((key, self.before.boot.boot_params.get(key)?.as_ref())));
        let bodies: Vec<Body> = bss::put_bodies(old, MOST);
        let mut words = "; the nodes boot as before";
        for body in bodies {
            // A merge with what may still be there comes to what it was.
            let (_, answer) = self.send_body(Method::PUT, body).await;
            if answer.is_err() {
                words = "; what was there before could not be put back, so the nodes may have nothing to boot";
            }
        }
        fault.reason.push_str(words);
        fault
    }

    pub(super) async fn delete_boot_params(&self, wanted: &[usize]) -> Vec<Settled> {
        let by_key = self.by_key(wanted);
        let keys: Vec<BootKey> = by_key.keys().cloned().collect();
        let requests = bss::delete_bodies(&keys, MOST).into_iter().map(|body| async move {
            let (keys, answer) = self.send_body(Method::DELETE, body).await;
            match self.absent(&keys, answer).await {
                Ok(()) => (keys, BTreeSet::new(), None),
                Err((left, fault)) => (keys, left, Some(fault)),
            }
        });
        let mut all = Vec::new();
        for (keys, left, fault) in parallel(requests).await {
            let (left, removed): (Vec<BootKey>, Vec<BootKey>) = keys.into_iter().partition(|key| left.contains(key));
            all.push(settled(&removed, &by_key, Ok(Vec::new())));
            if let Some(fault) = fault {
                all.push(settled(&left, &by_key, Err(fault)));
            }
        }
        all
    }

    /// Judges the answer to a DELETE. BSS refuses one of which it holds nothing, in words that may mean anything, so
    /// what it holds is read then. The error is what it still has.
    async fn absent(&self, keys: &[BootKey], answer: Result<Vec<u8>, Fault>) -> Result<(), (BTreeSet<BootKey>, Fault)> {
        let fault = match answer {
            Ok(_) => return Ok(()),
            Err(fault) if fault.status == Some(StatusCode::NOT_FOUND) => return Ok(()),
            Err(fault) => fault,
        };
        let all = || keys.iter().cloned().collect::<BTreeSet<BootKey>>();
        if fault.status != Some(StatusCode::BAD_REQUEST) {
            return Err((all(), fault));
        }
        let held = self.client.read(Kind::BootParams, PATH).await.ok();
        let Some(listing) = held.and_then(|body| bss::parse_listing(&body).ok()) else { return Err((all(), fault)) };
        let held: BTreeSet<BootKey> = listing.entries.into_iter().map(|(key, _)| key).collect();
        let left: BTreeSet<BootKey> = all().intersection(&held).cloned().collect();
        if left.is_empty() { Ok(()) } else { Err((left, fault)) }
    }

    async fn send_body(&self, method: Method, body: Body) -> (Vec<BootKey>, Result<Vec<u8>, Fault>) {
        (body.keys, self.client.send(method, Kind::BootParams, PATH, Some(body.json)).await)
    }

    fn wanted_params(&self, wanted: &[usize]) -> Vec<(&BootKey, &BootConfig)> {
        let params = wanted.iter().filter_map(|&at| match &self.writes[at].object {
            Some(Object::BootParams(key, config)) => Some((key, config.as_ref())),
            _ => None,
        });
        params.collect()
    }

    fn by_key(&self, wanted: &[usize]) -> BTreeMap<BootKey, usize> {
        wanted.iter().filter_map(|&at| Some((self.writes[at].key.id.parse().ok()?, at))).collect()
    }

    /// True when the write empties a field that holds something.
    fn clears(&self, at: usize) -> bool {
        match (&self.writes[at].before, &self.writes[at].object) {
            (Some(Object::BootParams(_, old)), Some(Object::BootParams(_, new))) => {
                (new.initrd.is_empty() && !old.initrd.is_empty()) || (new.params.is_empty() && !old.params.is_empty())
            }
            _ => false,
        }
    }
}

/// An answer, for the writes that it is about.
fn settled(keys: &[BootKey], by_key: &BTreeMap<BootKey, usize>, answer: Result<Vec<u8>, Fault>) -> Settled {
    (keys.iter().filter_map(|key| by_key.get(key).copied()).collect(), done(answer))
}
