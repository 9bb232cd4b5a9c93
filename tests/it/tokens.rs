//! Tokens of other issuers at a running daemon.

use crate::replay::tokens::Tokens;
use crate::support::{Cluster, send};

#[test]
fn tokens_of_other_issuers_are_taken_by_their_keys_and_as_narrowly_as_the_flags_say() {
    let (cluster, tokens) = (Cluster::demo(), Tokens::issue());
    let keys = ["--jwks-url", tokens.jwks_url.as_str()];
    for (flags, judged) in [
        (&[][..], [("valid", 200), ("aud-other", 200), ("expired", 401), ("badsig", 401), ("alg-none", 401)]),
        (
            &["--jwks-issuer", "http://issuer.invalid", "--jwks-audience", "smd"][..],
            [("valid", 200), ("aud-other", 401), ("notyet", 401), ("no-iss", 401), ("no-exp", 401)],
        ),
        (
            &["--jwks-issuer", "http://other.invalid"][..],
            [("valid", 401), ("aud-other", 401), ("none", 401), ("garbage", 401), ("wrong-kid", 401)],
        ),
    ] {
        let serving = cluster.serve(&[&keys, flags].concat());
        for (name, status) in judged {
            let bearer = format!("Bearer {}", tokens.named(name));
            let answer = send("GET", &format!("{}/hsm/v2/groups", serving.api), &[("authorization", &bearer)], None);
            assert_eq!(answer.status, status, "{name} with {flags:?}: {}", answer.body);
        }
        serving.stop();
    }
    let alone = cluster.run(&["serve", "--jwks-issuer", "http://issuer.invalid"]).expect(2);
    assert!(alone.stderr.contains("--jwks-url"), "{}", alone.stderr);
}
