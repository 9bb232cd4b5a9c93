//! What a POST or PUT of components does to those that exist, and to those that it names twice.

use serde_json::{Value, json};

use super::Smd;

#[tokio::test]
async fn of_one_component_several_times_in_a_request_the_first_that_changes_something_counts() {
    let smd = Smd::new();
    let id = "x1c0s0b0n0";
    let sent = |state: &str, class: &str| json!({"ID": id, "State": state, "Class": class});
    for (force, list, state, class) in [
        (false, json!([sent("Off", "River"), sent("On", "Hill")]), "Off", "River"),
        (false, json!([sent("On", "Hill")]), "Off", "River"),
        (true, json!([sent("Off", "River"), sent("Ready", "Hill"), sent("On", "River")]), "Ready", "Hill"),
        (true, json!([sent("On", "River"), sent("Off", "Hill")]), "On", "River"),
        (
            true,
            json!([{"ID": id, "State": "On"}, {"ID": "X1c0s0b0n00", "State": "Off", "Class": "Hill"}]),
            "Off",
            "Hill",
        ),
    ] {
        let body = json!({"Components": list, "Force": force});
        assert_eq!(smd.send("POST", "State/Components", body.clone()).await.status, 204);
        let shown = smd.get("State/Components/x1c0s0b0n0").await;
        assert_eq!((&shown["State"], &shown["Class"]), (&json!(state), &json!(class)), "{body}");
    }
}

#[tokio::test]
async fn force_clears_what_is_not_said_only_where_something_is_changed() {
    let smd = Smd::new();
    let path = "State/Components/x1c0s0b0n0";
    let put = async |state: &str, class: Value| {
        let component = json!({"ID": "x1c0s0b0n0", "State": state, "Class": class});
        assert_eq!(smd.send("PUT", path, json!({"component": component, "Force": true})).await.status, 204);
        smd.get(path).await["Class"].clone()
    };
    assert_eq!(put("On", json!("Hill")).await, "Hill");
    assert_eq!(put("On", Value::Null).await, "Hill");
    assert_eq!(smd.store.snapshot().revision, 1);
    assert_eq!(put("Off", Value::Null).await, Value::Null);
}
