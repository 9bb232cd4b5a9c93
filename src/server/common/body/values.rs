//! How many values a JSON text holds, counted before a tree is made of it.
//!
//! Three bytes of text (`{},`) can become some hundred times as many in memory, so the size of a body alone does not bound
//! what it costs. The count follows the text as the parser does; beyond the place at which that would give up, it may be
//! anything, and no tree is made of that.

/// The most objects and lists: three for each of 100,000 nodes. Each becomes a structure of some hundred bytes.
const MOST_CONTAINERS: usize = 300_000;

/// The most values altogether: thirty for each of 100,000 nodes.
const MOST_VALUES: usize = 3_000_000;

/// What there is too much of, if anything.
pub(super) fn excess(text: &[u8]) -> Option<String> {
    // An object or a list needs two bytes, any other value and what parts it from the next two as well.
    if text.len() / 2 <= MOST_CONTAINERS {
        return None;
    }
    let (mut containers, mut commas) = (0, 0);
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => skip_string(&mut rest),
            b'{' | b'[' => containers += 1,
            b',' => commas += 1,
            _ => {}
        }
        if containers > MOST_CONTAINERS {
            return Some(format!("the body holds more than {MOST_CONTAINERS} objects and lists"));
        }
        // Each container holds one value more than it has commas, or none, and is a value itself.
        if containers + commas > MOST_VALUES {
            return Some(format!("the body holds more than {MOST_VALUES} values"));
        }
    }
    None
}

/// Goes on behind the end of a string.
fn skip_string(rest: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                rest.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of that many equal items.
    fn list(item: &str, count: usize) -> Vec<u8> {
        format!("[{}]", vec![item; count].join(",")).into_bytes()
    }

    #[test]
    fn objects_lists_and_values_are_bounded_to_the_last_one() {
        for item in ["{}", "[]", r#"{"a":1}"#] {
            assert_eq!(excess(&list(item, MOST_CONTAINERS - 1)), None, "{item}");
            assert!(excess(&list(item, MOST_CONTAINERS)).unwrap().contains("objects and lists"), "{item}");
        }
        assert_eq!(excess(&list("1", MOST_VALUES)), None);
        assert!(excess(&list("1", MOST_VALUES + 1)).unwrap().contains("values"));
        assert!(excess("[".repeat(1 << 20).as_bytes()).is_some());
    }

    #[test]
    fn what_stands_in_a_string_is_no_value() {
        let texts = [r#""{[,""#, r#""\"{[,\"""#, r#""\\\"[,""#];
        for text in texts {
            let long = format!("[{}]", vec![text; MOST_VALUES / 2].join(","));
            assert_eq!(excess(long.as_bytes()), None, "{text}");
        }
        let outside = list(r#""\\",{}"#, MOST_CONTAINERS);
        assert!(excess(&outside).is_some(), "a string ends behind an escaped backslash");
        assert_eq!(excess(format!("\"{}", "{".repeat(1 << 20)).as_bytes()), None, "a string without an end");
    }

    #[test]
    fn the_bulk_load_of_a_large_cluster_passes() {
        let node = r#"{"ID":"x1000c1s7b1n0","Type":"Node","State":"On","Flag":"OK","Enabled":true,"SoftwareStatus":"",
            "Role":"Compute","SubRole":"Worker","NID":1,"Subtype":"","NetType":"Sling","Arch":"X86","Class":"River",
            "ReservationDisabled":false,"Locked":false}"#;
        assert_eq!(excess(&list(node, 100_000)), None);
        let interface = r#"{"ID":"ece7a705a1fc","Description":"","MACAddress":"ec:e7:a7:05:a1:fc","ComponentID":"x1",
            "IPAddresses":[{"IPAddress":"172.16.0.1","Network":"management"}]}"#;
        assert_eq!(excess(&list(interface, 99_999)), None);
        assert_eq!(excess(&list(r#""x1000c1s7b1n0""#, 200_000)), None, "the members of a group");
    }
}
