//! Groups whose members are in several rows.

use super::*;
use crate::model::{Group, Kind, Xname};

fn xname(number: usize) -> Xname {
    format!("x{}c0s{}b0n0", number / 64, number % 64).parse().unwrap()
}

fn group(members: impl IntoIterator<Item = usize>) -> Object {
    Object::Group(Arc::new(Group {
        label: "all".parse().unwrap(),
        description: "everything".to_owned(),
        tags: Vec::new(),
        exclusive_group: None,
        members: members.into_iter().map(xname).collect(),
    }))
}

fn key() -> ObjectKey {
    ObjectKey::new(Kind::Group, "all")
}

/// The identifiers of the rows of members that are there.
async fn parts(state_dir: &Path) -> Vec<String> {
    let query = "SELECT id FROM object WHERE kind = 'members' AND body IS NOT NULL ORDER BY id";
    sqlx::query_scalar(query).fetch_all(&mut raw(state_dir).await).await.unwrap()
}

#[tokio::test]
async fn what_becomes_of_a_large_group_is_there_after_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = serve(dir.path()).await;
    let states = [
        vec![Change::Put(group(0..5000))],
        vec![Change::Put(group((0..5000).filter(|number| number % 7 > 0)))],
        vec![Change::Put(group(0..9000))],
        vec![Change::Put(group(0..3))],
        vec![Change::Put(group(0..5000))],
        vec![Change::Delete(key())],
        vec![Change::Put(group(4000..6000))],
    ];
    for changes in states {
        change(&store, changes).await.unwrap();
        let before = store.snapshot();
        assert_eq!(observe(dir.path()).await.snapshot(), before);
        store.close().await;
        let members = before.object(&key()).map_or(0, |object| match object {
            Object::Group(group) => group.members.len(),
            _ => panic!("another kind"),
        });
        // Every 128th member on average begins a part.
        let expected = members / 256..=members / 64;
        assert!(expected.contains(&parts(dir.path()).await.len()), "{members} members");
        store = serve(dir.path()).await;
        assert_eq!(store.snapshot(), before);
    }
}

#[tokio::test]
async fn one_member_more_or_less_writes_few_rows() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([group(0..5000)])).await.unwrap();
    for number in 1000..1100 {
        change(&store, puts([group((0..5000).filter(|other| *other != number))])).await.unwrap();
        change(&store, puts([group(0..5000)])).await.unwrap();
        let revision = store.snapshot().revision.cast_signed();
        let written: (i64, i64) =
            sqlx::query_as("SELECT COUNT(*), SUM(octet_length(body)) FROM object WHERE revision >= $1")
                .bind(revision - 1)
                .fetch_one(&mut raw(dir.path()).await)
                .await
                .unwrap();
        assert!(written.0 <= 3 && written.1 < 40_000, "{written:?}");
    }
}

#[tokio::test]
async fn groups_of_an_older_version_are_read_as_they_are_and_stored_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([group(0..5000)])).await.unwrap();
    let before = store.snapshot();
    store.close().await;
    let mut connection = raw(dir.path()).await;
    let whole = "UPDATE object SET body = $1 WHERE kind = 'group'";
    sqlx::query(whole).bind(group(0..5000).to_json()).execute(&mut connection).await.unwrap();
    let older = "DELETE FROM object WHERE kind = 'members'; DELETE FROM meta WHERE name = 'members'; \
                 DELETE FROM _sqlx_migrations WHERE version = 3; \
                 INSERT INTO object VALUES ('group', 'broken', '{', 1, 'test', 0)";
    connection.execute(older).await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(observe(dir.path()).await.snapshot(), before);

    let store = serve(dir.path()).await;
    assert_eq!(store.snapshot(), before);
    let [reason] = store.degraded().try_into().unwrap();
    assert!(reason.starts_with("group/broken cannot be read: "), "{reason}");
    assert!(parts(dir.path()).await.len() > 20);
    change(&store, puts([group(0..4999)])).await.unwrap();
    let after = store.snapshot();
    store.close().await;
    assert_eq!(serve(dir.path()).await.snapshot(), after);
}

#[tokio::test]
async fn a_group_of_which_members_cannot_be_read_is_not_served_and_can_be_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([group(0..5000), node("x1c0s0b0n0", 1)])).await.unwrap();
    store.close().await;
    let broken = parts(dir.path()).await[3].clone();
    sqlx::query("UPDATE object SET body = '[7]' WHERE kind = 'members' AND id = $1")
        .bind(&broken)
        .execute(&mut raw(dir.path()).await)
        .await
        .unwrap();

    let store = serve(dir.path()).await;
    assert_eq!(store.snapshot().objects().count(), 1);
    let [reason] = store.degraded().try_into().unwrap();
    assert!(reason.starts_with(&format!("group/all cannot be read: its members {broken}: ")), "{reason}");
    change(&store, puts([group(0..3)])).await.unwrap();
    assert_eq!(store.degraded(), Vec::<String>::new());
    let after = store.snapshot();
    store.close().await;
    assert_eq!(parts(dir.path()).await, Vec::<String>::new());
    assert_eq!(serve(dir.path()).await.snapshot(), after);
}

#[tokio::test]
async fn members_without_their_group_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([group(0..5000)])).await.unwrap();
    store.close().await;
    let others =
        "DELETE FROM object WHERE kind = 'group'; INSERT INTO object VALUES ('members', '?', '[]', 1, 'test', 0)";
    tamper(dir.path(), others).await;
    let store = serve(dir.path()).await;
    assert_eq!(store.snapshot().objects().count(), 0);
    let mut reasons = store.degraded();
    reasons.sort();
    let expected = [
        "group/? cannot be read: it cannot be the name of members",
        "group/all cannot be read: of all its rows only those of its members are there",
    ];
    assert_eq!(reasons, expected);
    tamper(dir.path(), "DELETE FROM object WHERE id = '?'").await;
    store.close().await;
    let store = serve(dir.path()).await;
    change(&store, vec![Change::Delete(key())]).await.unwrap();
    assert_eq!(store.degraded(), Vec::<String>::new());
    assert_eq!(parts(dir.path()).await, Vec::<String>::new());
}
