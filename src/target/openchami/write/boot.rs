//! Writing boot parameters: nodes that boot the same thing in one request.

use std::collections::BTreeMap;

use reqwest::Method;

use super::{Session, Settled, gone_is_fine, parallel, reason};
use crate::model::{BootConfig, BootKey, Kind, Object};
use crate::wire::bss::{self, Body};

/// Keys in one request. The real BSS takes 10 s for 10,000; a part that fails should not cost all of them.
const MOST: usize = 500;

impl Session {
    pub(super) async fn put_boot_params(&self, wanted: &[usize]) -> Vec<Settled> {
        let (clearing, merging): (Vec<usize>, Vec<usize>) = wanted.iter().partition(|at| self.clears(**at));
        // BSS merges what is put with what is there, so a field can only be emptied by starting over.
        let mut settled = Vec::new();
        let mut again = Vec::new();
        for (writes, result) in self.delete_boot_params(&clearing).await {
            match result {
                Ok(()) => again.extend(writes),
                Err(reason) => settled.push((writes, Err(reason))),
            }
        }
        settled.extend(self.send_boot_params(Method::POST, &again).await);
        settled.extend(self.send_boot_params(Method::PUT, &merging).await);
        settled
    }

    async fn send_boot_params(&self, method: Method, wanted: &[usize]) -> Vec<Settled> {
        let params: Vec<(&BootKey, &BootConfig)> = wanted
            .iter()
            .filter_map(|&at| match &self.writes[at].object {
                Some(Object::BootParams(key, config)) => Some((key, config.as_ref())),
                _ => None,
            })
            .collect();
        self.send_bodies(method, bss::put_bodies(params, MOST), wanted, reason).await
    }

    pub(super) async fn delete_boot_params(&self, wanted: &[usize]) -> Vec<Settled> {
        let keys: Vec<BootKey> = wanted.iter().filter_map(|&at| self.writes[at].key.id.parse().ok()).collect();
        self.send_bodies(Method::DELETE, bss::delete_bodies(&keys, MOST), wanted, gone_is_fine).await
    }

    async fn send_bodies(
        &self,
        method: Method,
        bodies: Vec<Body>,
        wanted: &[usize],
        judge: fn(Result<Vec<u8>, super::Fault>) -> Result<(), String>,
    ) -> Vec<Settled> {
        let by_key: BTreeMap<BootKey, usize> =
            wanted.iter().filter_map(|&at| Some((self.writes[at].key.id.parse().ok()?, at))).collect();
        let (by_key, method) = (&by_key, &method);
        let requests = bodies.into_iter().map(|body| async move {
            let writes = body.keys.iter().filter_map(|key| by_key.get(key).copied()).collect();
            let path = "/bootparameters";
            let answer = self.client.send(method.clone(), Kind::BootParams, path, Some(body.json)).await;
            (writes, judge(answer))
        });
        parallel(requests).await
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
