//! Locks and reservations.

use std::sync::Arc;

use super::*;
use crate::model::{Record, Reservation, Timestamp};
use crate::snapshot::Change;
use crate::store::{Author, Decision};

const N0: &str = "x1c0s0b0n0";
const N1: &str = "x1c0s0b0n1";
const GONE: &str = "x9c0s0b0n0";

impl Smd {
    /// Posts to `locks/…`.
    async fn lock(&self, path: &str, body: Value) -> Answer {
        self.send("POST", &format!("locks/{path}"), body).await
    }

    /// Posts what has to be answered with 200.
    async fn locked(&self, path: &str, body: Value) -> Value {
        let answer = self.lock(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Posts what has to be refused.
    async fn refused(&self, path: &str, body: Value) {
        let answer = self.lock(path, body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.media.as_str()), (400, "application/problem+json"), "{path} {body}");
    }

    /// Locked, reserved, disabled.
    async fn state_of(&self, id: &str) -> (bool, bool, bool) {
        let lock = &self.locked("status", json!({"ComponentIDs": [id]})).await["Components"][0];
        let is = |key: &str| lock[key].as_bool().unwrap();
        (is("Locked"), is("Reserved"), is("ReservationDisabled"))
    }

    /// A service's reservation: the reservation key and the deputy key.
    async fn reserve(&self, id: &str) -> (String, String) {
        let body = json!({"ComponentIDs": [id], "ReservationDuration": 1});
        let made = self.locked("service/reservations", body).await["Success"][0].clone();
        assert!(made["ExpirationTime"].as_str().unwrap().ends_with('Z'), "{made}");
        let key = |name: &str| made[name].as_str().unwrap().to_owned();
        (key("ReservationKey"), key("DeputyKey"))
    }
}

fn counts(total: u64, success: u64) -> Value {
    json!({"Total": total, "Success": success, "Failure": total - success})
}

#[tokio::test]
async fn a_rigid_request_happens_whole_or_not_at_all() {
    let smd = Smd::with_nodes().await;
    let both = json!({"ComponentIDs": [N0, N1]});
    smd.refused("lock", json!({"ComponentIDs": [N0, GONE]})).await;
    assert_eq!(smd.locked("lock", json!({"ComponentIDs": ["X1C0S0B0N0", N0]})).await["Counts"], counts(1, 1));
    smd.refused("lock", both.clone()).await;
    smd.refused("unlock", both.clone()).await;
    assert_eq!((smd.state_of(N0).await, smd.state_of(N1).await), ((true, false, false), (false, false, false)));
    assert_eq!(smd.get("State/Components/x1c0s0b0n0").await["Locked"], true);
    smd.refused("reservations", both).await;
    assert!(!smd.state_of(N0).await.1);
}

#[tokio::test]
async fn a_flexible_request_happens_as_far_as_it_can() {
    let smd = Smd::with_nodes().await;
    smd.locked("lock", json!({"ComponentIDs": [N0]})).await;
    let body = json!({"ComponentIDs": [N0, N1, GONE], "ProcessingModel": "Flexible"});
    let result = smd.locked("lock", body.clone()).await;
    assert_eq!(result["Counts"], counts(3, 1));
    assert_eq!(result["Success"], json!({"ComponentIDs": [N1]}));
    let failure = |id: &str, reason: &str| json!({"ID": id, "Reason": reason});
    assert_eq!(result["Failure"], json!([failure(GONE, "NotFound"), failure(N0, "Locked")]));
    smd.refused("lock", json!({"ComponentIDs": [N0], "ProcessingModel": "flexible"})).await;
    let reserved = smd.locked("reservations", body.clone()).await;
    assert_eq!(
        (reserved["Success"].as_array().unwrap().len(), reserved["Failure"].clone()),
        (2, json!([failure(GONE, "NotFound")]))
    );
    let again = smd.locked("reservations", body.clone()).await;
    let failures = json!([failure(GONE, "NotFound"), failure(N0, "Reserved"), failure(N1, "Reserved")]);
    assert_eq!(again, json!({"Success": [], "Failure": failures}));
    assert_eq!(smd.locked("reservations/remove", body.clone()).await["Counts"], counts(3, 2));
    assert_eq!(smd.locked("reservations/remove", body).await["Counts"], counts(3, 0));
}

#[tokio::test]
async fn an_administrator_reserves_what_is_locked_and_a_service_what_is_not() {
    let smd = Smd::with_nodes().await;
    let (one, timed) = (json!({"ComponentIDs": [N0]}), json!({"ComponentIDs": [N0], "ReservationDuration": 1}));
    smd.refused("reservations", one.clone()).await;
    smd.locked("lock", one.clone()).await;
    smd.refused("service/reservations", timed.clone()).await;
    let made = smd.locked("reservations", timed).await["Success"][0].clone();
    assert_eq!(made["ExpirationTime"], Value::Null);
    let key = made["ReservationKey"].as_str().unwrap();
    assert!(key.starts_with("x1c0s0b0n0:rk:") && key.len() == "x1c0s0b0n0:rk:".len() + 36, "{key}");
    smd.refused("unlock", one.clone()).await;
    let keys = json!({"ReservationKeys": [{"ID": N0, "Key": key}], "ReservationDuration": 1});
    smd.refused("service/reservations/renew", keys.clone()).await;
    assert_eq!(smd.locked("reservations/release", keys.clone()).await["Counts"], counts(1, 1));
    smd.refused("reservations/release", keys).await;
    assert_eq!(smd.locked("unlock", one).await["Success"]["ComponentIDs"], json!([N0]));
}

#[tokio::test]
async fn a_reservation_is_checked_with_the_deputy_key_and_renewed_and_released_with_its_own() {
    let smd = Smd::with_nodes().await;
    let (key, deputy) = smd.reserve(N0).await;
    smd.refused("service/reservations", json!({"ComponentIDs": [N0], "ReservationDuration": 1})).await;
    let check = async |id: &str, key: &str| {
        let body = json!({"DeputyKeys": [{"ID": id, "Key": key}]});
        let result = smd.locked("service/reservations/check", body).await;
        (result["Success"].as_array().unwrap().len(), result["Failure"].as_array().unwrap().len())
    };
    assert_eq!(check(N0, &deputy).await, (1, 0));
    let shown = json!({"ID": N0, "Key": deputy});
    let twice = smd.locked("service/reservations/check", json!({"DeputyKeys": [shown, shown]})).await;
    assert_eq!((twice["Success"].as_array().unwrap().len(), &twice["Failure"]), (1, &json!([])), "told of once");
    assert_eq!((check(N0, &key).await, check(N1, &deputy).await, check(N1, "x").await), ((0, 1), (0, 1), (0, 1)));
    let keys = |key: &str, model: &str| json!({"ReservationKeys": [{"ID": N0, "Key": key}], "ReservationDuration": 15, "ProcessingModel": model});
    let before = smd.locked("status", json!({})).await["Components"][0]["ExpirationTime"].clone();
    assert_eq!(smd.locked("service/reservations/renew", keys(&key, "")).await["Counts"], counts(1, 1));
    assert_ne!(smd.locked("status", json!({})).await["Components"][0]["ExpirationTime"], before);
    for path in ["service/reservations/renew", "service/reservations/release"] {
        smd.refused(path, keys(&deputy, "rigid")).await;
        assert_eq!(
            smd.locked(path, keys(&deputy, "flexible")).await["Failure"],
            json!([{"ID": N0, "Reason": "NotFound"}])
        );
    }
    let twice = json!({"ReservationKeys": [{"ID": N0, "Key": key}, {"ID": N0, "Key": key}]});
    smd.refused("reservations/release", twice).await;
    assert_eq!(
        smd.locked("service/reservations/release", keys(&key.to_uppercase(), "rigid")).await["Counts"],
        counts(1, 1)
    );
    assert_eq!(check(N0, &deputy).await, (0, 1));
}

#[tokio::test]
async fn only_digests_of_the_keys_are_kept() {
    let smd = Smd::with_nodes().await;
    let (key, deputy) = smd.reserve(N0).await;
    let snapshot = smd.store.snapshot();
    let kept = Record::Reservation(snapshot.records.reservations.values().next().unwrap().clone()).to_json().unwrap();
    assert!(!kept.contains(&key) && !kept.contains(&deputy), "{kept}");
}

#[tokio::test]
async fn disabling_ends_a_reservation_and_refuses_new_ones_until_repair() {
    let smd = Smd::with_nodes().await;
    smd.reserve(N0).await;
    let both = json!({"ComponentIDs": [N0, N1]});
    assert_eq!(smd.locked("disable", both.clone()).await["Counts"], counts(2, 2));
    assert_eq!(smd.state_of(N0).await, (false, false, true));
    smd.refused("lock", both.clone()).await;
    smd.refused("service/reservations", json!({"ComponentIDs": [N0], "ReservationDuration": 1})).await;
    let body = json!({"ComponentIDs": [N0], "ReservationDuration": 1, "ProcessingModel": "flexible"});
    assert_eq!(smd.locked("service/reservations", body).await["Failure"][0]["Reason"], "Disabled");
    for _ in 0..2 {
        assert_eq!(smd.locked("repair", both.clone()).await["Counts"], counts(2, 2));
    }
    assert_eq!(smd.locked("lock", both).await["Counts"], counts(2, 2));
}

#[tokio::test]
async fn an_expired_reservation_counts_for_nothing() {
    let smd = Smd::with_nodes().await;
    let (key, deputy) = smd.reserve(N0).await;
    let snapshot = smd.store.snapshot();
    let standing = snapshot.records.reservations.values().next().unwrap();
    let past = Reservation { expires: Some(Timestamp(1)), ..Reservation::clone(standing) };
    let change = Change::PutRecord(Record::Reservation(Arc::new(past)));
    let decide = move |_: &crate::snapshot::Snapshot| Ok::<_, ()>(Decision::new((), vec![change]));
    smd.store.write(Author("test".into()), decide).await.unwrap();
    assert_eq!(smd.state_of(N0).await, (false, false, false));
    let check = json!({"DeputyKeys": [{"ID": N0, "Key": deputy}]});
    assert_eq!(smd.locked("service/reservations/check", check).await["Success"], json!([]));
    let keys = json!({"ReservationKeys": [{"ID": N0, "Key": key}], "ReservationDuration": 1});
    smd.refused("service/reservations/renew", keys.clone()).await;
    smd.refused("service/reservations/release", keys).await;
    smd.refused("reservations/remove", json!({"ComponentIDs": [N0]})).await;
    smd.reserve(N0).await;
}

#[tokio::test]
async fn a_deleted_component_takes_its_reservation_with_it() {
    for path in ["State/Components/x1c0s0b0n0", "State/Components"] {
        let smd = Smd::with_nodes().await;
        smd.reserve(N0).await;
        assert_eq!(smd.ask("DELETE", path, "").await.status, 200);
        assert!(smd.store.snapshot().records.reservations.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn status_is_narrowed_and_names_what_is_not_there() {
    let smd = Smd::with_nodes().await;
    smd.reserve(N0).await;
    let listed =
        async |query: &str| smd.get(&format!("locks/status?{query}")).await["Components"].as_array().unwrap().len();
    assert_eq!((listed("").await, listed("Type=Node").await, listed("state=On").await), (4, 4, 4));
    assert_eq!((listed("Reserved=true").await, listed("reserved=false").await), (1, 3));
    let named = smd.locked("status", json!({"ComponentIDs": [N0, GONE]})).await;
    assert_eq!(named["NotFound"], json!([GONE]));
    assert_eq!(smd.locked("status", json!({"NID": ["2"]})).await["Components"][0]["ID"], N1);
    for query in ["Type=Foo", "Role=Service", "Locked=zonk", "Reserved=zonk", "Locked=true"] {
        assert_eq!(smd.ask("GET", &format!("locks/status?{query}"), "").await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn whether_components_are_reserved_says_nothing_outside_a_query_for_the_status() {
    let smd = Smd::with_nodes().await;
    for (path, reserved) in [("lock", "zonk"), ("unlock", "true"), ("disable", "zonk"), ("repair", "true")] {
        let body = json!({"ComponentIDs": [N0], "Reserved": [reserved]});
        assert_eq!(smd.locked(path, body).await["Counts"], counts(1, 1), "{path}");
    }
    let body = json!({"ComponentIDs": [N0], "Reserved": ["zonk"], "ReservationDuration": 1});
    assert_eq!(smd.locked("service/reservations", body.clone()).await["Success"][0]["ID"], N0);
    assert_eq!(smd.locked("reservations/remove", body).await["Counts"], counts(1, 1));
}

#[tokio::test]
async fn a_flexible_request_goes_on_without_the_component_whose_key_is_missing() {
    let smd = Smd::with_nodes().await;
    let ((_, _), (key, _)) = (smd.reserve(N0).await, smd.reserve(N1).await);
    let keys = json!([{"ID": N0, "Key": ""}, {"ID": N1, "Key": key}]);
    for path in ["service/reservations/renew", "service/reservations/release"] {
        let body = |model: &str| json!({"ReservationKeys": keys, "ReservationDuration": 1, "ProcessingModel": model});
        smd.refused(path, body("rigid")).await;
        let result = smd.locked(path, body("flexible")).await;
        assert_eq!(result["Success"]["ComponentIDs"], json!([N1]), "{path}");
        assert_eq!(result["Failure"], json!([{"ID": N0, "Reason": "NotFound"}]), "{path}");
    }
    assert_eq!((smd.state_of(N0).await.1, smd.state_of(N1).await.1), (true, false));
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused() {
    let smd = Smd::with_nodes().await;
    for path in
        ["lock", "unlock", "repair", "disable", "status", "reservations", "reservations/remove", "service/reservations"]
    {
        for body in [
            json!({"ComponentIDs": ["foo"]}),
            json!({"ComponentIDs": [GONE]}),
            json!({"ComponentIDs": N0}),
            json!({"ProcessingModel": "fail"}),
            json!({"ReservationDuration": 16}),
            json!({"Role": ["Cook"]}),
        ] {
            smd.refused(path, body).await;
        }
    }
    smd.refused("service/reservations", json!({"ComponentIDs": [N0]})).await;
    smd.refused("service/reservations", json!({"ComponentIDs": [N0], "ReservationDuration": -1})).await;
    for path in ["reservations/release", "service/reservations/release", "service/reservations/renew"] {
        for body in [
            json!({}),
            json!({"ProcessingModel": "fail"}),
            json!({"ReservationKeys": [{"ID": "foo", "Key": "x"}], "ReservationDuration": 1}),
            json!({"ReservationKeys": [{"ID": N0, "Key": ""}], "ReservationDuration": 1}),
        ] {
            smd.refused(path, body).await;
        }
    }
    smd.refused("status", json!({"Reserved": ["zonk"]})).await;
    let nothing = json!({"ReservationKeys": [], "ProcessingModel": "flexible"});
    assert_eq!(smd.locked("reservations/release", nothing).await["Counts"], counts(0, 0));
    for body in [json!({}), json!({"DeputyKeys": []}), json!({"DeputyKeys": [{"ID": N0, "Key": ""}]})] {
        smd.refused("service/reservations/check", body).await;
    }
}
