//! `partitions/{name}/members`.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::{find, read_name, write};
use crate::model::{GroupLabel, Xname};
use crate::server::common::{Problem, body};
use crate::server::smd::SmdState;
use crate::server::smd::answer::{self, Uri};
use crate::server::smd::components::changed_xname as xname;
use crate::server::smd::request::{By, PathOf};
use crate::snapshot::Snapshot;
use crate::store::Decision;
use crate::wire::smd::{MemberBody, MembersView};

pub(in crate::server::smd) async fn list(
    State(smd): State<SmdState>,
    PathOf(name): PathOf<String>,
) -> Result<Response, Problem> {
    let name = read_name(&name)?;
    let snapshot = smd.store.snapshot();
    Ok(answer::json(&MembersView::new(&find(&snapshot, &name)?.members)))
}

pub(in crate::server::smd) async fn add(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(name): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let request: MemberBody = body::read_json(body).await?;
    let name = read_name(&name)?;
    let id = request.id.as_deref().unwrap_or_default().parse();
    let id: Xname = id.map_err(|_| Problem::bad_request("got HMSTypeInvalid instead of valid type"))?;
    let uris = [Uri::new(&format!("partitions/{name}/members/{id}"))];
    smd.store.write(author, move |snapshot| decide_add(snapshot, &name, id)).await?;
    Ok(answer::created_all("partitions", &uris))
}

pub(in crate::server::smd) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf((name, id)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    let (name, id) = (read_name(&name)?, xname(&id)?);
    smd.store.write(author, move |snapshot| decide_remove(snapshot, &name, &id)).await?;
    Ok(answer::deleted())
}

fn decide_add(snapshot: &Snapshot, name: &GroupLabel, id: Xname) -> Result<Decision<()>, Problem> {
    let partition = find(snapshot, name)?;
    match snapshot.partition_of(&id) {
        Some(other) if other.name == partition.name => {
            return Err(Problem::conflict("operation would conflict with an existing member in the same partition."));
        }
        Some(_) => return Err(write::elsewhere()),
        None => {}
    }
    write::check_known(snapshot, [&id])?;
    Ok(Decision::new((), write::with_members(partition, partition.members.update(id))))
}

fn decide_remove(snapshot: &Snapshot, name: &GroupLabel, id: &Xname) -> Result<Decision<()>, Problem> {
    let partition = find(snapshot, name)?;
    if !partition.members.contains(id) {
        return Err(Problem::not_found("partition has no such member."));
    }
    Ok(Decision::new((), write::with_members(partition, partition.members.without(id))))
}
