//! Who made a network card, by the registry of the IEEE that this machine has installed.
//!
//! Debian's package `ieee-data` and RHEL's `hwdata` bring it; without either no maker is told. Blocks of addresses come in
//! three sizes, and a large one may be divided among several makers, so the longest prefix that a list has counts. The
//! lists have tens of thousands of lines of which a few are wanted: they are read line by line, and only those are kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::model::MacAddr;

/// Where packages put the lists.
pub(super) const DIRECTORIES: [&str; 2] = ["/usr/share/ieee-data", "/usr/share/hwdata"];

/// The lists: large blocks as a table, with its companions for the parts of divided ones, or as text.
const LISTS: [&str; 5] = ["oui.csv", "mam.csv", "oui36.csv", "iab.csv", "oui.txt"];

/// Hexadecimal digits that a block's prefix has, by the size of the block.
const LENGTHS: [usize; 3] = [6, 7, 9];

/// Who is named where a block is divided among makers of which this list does not tell.
const DIVIDED: &str = "IEEE Registration Authority";

/// The most of a maker's name that is shown, in characters.
const NAME: usize = 64;

/// The makers of some network cards.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Makers(BTreeMap<MacAddr, String>);

impl Makers {
    /// Looks the makers up in all lists of the directories. One that is not there or cannot be read tells of none.
    pub(super) fn find(directories: &[&Path], addresses: impl Iterator<Item = MacAddr>) -> Self {
        let mut wanted = Wanted::default();
        // Who makes an address up is no maker, and the registry has nobody for it.
        for mac in addresses.filter(|mac| !mac.is_locally_administered()) {
            let digits: String = mac.0.iter().map(|byte| format!("{byte:02X}")).collect();
            for prefix in LENGTHS.iter().filter_map(|length| digits.get(..*length)) {
                wanted.macs.entry(prefix.to_owned()).or_default().push(mac);
            }
        }
        for path in directories.iter().flat_map(|directory| LISTS.map(|list| directory.join(list))) {
            if wanted.macs.is_empty() {
                break;
            }
            if let Err(error) = wanted.read(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(path = %path.display(), %error, "a list of makers cannot be read");
            }
        }
        let told = wanted.found.into_iter().filter(|(_, (_, name))| name != DIVIDED);
        Self(told.map(|(mac, (_, name))| (mac, name)).collect())
    }

    /// The maker of a card, where it is known; as the list has it, so it has to be escaped.
    pub(super) fn of(&self, mac: MacAddr) -> Option<&str> {
        self.0.get(&mac).map(String::as_str)
    }
}

/// What is looked for, and what was found of it.
#[derive(Debug, Default)]
struct Wanted {
    /// The cards whose address begins with these digits.
    macs: BTreeMap<String, Vec<MacAddr>>,
    /// How many digits of the address a maker has, and its name.
    found: BTreeMap<MacAddr, (usize, String)>,
}

impl Wanted {
    fn read(&mut self, path: &Path) -> io::Result<()> {
        let mut lines = BufReader::new(File::open(path)?);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            self.take(&String::from_utf8_lossy(&line));
            line.clear();
        }
        Ok(())
    }

    /// Takes up a line, if it is of a block that is wanted and none smaller or earlier has told.
    fn take(&mut self, line: &str) {
        let Some((prefix, name)) = entry(line) else { return };
        for mac in self.macs.get(prefix).into_iter().flatten() {
            if self.found.get(mac).is_none_or(|(length, _)| *length < prefix.len()) {
                self.found.insert(*mac, (prefix.len(), name.chars().take(NAME).collect()));
            }
        }
    }
}

/// The digits of a block and the name of its maker, from a line of either form:
/// `MA-L,002272,"Maker, Inc.",Address` or `002272     (base 16)  Maker, Inc.`
fn entry(line: &str) -> Option<(&str, String)> {
    let (prefix, name) = match line.split_once("(base 16)") {
        Some((prefix, name)) => (prefix.trim(), name.trim().to_owned()),
        None => {
            let (_, rest) = line.split_once(',')?;
            let (prefix, rest) = rest.split_once(',')?;
            (prefix.trim(), field(rest).trim().to_owned())
        }
    };
    let is_block = LENGTHS.contains(&prefix.len()) && prefix.bytes().all(|digit| digit.is_ascii_hexdigit());
    (is_block && !name.is_empty()).then_some((prefix, name))
}

