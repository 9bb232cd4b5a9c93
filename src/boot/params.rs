//! The kernel command line of a node: what is stored, and what BSS adds to it.

use std::borrow::Cow;

/// Who boots, for the words that are added.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    /// None for a machine that SMD does not know.
    pub(super) xname: Option<&'a str>,
    pub(super) nid: Option<u64>,
    /// The MAC address that asks, joined by dashes; none when the script was asked for by name or number.
    pub(super) mac: Option<&'a str>,
    /// What `ds=nocloud-net;s=` is to say, without the slash at its end.
    pub(super) seed: &'a str,
}

/// The whole command line. A word is added unless the stored parameters have one that begins as it does, so an
/// administrator's own word always wins.
pub(super) fn command_line(stored: &str, has_initrd: bool, identity: &Identity<'_>) -> String {
    let stored = one_line(stored);
    let mut line = String::with_capacity(stored.len() + 160);
    if has_initrd {
        // iPXE knows the initrd by this name; another one would be looked for in vain.
        line.push_str("initrd=initrd ");
        line.push_str(&without_initrd(&stored));
    } else {
        line.push_str(&stored);
    }
    let mut add = |prefix: &str, value: &dyn std::fmt::Display| {
        if !stored.split(' ').any(|word| word.starts_with(prefix)) {
            line.push_str(&format!(" {prefix}{value}"));
        }
    };
    if let Some(xname) = identity.xname {
        add("xname=", &xname);
    }
    if let Some(nid) = identity.nid {
        add("nid=", &nid);
    }
    if let Some(mac) = identity.mac {
        add("BOOTIF=", &format_args!("01-{mac}"));
    }
    add("ds=", &format_args!("nocloud-net;s={}/", identity.seed));
    line
}

/// The parameters without the words that begin with `initrd=`. Only whole words: `rd.initrdx=1` is another parameter.
fn without_initrd(params: &str) -> Cow<'_, str> {
    let ours = |word: &str| word.starts_with("initrd=");
    if !params.split(' ').any(ours) {
        return params.into();
    }
    params.split(' ').filter(|word| !ours(word)).collect::<Vec<_>>().join(" ").into()
}

/// The text on one line: a line break within a script would begin another command.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Identity<'_> =
        Identity { xname: Some("x1000c1s7b0n0"), nid: Some(1), mac: Some("ec-e7-a7-05-a1-00"), seed: "172.16.0.254" };
    const ADDED: &str = "xname=x1000c1s7b0n0 nid=1 BOOTIF=01-ec-e7-a7-05-a1-00 ds=nocloud-net;s=172.16.0.254/";

    #[test]
    fn the_node_is_named_behind_what_is_stored() {
        assert_eq!(command_line("quiet ro", true, &NODE), format!("initrd=initrd quiet ro {ADDED}"));
        assert_eq!(command_line("quiet ro", false, &NODE), format!("quiet ro {ADDED}"));
        assert_eq!(command_line("", false, &NODE), format!(" {ADDED}"));
    }

    #[test]
    fn a_word_that_is_stored_wins() {
        let stored = "xname=mine nid=77 BOOTIF=zz ds=nocloud;s=http://x/ quiet";
        assert_eq!(command_line(stored, false, &NODE), stored);
        assert_eq!(command_line("my.xname=1 quiet", false, &NODE), format!("my.xname=1 quiet {ADDED}"));
        let url = "ochami_ci_url=http://172.16.0.254:8081/cloud-init/";
        assert_eq!(command_line(url, false, &NODE), format!("{url} {ADDED}"));
    }

    #[test]
    fn nothing_is_added_that_is_not_known() {
        let by_name = Identity { nid: None, mac: None, ..NODE };
        assert_eq!(command_line("q", false, &by_name), "q xname=x1000c1s7b0n0 ds=nocloud-net;s=172.16.0.254/");
        let unknown = Identity { xname: None, ..by_name };
        assert_eq!(command_line("q", false, &unknown), "q ds=nocloud-net;s=172.16.0.254/");
    }

    #[test]
    fn only_whole_words_give_way_to_the_initrd() {
        let line = command_line("rd.initrdx=1 initrd=other initrdmem=x quiet", true, &NODE);
        assert_eq!(line, format!("initrd=initrd rd.initrdx=1 initrdmem=x quiet {ADDED}"));
        assert!(command_line("initrd=mine", false, &NODE).starts_with("initrd=mine "), "without an initrd it stays");
    }

    #[test]
    fn line_breaks_become_blanks() {
        assert_eq!(one_line("a\r\nb\nc\n"), "a b c");
        assert_eq!(one_line("a  b"), "a  b");
    }
}
