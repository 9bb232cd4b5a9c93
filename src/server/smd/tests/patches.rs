//! What patches of components take, and how their bodies are read.

use serde_json::{Value, json};

use super::Smd;

#[tokio::test]
async fn beside_a_state_a_flag_that_is_none_is_ok_and_alone_it_is_refused() {
    let smd = Smd::with_nodes().await;
    let one = "State/Components/x1c0s0b0n0";
    for (flag, shown) in [("Alert", "Alert"), ("zz", "OK"), ("alert", "Alert"), ("Alert ", "OK")] {
        let body = json!({"State": "Ready", "Flag": flag, "Force": true});
        assert_eq!(smd.send("PATCH", &format!("{one}/StateData"), body.clone()).await.status, 204);
        assert_eq!(smd.get(one).await["Flag"], shown, "{flag}");
        assert_eq!(smd.send("PATCH", &format!("{one}/FlagOnly"), body).await.status == 204, shown == "Alert", "{flag}");
    }
}

#[tokio::test]
async fn a_patch_that_names_its_component_spells_it_as_the_path_does() {
    let smd = Smd::with_nodes().await;
    for (path, id, status) in [
        ("x1c0s0b0n0", "x1c0s0b0n0", 204),
        ("X1c0s0b0n0", "X1c0s0b0n0", 204),
        ("x1c0s0b0n0", "", 204),
        ("x1c0s0b0n0", "X1c0s0b0n0", 400),
        ("x1c0s0b0n0", "x1c0s0b0n0 ", 400),
        ("x1c0s0b0n0", "x1c0s0b0n1", 400),
    ] {
        let path = format!("State/Components/{path}/Enabled");
        let answer = smd.send("PATCH", &path, json!({"ID": id, "Enabled": true})).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {id:?}");
    }
}

#[tokio::test]
async fn a_type_that_is_no_text_is_refused_though_it_says_nothing() {
    let smd = Smd::new();
    for (kind, status) in [(json!("Chassis"), 204), (Value::Null, 204), (json!(7), 400), (json!(["Node"]), 400)] {
        let body = json!({"Components": [{"ID": "x1c0s0b0n0", "State": "On", "type": kind}]});
        assert_eq!(smd.send("POST", "State/Components", body).await.status.as_u16(), status, "{kind}");
    }
    assert_eq!(smd.get("State/Components/x1c0s0b0n0").await["Type"], "Node");
}

#[tokio::test]
async fn the_number_of_one_component_is_a_number_and_no_text() {
    let smd = Smd::with_nodes().await;
    let path = "State/Components/x1c0s0b0n0";
    for (nid, status) in [(json!(9), 204), (json!("8"), 400), (json!(""), 400), (Value::Null, 400)] {
        let answer = smd.send("PATCH", &format!("{path}/NID"), json!({"NID": nid})).await;
        assert_eq!(answer.status.as_u16(), status, "{nid}");
    }
    assert_eq!(smd.get(path).await["NID"], 9);
}
