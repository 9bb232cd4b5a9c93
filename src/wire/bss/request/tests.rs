use super::*;

fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn keys(texts: &[&str]) -> BTreeSet<BootKey> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_request_keeps_every_kind_of_key_that_it_names() {
    let body =
        br#"{"macs":["EC:E7:A7:05:A1:01","ec:e7:a7:05:a1:01"],"hosts":["X1000c1s7b07n0"],"nids":[8],"kernel":"k",
                    "params":"","zip":1,"cloud-init":{"user-data":{"a":1}}}"#;
    let request = parse_request(body).unwrap();
    assert_eq!(request.keys, keys(&["mac:ec:e7:a7:05:a1:01", "host:x1000c1s7b7n0", "nid:8"]));
    assert_eq!(request.fields, ConfigFields { kernel: Some("k".into()), initrd: None, params: None });
}

#[test]
fn members_that_are_null_count_as_left_out() {
    let request = parse_request(br#"{"macs":null,"hosts":null,"nids":null,"kernel":null}"#).unwrap();
    assert_eq!(request, Request::default());
    assert_eq!(parse_request(b"null").unwrap(), Request::default());
}

#[test]
fn what_is_wrong_is_named() {
    for (body, error) in [
        (r#"{"macs":["zz"]}"#, BootParamsError::Mac("zz".into())),
        (r#"{"macs":["ec-e7-a7-05-a1-01"]}"#, BootParamsError::Mac("ec-e7-a7-05-a1-01".into())),
        (r#"{"macs":["ec:e7:a7:05:a1:0g"]}"#, BootParamsError::Mac("ec:e7:a7:05:a1:0g".into())),
        (r#"{"macs":["äc:e7:a7:05:a1:0"]}"#, BootParamsError::Mac("äc:e7:a7:05:a1:0".into())),
        (r#"{"hosts":["default"]}"#, BootParamsError::Host("default".into())),
        (r#"{"hosts":["x1000c1s7b0"]}"#, BootParamsError::Host("x1000c1s7b0".into())),
        (r#"{"nids":[-1]}"#, BootParamsError::Nid("-1".into())),
    ] {
        assert_eq!(parse_request(body.as_bytes()).unwrap_err(), error, "{body}");
    }
    for body in [
        "",
        "{",
        "[]",
        r#"{"nids":["4"]}"#,
        r#"{"macs":"ec:e7:a7:05:a1:01"}"#,
        "\u{0}\u{ff}",
        r#"{"nids":[2147483648]}"#,
        r#"{"cloud-init":1}"#,
        r#"{"cloud-init":{"meta-data":[]}}"#,
        r#"{"cloud-init":{"phone-home":{"fqdn":1}}}"#,
        r#"{"macs":[],"macs":[]}"#,
    ] {
        assert!(matches!(parse_request(body.as_bytes()), Err(BootParamsError::Body(_))), "{body}");
    }
}

#[test]
fn selectors_are_repeatable_and_take_lists() {
    let pairs = query(&[
        ("mac", "EC:E7:A7:05:A1:00,ec:e7:a7:05:a1:01"),
        ("mac", "ec-e7-a7-05-a1-02"),
        ("name", "x1000c1s7b2n0"),
        ("nid", "4"),
        ("nid", "0x5,-1"),
        ("host", "x9"),
    ]);
    let Selection::Keys { keys: found, kinds } = parse_selection(&pairs, b"").unwrap() else { panic!() };
    let expected = ["mac:ec:e7:a7:05:a1:00", "mac:ec:e7:a7:05:a1:01", "host:x1000c1s7b2n0", "nid:4", "nid:5"];
    assert_eq!(found, keys(&expected));
    assert_eq!(kinds, ["Hosts", "MACs", "NIDs"]);
}

#[test]
fn without_selectors_the_body_selects_or_everything_is_meant() {
    assert_eq!(parse_selection(&query(&[("host", "x"), ("mac", "")]), b"").unwrap(), Selection::All);
    let Selection::Keys { keys: found, .. } = parse_selection(&[], br#"{"nids":[4]}"#).unwrap() else { panic!() };
    assert_eq!(found, keys(&["nid:4"]));
    assert_eq!(parse_selection(&[], b"{}"), Err(BootParamsError::NothingSelected));
    assert!(matches!(parse_selection(&[], b"{"), Err(BootParamsError::Body(_))));
    for nid in ["abc", " 1", "1.5"] {
        assert_eq!(parse_selection(&query(&[("nid", nid)]), b""), Err(BootParamsError::Nid(nid.into())));
    }
    assert_eq!(parse_selection(&query(&[("nid", "1,")]), b""), Err(BootParamsError::Nid("".into())));
}

#[test]
fn fields_that_are_not_given_keep_their_value() {
    let old = BootConfig { kernel: "k".into(), initrd: "i".into(), params: "p".into(), ..BootConfig::default() };
    let fields = ConfigFields { params: Some("new".into()), ..ConfigFields::default() };
    assert_eq!(fields.over(&old), BootConfig { params: "new".into(), ..old.clone() });
    assert!(ConfigFields { kernel: Some("k".into()), ..ConfigFields::default() }.matches(&old));
    assert!(!ConfigFields { kernel: Some("k".into()), initrd: Some("x".into()), params: None }.matches(&old));
}

#[test]
fn the_names_of_members_are_read_in_any_case() {
    let request = parse_request(br#"{"MACS":["ec:e7:a7:05:a1:01"],"Kernel":"k","cloud-init":null}"#).unwrap();
    assert_eq!(request.keys, keys(&["mac:ec:e7:a7:05:a1:01"]));
    assert_eq!(request.fields.kernel.as_deref(), Some("k"));
}

#[test]
fn a_new_host_is_spelled_as_smd_spells_it() {
    for given in ["X1000c1s7b0n0", "x1000c01s7b0n0"] {
        let body = format!(r#"{{"hosts":["x1000c1s7b1n0","{given}"],"kernel":"k"}}"#);
        let error = BootParamsError::Spelling { given: given.to_owned(), canonical: "x1000c1s7b0n0".to_owned() };
        assert_eq!(parse_new(body.as_bytes()).unwrap_err(), error);
        assert!(parse_request(body.as_bytes()).is_ok());
    }
    assert!(parse_new(br#"{"hosts":["x1000c1s7b0n0"]}"#).is_ok());
    assert!(matches!(parse_new(b"{"), Err(BootParamsError::Body(_))));
}

#[test]
fn what_is_for_many_nodes_is_stored_by_put_only() {
    for host in ["Default", "Global", "compute", "Unknown-x86_64"] {
        let body = format!(r#"{{"hosts":["{host}"],"kernel":"k"}}"#);
        assert_eq!(parse_new(body.as_bytes()).unwrap_err(), BootParamsError::Shared(host.to_owned()));
        assert!(parse_request(body.as_bytes()).is_ok(), "{host}");
    }
}

#[test]
fn a_patch_of_a_host_that_is_none_finds_nothing() {
    let error = BootParamsError::NoSuchHost("zz".to_owned());
    assert_eq!(parse_known(br#"{"hosts":["zz"],"kernel":"k"}"#).unwrap_err(), error);
    let error = BootParamsError::Mac("zz".to_owned());
    assert_eq!(parse_known(br#"{"macs":["zz"],"kernel":"k"}"#).unwrap_err(), error);
}

#[test]
fn hosts_are_selected_as_they_are_spelled() {
    for (name, found) in
        [("x1000c1s7b0n0", 1), ("X1000C1S7B0N0", 0), ("x1000c01s7b0n0", 0), ("compute", 0), ("Compute", 1)]
    {
        let Selection::Keys { keys, kinds } = parse_selection(&query(&[("name", name)]), b"").unwrap() else {
            panic!()
        };
        assert_eq!((keys.len(), &kinds[..]), (found, &["Hosts"][..]), "{name}");
    }
}

#[test]
fn query_and_body_select_together() {
    let pairs = query(&[("mac", "ec:e7:a7:05:a1:00")]);
    for (body, expected) in [
        (r#"{"nids":[4],"kernel":"k"}"#, &["mac:ec:e7:a7:05:a1:00", "nid:4"][..]),
        ("not JSON", &["mac:ec:e7:a7:05:a1:00"]),
    ] {
        let Selection::Keys { keys: found, .. } = parse_selection(&pairs, body.as_bytes()).unwrap() else { panic!() };
        assert_eq!(found, keys(expected), "{body}");
    }
    let Selection::Keys { keys: found, kinds } = parse_selection(&[], br#"{"kernel":"k","initrd":"i"}"#).unwrap()
    else {
        panic!()
    };
    assert_eq!((found, kinds), (keys(&[]), vec!["kernel", "initrd"]));
}
