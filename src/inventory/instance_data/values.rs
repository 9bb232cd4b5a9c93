//! Values that only today's form of cloud-init has: base URLs, subnets of either family, SSH keys.

use super::super::Code;
use super::super::secrets;
use super::super::source::Sheet;
use super::super::span::Span;
use super::super::walker::Text;
use super::super::yaml::{Data, Yaml};

/// The types of SSH public keys, as they stand in front of one.
const KEY_TYPES: [&str; 4] = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"];

/// Reports every reference to a secret; true when there is one. Whoever asks may read what these files say.
pub(super) fn refuse_secrets(sheet: Sheet<'_>, yaml: &Yaml<'_>) -> bool {
    match &yaml.data {
        Data::Map(pairs) => {
            let mut found = false;
            for pair in pairs.iter() {
                if pair.key.text == secrets::KEY {
                    refuse(sheet, pair.key.span, "a secret in data that anybody may read");
                    found = true;
                } else {
                    found |= refuse_secrets(sheet, &pair.value);
                }
            }
            found
        }
        // `any` would stop at the first.
        Data::List(items) => items.iter().fold(false, |found, item| refuse_secrets(sheet, item) | found),
        Data::Scalar(_) | Data::Bad => false,
    }
}

fn refuse(sheet: Sheet<'_>, span: Span, message: &str) {
    let problem = sheet.problem(Code::OpenSecret, span, message);
    sheet.push(
        problem
            .label("every machine on the boot network can read this")
            .help("move it into an entry of `cloud-init/secure/`: today's form has no place for secrets"),
    );
}

/// A URL below which nodes fetch, without slashes at its end, as the server keeps it.
pub(super) fn base_url(sheet: Sheet<'_>, what: &str, text: Text<'_>) -> Option<String> {
    let url = text.text.trim().trim_end_matches('/');
    let rest = ["http://", "https://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let fault = match rest {
        None => "it does not start with `http://` or `https://`",
        Some(rest) if rest.is_empty() || rest.starts_with(['/', ':']) => "it names no host",
        Some(_) if url.contains(|c: char| c.is_whitespace() || c.is_control()) => "it contains a blank",
        Some(_) if url.contains(['?', '#']) => "nothing can be put behind a `?` or `#`",
        Some(_) => return Some(url.to_owned()),
    };
    let problem = sheet.problem(Code::BaseUrl, text.span, format!("`{what}` is not a URL that nodes can fetch from"));
    sheet.push(problem.label(fault).help("write it as `http://172.16.0.254:8081/cloud-init`"));
    None
}

/// A network in CIDR notation.
pub(super) fn subnet(sheet: Sheet<'_>, what: &str, text: Text<'_>) -> Option<String> {
    let written = text.text.trim();
    if written.parse::<ipnet::IpNet>().is_ok() {
        return Some(written.to_owned());
    }
    let problem = sheet.problem(Code::Subnet, text.span, format!("`{what}` cannot be `{written}`"));
    sheet.push(
        problem.label("not an address and a prefix length").help("an address and a prefix length, as `172.16.0.0/24`"),
    );
    None
}

/// A line of `authorized_keys`.
pub(super) fn public_key(sheet: Sheet<'_>, text: Text<'_>) -> Option<String> {
    let key = text.text.trim();
    if key.contains("PRIVATE KEY") {
        refuse(sheet, text.span, "a private key in data that anybody may read");
        return None;
    }
    let mut words = key.split_ascii_whitespace();
    let typed = words.any(|word| KEY_TYPES.iter().any(|known| word.starts_with(known)));
    if !typed || words.next().is_none() || key.contains('\n') {
        let problem = sheet.problem(Code::SshKey, text.span, "this is not an SSH public key");
        sheet.push(
            problem
                .label("nobody could log in with it")
                .help("copy the one line of a `.pub` file, as `ssh-ed25519 AAAA… user@host`"),
        );
    }
    Some(key.to_owned())
}
