//! `Subscriptions/SCN`: who is told when components change.
//!
//! | route | methods |
//! |---|---|
//! | `Subscriptions/SCN` | GET POST DELETE |
//! | `Subscriptions/SCN/{id}` | GET PUT PATCH DELETE |
//!
//! Notices are told apart in [`changes`] and posted in [`delivery`]. Unlike SMD, which takes any text for a URL, this
//! refuses one that nothing could be posted to.

mod changes;
mod delivery;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

pub use delivery::{DeliveryError, Pace, deliver_notices};

use super::SmdState;
use super::answer;
use super::request::{By, PathOf};
use crate::model::{Counter, Record, Records, Subscription, Table, Triggers};
use crate::server::common::only as resource;
use crate::server::common::{Problem, body};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{PatchOperation, SubscriptionBody, SubscriptionError, SubscriptionView};

/// The routes of the table above.
pub(super) fn routes() -> Router<SmdState> {
    let one = get(show).put(replace).patch(change).delete(remove);
    Router::new()
        .route("/Subscriptions/SCN", resource("GET,POST,DELETE", get(list).post(create).delete(clear)))
        .route("/Subscriptions/SCN/{id}", resource("GET,PUT,PATCH,DELETE", one))
}

/// The most subscriptions that are kept. Each costs a queue and a connection; a cluster has a handful of subscribers.
const MOST: usize = 1000;

/// The name of the series of subscription numbers.
const SERIES: &str = "subscription";

async fn list(State(smd): State<SmdState>) -> Response {
    let snapshot = smd.store.snapshot();
    let all: Vec<SubscriptionView<'_>> = snapshot.records.subscriptions.values().map(|one| (&**one).into()).collect();
    // An empty list is `null`, as SMD has it.
    answer::json(&json!({"SubscriptionList": Some(all).filter(|all| !all.is_empty())}))
}

async fn create(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request: SubscriptionBody = body::read_json(body).await?;
    let new = checked(request)?;
    let made = smd.store.write(author, move |snapshot| decide_create(snapshot, new)).await?;
    Ok(answer::json(&SubscriptionView::from(&*made)))
}

async fn clear(State(smd): State<SmdState>, By(author): By) -> Result<Response, Problem> {
    let decide = |snapshot: &Snapshot| {
        let ids = snapshot.records.subscriptions.keys();
        let changes: Vec<_> = ids.map(|id| gone(*id)).collect();
        Ok::<_, Problem>(Decision::new(changes.len(), changes))
    };
    let count = smd.store.write(author, decide).await?;
    Ok(answer::done(&format!("{count} Subscriptions deleted")))
}

async fn show(State(smd): State<SmdState>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let id = number(&id)?;
    let snapshot = smd.store.snapshot();
    let found = snapshot.records.subscriptions.get(&id).ok_or_else(missing)?;
    Ok(answer::json(&SubscriptionView::from(&**found)))
}

async fn replace(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let id = number(&id)?;
    let request: SubscriptionBody = body::read_json(body).await?;
    let new = Subscription { id, ..checked(request)? };
    smd.store.write(author, move |snapshot| decide_replace(snapshot, new)).await?;
    Ok(answer::no_content())
}

async fn change(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let id = number(&id)?;
    let request: SubscriptionBody = body::read_json(body).await?;
    let operation = request.operation().map_err(wrong)?;
    let triggers = request.triggers().map_err(wrong)?;
    let decide = move |snapshot: &Snapshot| {
        let old = snapshot.records.subscriptions.get(&id).ok_or_else(missing)?;
        let triggers = patched(&old.triggers, operation, triggers);
        Ok::<_, Problem>(Decision::new((), vec![put(Subscription { triggers, ..Subscription::clone(old) })]))
    };
    smd.store.write(author, decide).await?;
    Ok(answer::no_content())
}

async fn remove(State(smd): State<SmdState>, By(author): By, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let id = number(&id)?;
    let decide = move |snapshot: &Snapshot| match snapshot.records.subscriptions.contains_key(&id) {
        true => Ok(Decision::new((), vec![gone(id)])),
        false => Err(missing()),
    };
    smd.store.write(author, decide).await?;
    Ok(answer::done("Subscription deleted"))
}

fn missing() -> Problem {
    Problem::not_found("Subscription not found")
}

fn wrong(error: SubscriptionError) -> Problem {
    Problem::bad_request(error.to_string())
}

