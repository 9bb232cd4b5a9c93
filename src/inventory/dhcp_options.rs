//! Whether the options of one network, group, node or host go together.

use super::Code;
use super::source::Sheet;
use super::span::Span;
use super::walker::Fields;
use super::yaml::Data;
use crate::model::DhcpOptions;

/// Options that have a name of their own, with their numbers.
const NAMED: &[(u8, &str)] = &[
    (3, "router"),
    (6, "dns"),
    (15, "domain"),
    (17, "root_path"),
    (26, "mtu"),
    (42, "ntp"),
    (67, "boot_file"),
    (119, "search"),
    (121, "routes"),
];

/// The most bytes of an option's content, which one option of DHCP carries.
const MOST: usize = 255;

/// Reports times that are out of order, options that are said twice, and lists that no option can carry.
pub(super) fn check(sheet: Sheet<'_>, fields: &Fields<'_>, options: &DhcpOptions) {
    let times = [("renew", options.renew), ("rebind", options.rebind), ("lease", options.lease)];
    let given: Vec<(&str, u32)> = times.iter().filter_map(|(key, time)| Some((*key, (*time)?))).collect();
    for pair in given.windows(2) {
        let [(earlier, first), (later, second)] = pair else { continue };
        if first > second {
            let message = format!("`{earlier}` is later than `{later}`");
            let help = "a client renews first, then asks every server, and then its lease ends: renew, rebind, lease";
            report(sheet, place(fields, earlier), message, help);
        }
    }
    for (code, name) in NAMED {
        if options.other.contains_key(code) && fields.get(name).is_some() {
            let message = format!("option {code} is `{name}`, which is set, too");
            report(sheet, place(fields, "options"), message, "set it once, by its name");
        }
    }
    let addresses = |list: &Option<Vec<std::net::Ipv4Addr>>| list.as_ref().map_or(0, |list| 4 * list.len());
    // A domain takes a byte for each label's length and one for its end; a route up to nine.
    let domains = options.search.iter().flatten().map(|name| name.len() + 2).sum::<usize>();
    let routes = options.routes.iter().flatten().map(|to| 5 + usize::from(to.to.prefix_len().div_ceil(8))).sum();
    let sizes = [
        ("router", addresses(&options.router)),
        ("dns", addresses(&options.dns)),
        ("ntp", addresses(&options.ntp)),
        ("search", domains),
        ("routes", routes),
    ];
    for (key, size) in sizes.into_iter().filter(|(_, size)| *size > MOST) {
        let message = format!("`{key}` takes {size} bytes, and an option of DHCP has room for {MOST}");
        report(sheet, place(fields, key), message, "shorten the list");
    }
}

/// Where a key's value stands.
fn place(fields: &Fields<'_>, key: &str) -> Span {
    let value = fields.get(key);
    // A long list is told by its first line: the place of an item says more than that of all of them.
    match value.map(|yaml| (&yaml.data, yaml.span)) {
        Some((Data::List(items), span)) => items.first().map_or(span, |item| item.span),
        Some((_, span)) => span,
        None => fields.span,
    }
}

fn report(sheet: Sheet<'_>, span: Span, message: String, help: &str) {
    sheet.push(sheet.problem(Code::DhcpOption, span, message).help(help));
}
