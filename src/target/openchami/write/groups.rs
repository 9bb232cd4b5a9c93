//! Writing groups and their members.
//!
//! A member that cannot be had costs that member and nothing else: the group is made without it, and its node boots as
//! before.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Map, Value};

use super::{Failed, Session, Settled, done, gone, json, parallel, there};
use crate::model::{Group, Kind, Object, Xname};
use crate::store::{LedgerChange, LedgerEntry};
use crate::wire::smd::{GroupPatchRequest, GroupView, MemberView};

/// Members in one POST. The real SMD fails above 21,845, where its database runs out of parameters.
const MOST: usize = 10_000;

/// The most members that a failure names.
const MOST_NAMED: usize = 3;

/// Members that are not where they should be, each with the reason.
type Missing = Vec<(Xname, String)>;

impl Session {
    pub(super) async fn put_groups(&self, wanted: &[usize]) -> Vec<Settled> {
        let requests = wanted.iter().copied().map(|at| async move { (vec![at], self.put_group(at).await) });
        parallel(requests).await
    }

    async fn put_group(&self, at: usize) -> Result<(), Failed> {
        let write = &self.writes[at];
        let Some(Object::Group(new)) = &write.object else { return Err("not a group".into()) };
        let missing = match &write.before {
            Some(Object::Group(old)) => self.update_group(old, new).await?,
            _ => self.create_group(new).await?,
        };
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failed {
            reason: describe(&missing),
            changed_nothing: false,
            owned: as_far_as_done(&write.ledger, &missing),
            nodes: missing.into_iter().map(|(member, _)| member.into()).collect(),
        })
    }

    async fn create_group(&self, new: &Group) -> Result<Missing, Failed> {
        let (left_out, members) = self.apart(new.members.iter());
        let first = &members[..members.len().min(MOST)];
        let posted = self.post_group(new, first).await;
        let refused_member =
            posted.as_ref().is_err_and(|fault| fault.status == Some(StatusCode::BAD_REQUEST)) && !first.is_empty();
        let rest = if refused_member {
            // SMD creates nothing when one member is unknown, and does not say which.
            done(self.post_group(new, &[]).await).map_err(|failed| all_lack(failed, new))?;
            &members[..]
        } else {
            done(posted).map_err(|failed| all_lack(failed, new))?;
            &members[first.len()..]
        };
        let missing = self.move_members(new, rest.to_vec(), Vec::new()).await;
        Ok(left_out.into_iter().chain(missing).collect())
    }

    async fn post_group(&self, group: &Group, members: &[Xname]) -> Result<Vec<u8>, super::Fault> {
        let body = json(&GroupView::with_members(group, members));
        self.client.send(Method::POST, Kind::Group, "/groups", body).await
    }

    /// Members are added and taken one by one: SMD's PATCH of a group ignores them without saying so.
    async fn update_group(&self, old: &Group, new: &Group) -> Result<Missing, Failed> {
        let (left_out, added) = self.apart(new.members.iter().filter(|member| !old.members.contains(*member)));
        if (&old.description, &old.tags) != (&new.description, &new.tags) {
            let body = GroupPatchRequest { description: Some(&new.description), tags: Some(&new.tags) };
            let path = format!("/groups/{}", new.label);
            done(self.client.send(Method::PATCH, Kind::Group, &path, json(&body)).await)?;
        }
        let taken = old.members.iter().filter(|member| !new.members.contains(*member)).cloned().collect();
        let missing = self.move_members(new, added, taken).await;
        Ok(left_out.into_iter().chain(missing).collect())
    }

    /// Sorts out members whose component could not be written: SMD would refuse them.
    fn apart<'a>(&self, members: impl Iterator<Item = &'a Xname>) -> (Missing, Vec<Xname>) {
        let (mut left_out, mut good) = (Missing::new(), Vec::new());
        for member in members {
            match self.broken.get(member.as_str()) {
                Some(cause) => left_out.push((member.clone(), format!("an earlier write failed: {cause}"))),
                None => good.push(member.clone()),
            }
        }
        (left_out, good)
    }

    /// Adds and takes members; answers those for which that failed.
    async fn move_members(&self, group: &Group, added: Vec<Xname>, taken: Vec<Xname>) -> Missing {
        let members = &format!("/groups/{}/members", group.label);
        let added = added.into_iter().map(|member| (member, true));
        let moves: Vec<(Xname, bool)> = added.chain(taken.into_iter().map(|member| (member, false))).collect();
        let requests = moves.into_iter().map(|(member, add)| async move {
            let result = if add {
                let body = json(&MemberView::from(&member));
                there(self.client.send(Method::POST, Kind::Group, members, body).await)
            } else {
                gone(self.client.send(Method::DELETE, Kind::Group, &format!("{members}/{member}"), None).await)
            };
            result.err().map(|failed| (member, failed.reason))
        });
        let mut missing: Missing = parallel(requests).await.into_iter().flatten().collect();
        missing.sort();
        missing
    }
}

/// The failure of a group as a whole, which all of its members lack.
fn all_lack(failed: Failed, group: &Group) -> Failed {
    Failed { nodes: group.members.iter().cloned().map(Arc::from).collect(), ..failed }
}

fn describe(missing: &Missing) -> String {
    let named: Vec<String> =
        missing.iter().take(MOST_NAMED).map(|(member, reason)| format!("{member} ({reason})")).collect();
    let more = missing.len() - named.len();
    let and = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("members that are not as they should be: {}{and}", named.join(", "))
}

/// The group as far as it is ours: without members that could not be added, with those that could not be taken.
fn as_far_as_done(ledger: &LedgerChange, missing: &Missing) -> Option<LedgerChange> {
    let LedgerChange::Own(key, entry) = ledger else { return None };
    let mut fields: Map<String, Value> = serde_json::from_str(&entry.doc).ok()?;
    let Some(Value::Array(members)) = fields.get_mut("members") else { return None };
    let wanted: BTreeSet<String> = members.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let (unadded, untaken): (BTreeSet<&str>, BTreeSet<&str>) =
        missing.iter().map(|(member, _)| member.as_str()).partition(|member| wanted.contains(*member));
    members.retain(|member| !member.as_str().is_some_and(|member| unadded.contains(member)));
    members.extend(untaken.into_iter().map(Value::from));
    let doc = serde_json::to_string(&fields).ok()?;
    Some(LedgerChange::Own(key.clone(), LedgerEntry { doc: doc.into(), ..entry.clone() }))
}