/// The number in a path.
fn number(text: &str) -> Result<u64, Problem> {
    let number = text.parse().ok().filter(|number| *number > 0 && i64::try_from(*number).is_ok());
    number.ok_or_else(|| Problem::bad_request(format!("Invalid id - {text}")))
}

/// The subscription of a request, without its number.
fn checked(request: SubscriptionBody) -> Result<Subscription, Problem> {
    let (subscriber, url) = request.addressee().map_err(wrong)?;
    check_url(&url)?;
    Ok(Subscription { id: 0, subscriber, url, triggers: request.triggers().map_err(wrong)? })
}

fn check_url(url: &str) -> Result<(), Problem> {
    let refuse = |reason| Err(Problem::bad_request(format!("the url {reason}")));
    match reqwest::Url::parse(url) {
        Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            refuse("holds a user name or a password, which anybody could read here")
        }
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(()),
        Ok(_) => refuse("is neither http nor https"),
        Err(_) => refuse("is none"),
    }
}

fn put(subscription: Subscription) -> Change {
    Change::PutRecord(Record::Subscription(Arc::new(subscription)))
}

fn gone(id: u64) -> Change {
    Change::DeleteRecord(Table::Subscription, id.to_string().into())
}

/// A subscriber has one subscription for a URL.
fn check_twin(records: &Records, new: &Subscription) -> Result<(), Problem> {
    let is_twin = |old: &Subscription| old.id != new.id && (&old.subscriber, &old.url) == (&new.subscriber, &new.url);
    match records.subscriptions.values().find(|old| is_twin(old)) {
        Some(twin) => Err(Problem::bad_request(format!("the subscriber has subscription {} for this url", twin.id))),
        None => Ok(()),
    }
}

fn decide_create(snapshot: &Snapshot, new: Subscription) -> Result<Decision<Arc<Subscription>>, Problem> {
    let records = &snapshot.records;
    check_twin(records, &new)?;
    if records.subscriptions.len() >= MOST {
        return Err(Problem::conflict(format!("there are {MOST} subscriptions, and more are not kept")));
    }
    // A number is never given twice: whoever still holds an old one must not change somebody else's subscription.
    let last = records.counters.get(SERIES).map_or(0, |counter| counter.last) + 1;
    let made = Arc::new(Subscription { id: last, ..new });
    let counter = Record::Counter(Arc::new(Counter { name: SERIES.into(), last }));
    let changes = vec![Change::PutRecord(counter), Change::PutRecord(Record::Subscription(made.clone()))];
    Ok(Decision::new(made, changes))
}

fn decide_replace(snapshot: &Snapshot, new: Subscription) -> Result<Decision<()>, Problem> {
    if !snapshot.records.subscriptions.contains_key(&new.id) {
        return Err(missing());
    }
    check_twin(&snapshot.records, &new)?;
    Ok(Decision::new((), vec![put(new)]))
}

/// The triggers after a PATCH. Adding turns `Enabled` on and removing turns it off; SMD adds it only where the
/// subscription said `false` before, and otherwise passes it over without a word.
fn patched(old: &Triggers, operation: PatchOperation, given: Triggers) -> Triggers {
    let list = |old: &[String], given: Vec<String>| -> Vec<String> {
        let is_in = |list: &[String], word: &str| list.iter().any(|other| other.eq_ignore_ascii_case(word));
        match operation {
            PatchOperation::Replace if given.is_empty() => old.to_vec(),
            PatchOperation::Replace => given,
            PatchOperation::Remove => old.iter().filter(|word| !is_in(&given, word)).cloned().collect(),
            PatchOperation::Add => {
                let mut all = old.to_vec();
                for word in given {
                    if !is_in(&all, &word) {
                        all.push(word);
                    }
                }
                all
            }
        }
    };
    let enabled = match (operation, old.enabled, given.enabled) {
        (PatchOperation::Replace, old, given) => given.or(old),
        (PatchOperation::Add, _, Some(true)) => Some(true),
        (PatchOperation::Remove, Some(true), Some(true)) => Some(false),
        (_, old, _) => old,
    };
    Triggers {
        enabled,
        roles: list(&old.roles, given.roles),
        sub_roles: list(&old.sub_roles, given.sub_roles),
        software_status: list(&old.software_status, given.software_status),
        states: list(&old.states, given.states),
    }
}
