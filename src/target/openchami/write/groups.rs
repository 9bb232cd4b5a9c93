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
            owned: as_far_as_done(&write.ledger, &missing).map(Box::new),
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::Router;
    use axum::extract::State;
    use axum::http::{StatusCode, Uri};
    use axum::routing::post;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::model::{ObjectKey, Secret};
    use crate::plan::{Action, Write};
    use crate::snapshot::Snapshot;
    use crate::target::openchami::Endpoints;
    use crate::target::openchami::client::Client;

    /// The members of every request, and its path.
    type Asked = Arc<Mutex<Vec<(String, usize)>>>;

    /// Takes what SMD takes: no more members at once than its database has parameters for.
    async fn smd(asked: Asked) -> String {
        let answer = |State(asked): State<Asked>, uri: Uri, body: String| async move {
            let body: Value = serde_json::from_str(&body).unwrap();
            let members = body["members"]["ids"].as_array().map_or(1, Vec::len);
            asked.lock().unwrap().push((uri.path().to_owned(), members));
            if members > 21_845 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::CREATED }
        };
        let routes = Router::new().route("/groups", post(answer)).route("/groups/{label}/members", post(answer));
        let routes = routes.layer(axum::extract::DefaultBodyLimit::disable()).with_state(asked);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, routes).into_future());
        url
    }

    fn group(members: usize) -> Write {
        let members = (0..members).map(|at| format!("x{}c0s{}b0n0", 1000 + at / 100, at % 100).parse().unwrap());
        let group = Group {
            label: "compute".parse().unwrap(),
            description: String::new(),
            exclusive_group: None,
            tags: Vec::new(),
            members: members.collect(),
        };
        let key = ObjectKey::group(&group.label);
        Write {
            op: "o1".to_owned(),
            action: Action::Create,
            ledger: LedgerChange::Forget(key.clone()),
            key,
            object: Some(Object::Group(Arc::new(group))),
            before: None,
            owner: None,
        }
    }

    #[tokio::test]
    async fn a_group_with_more_members_than_one_request_takes_is_filled_up_one_by_one() {
        // Another test may have been first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let asked = Asked::default();
        let url = smd(asked.clone()).await;
        let endpoints = Endpoints {
            smd: url.clone(),
            bss: url.clone(),
            cloud_init: format!("{url}/cloud-init"),
            token: None::<Secret<String>>,
            token_variable: String::new(),
            ca_pem: None,
        };
        let client = Arc::new(Client::new(&endpoints, CancellationToken::new()).unwrap());
        let mut session = Session::new(client, &Snapshot::default(), vec![group(MOST + 2)]);
        let phase = session.next_phase().unwrap();
        session.run(phase).await;
        assert_eq!(session.finish(), (1, Vec::new()));
        let asked = asked.lock().unwrap();
        let (first, rest) = asked.split_first().unwrap();
        assert_eq!(*first, ("/groups".to_owned(), MOST));
        assert_eq!(rest.to_vec(), vec![("/groups/compute/members".to_owned(), 1); 2]);
    }

    #[test]
    fn a_group_is_owned_as_far_as_it_was_written() {
        let entry = LedgerEntry {
            doc: r#"{"description":"d","members":["x1","x2"]}"#.into(),
            owner: None,
            name: "compute".into(),
            origin: "nodes.yaml:1".into(),
            apply: 1,
        };
        let ledger = LedgerChange::Own(ObjectKey::new(Kind::Group, "compute"), entry);
        let missing = vec![("x2".parse().unwrap(), "unknown".to_owned()), ("x9".parse().unwrap(), "busy".to_owned())];
        let Some(LedgerChange::Own(_, entry)) = as_far_as_done(&ledger, &missing) else { panic!("it is owned") };
        // One could not be added and is not ours, one could not be taken and is to be taken yet.
        assert_eq!(&*entry.doc, r#"{"description":"d","members":["x1","x9"]}"#);
    }
}
