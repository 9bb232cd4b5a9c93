//! The store over real files: what is durable, what is refused, what is left when something fails.

mod faults;
mod groups;
mod ledgers;
mod observing;
mod property;
mod secrecy;
mod writing;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use sqlx::{ConnectOptions, Connection, Executor};

use super::*;
use crate::model::{CloudInitEntry, Component, Nid, Object};
use crate::snapshot::Change;

/// Opens a state directory to serve it.
async fn serve(state_dir: &Path) -> Store {
    try_open(state_dir, Mode::ReadWrite).await.unwrap()
}

/// Opens a state directory to look at it.
async fn observe(state_dir: &Path) -> Store {
    try_open(state_dir, Mode::ReadOnly).await.unwrap()
}

async fn try_open(state_dir: &Path, mode: Mode) -> Result<Store, StoreError> {
    Store::open(StoreConfig { state_dir: state_dir.to_owned(), mode, url: None }).await
}

fn author() -> Author {
    Author("test".into())
}

/// Makes changes that nothing stands against.
async fn change(store: &Store, changes: Vec<Change>) -> Result<(), WriteError<Infallible>> {
    store.write(author(), move |_| Ok(Decision::new((), changes))).await
}

/// Runs a decision that is not refused.
async fn decide(store: &Store, decision: Decision<()>) -> Result<(), WriteError<Infallible>> {
    store.write(author(), move |_| Ok(decision)).await
}

fn node(id: &str, nid: u64) -> Object {
    let mut component = Component::bare(id.parse().unwrap());
    component.nid = Some(Nid(nid));
    Object::Component(Arc::new(component))
}

fn secure(name: &str, secret: &str) -> Object {
    let entry = CloudInitEntry {
        name: name.parse().unwrap(),
        userdata: json!({ "write_files": [{ "content": secret }] }),
        metadata: json!(null),
        vendordata: json!(null),
        jinja: false,
    };
    Object::CloudInitSecure(Arc::new(entry))
}

fn puts(objects: impl IntoIterator<Item = Object>) -> Vec<Change> {
    objects.into_iter().map(Change::Put).collect()
}

/// Every file below a directory with its content, in the order of names.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.strip_prefix(dir).unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn names(dir: &Path) -> Vec<String> {
    files(dir).into_iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect()
}

/// What a killed process leaves: the files as they are at this moment.
fn killed(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// Does something to the database of a state directory behind the store's back.
async fn tamper(state_dir: &Path, sql: &'static str) {
    let mut connection = raw(state_dir).await;
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

async fn raw(state_dir: &Path) -> sqlx::SqliteConnection {
    sqlx::sqlite::SqliteConnectOptions::new().filename(state_dir.join("state.db")).connect().await.unwrap()
}