/// The first field of a line of values between commas, where quotes may stand around a value and are doubled in it.
fn field(rest: &str) -> String {
    let Some(quoted) = rest.strip_prefix('"') else {
        return rest.split(',').next().unwrap_or_default().to_owned();
    };
    let mut parts = quoted.split('"');
    let mut value = parts.next().unwrap_or_default().to_owned();
    while let (Some(""), Some(part)) = (parts.next(), parts.next()) {
        value.push('"');
        value.push_str(part);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Registry,Assignment,Organization Name,Organization Address\r\n\
        MA-L,ECE7A7,Plain Maker,Some Street 1\r\n\
        MA-L,001122,\"Maker, \"\"Quoted\"\" Inc.\",\"A street, a town\"\r\n\
        MA-L,70B3D5,IEEE Registration Authority,Piscataway\r\n\
        MA-L,AABBCC,,nobody\r\n";

    fn mac(text: &str) -> MacAddr {
        text.parse().unwrap()
    }

    /// The makers of some cards by lists with these names.
    fn found(lists: &[(&str, &[u8])], macs: &[&str]) -> Vec<Option<String>> {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in lists {
            std::fs::write(directory.path().join(name), content).unwrap();
        }
        let missing = directory.path().join("missing");
        let makers = Makers::find(&[&missing, directory.path()], macs.iter().map(|text| mac(text)));
        macs.iter().map(|text| makers.of(mac(text)).map(str::to_owned)).collect()
    }

    #[test]
    fn a_maker_is_found_in_the_table_that_debian_installs() {
        let macs = ["ec:e7:a7:05:a1:fc", "00:11:22:33:44:55", "aa:bb:cc:00:00:01", "00:00:0c:00:00:01"];
        let makers = found(&[("oui.csv", TABLE.as_bytes())], &macs);
        assert_eq!(makers, [Some("Plain Maker".into()), Some("Maker, \"Quoted\" Inc.".into()), None, None]);
    }

    #[test]
    fn a_maker_is_found_in_the_text_that_red_hat_installs() {
        let text = "OUI/MA-L                     Organization\r\ncompany_id\r\n\r\n\
            EC-E7-A7   (hex)\t\tPlain Maker\r\nECE7A7     (base 16)\t\tPlain Maker\r\n\t\t\t\tSome Street 1\r\n";
        assert_eq!(found(&[("oui.txt", text.as_bytes())], &["ec:e7:a7:05:a1:fc"]), [Some("Plain Maker".into())]);
    }

    #[test]
    fn the_maker_of_a_part_comes_before_that_of_the_whole_block_in_any_order() {
        let (middle, small) = ("MA-M,70B3D51,Middle,x\n", "MA-S,70B3D5F2F,Small,x\n");
        let lists = [("oui.csv", TABLE.as_bytes()), ("mam.csv", middle.as_bytes()), ("oui36.csv", small.as_bytes())];
        let macs = ["70:b3:d5:f2:f0:01", "70:b3:d5:10:00:01", "70:b3:d5:20:00:01"];
        let expected = [Some("Small".into()), Some("Middle".into()), None];
        assert_eq!(found(&lists, &macs), expected, "a divided block has no maker of its own");
        let reversed = [small, middle, TABLE].concat();
        assert_eq!(found(&[("oui.csv", reversed.as_bytes())], &macs), expected);
    }

    #[test]
    fn an_address_that_somebody_made_up_has_no_maker() {
        let list = "MA-L,020000,Somebody,x\n";
        assert_eq!(found(&[("oui.csv", list.as_bytes())], &["02:00:00:00:00:01"]), [None]);
    }

    #[test]
    fn lists_that_are_missing_or_no_lists_tell_of_no_maker() {
        let macs = ["ec:e7:a7:05:a1:fc"];
        assert_eq!(found(&[], &macs), [None]);
        let nonsense: &[u8] =
            b"\xff\xfe,\nECE7A7\n,,,\nMA-L,ECE7A7\nMA-L,ECE7A,Short,x\nMA-L,ECE7AG,Odd,x\n(base 16)\n\"";
        assert_eq!(found(&[("oui.csv", nonsense)], &macs), [None]);
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("oui.csv")).unwrap();
        assert_eq!(Makers::find(&[directory.path()], [mac(macs[0])].into_iter()), Makers::default());
    }

    #[test]
    fn a_name_is_cut_and_bytes_that_are_no_text_are_replaced() {
        let list = [b"MA-L,ECE7A7,\xff", "é".repeat(100).as_bytes(), b",x\n"].concat();
        let name = found(&[("oui.csv", &list)], &["ec:e7:a7:05:a1:fc"]).remove(0).unwrap();
        assert_eq!((name.chars().count(), name.chars().next()), (NAME, Some('\u{fffd}')));
    }
}
