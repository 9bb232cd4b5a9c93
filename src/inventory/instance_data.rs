//! cloud-init's data in the form of today's cloud-init server: `cloud-init/defaults.yaml`, groups and instances.
//!
//! The files are those that `ochami cloud-init defaults set`, `group set` and `node set` are given, with the names of that
//! server's API. It keeps no secrets, so none may stand here.

mod content;
mod link;
mod values;

use super::Code;
use super::cloud_init::entry_name;
use super::document;
use super::document::Store;
use super::places::Lines;
use super::source::Origin;
use super::source::Sheet;
use super::span::Span;
use super::types::Said;
use super::values::Values;
use super::walker::{self, Fields, Text};
use super::yaml::{Data, Yaml};
use crate::model::{CloudInitGroup, ClusterDefaults};

pub(super) use link::{link_groups, link_instances};

/// A group and where its name stands.
pub(super) struct GroupDraft<'y> {
    said: Said<CloudInitGroup>,
    sheet: Sheet<'y>,
    span: Span,
}

/// What is special about a node of which it is not yet known whether it is one.
pub(super) struct InstanceDraft<'y> {
    id: Text<'y>,
    sheet: Sheet<'y>,
    texts: [String; INSTANCE.len()],
    public_keys: Vec<String>,
    lines: Lines,
    origin: Origin,
}

/// The texts of an instance, as the file and as the model call them.
const INSTANCE: [(&str, &str); 8] = [
    ("local-hostname", "/local_hostname"),
    ("hostname", "/hostname"),
    ("cluster-name", "/cluster_name"),
    ("region", "/region"),
    ("availability-zone", "/availability_zone"),
    ("cloud-provider", "/cloud_provider"),
    ("instance-type", "/instance_type"),
    ("cloud-init-base-url", "/cloud_init_base_url"),
];

/// Of these, what the server tells all nodes from the defaults, whatever an instance says.
const UNTOLD: [&str; 4] = ["cluster-name", "region", "availability-zone", "cloud-provider"];

/// The greatest number of digits that a host name leaves room for and a NID has.
const MOST_DIGITS: u64 = 19;

/// Reads `cloud-init/defaults.yaml`.
pub(super) fn defaults(sheet: Sheet<'_>, yaml: &Yaml<'_>) -> Option<Said<ClusterDefaults>> {
    let mut item = Item::read(sheet, yaml, "the defaults")?;
    let keys = [
        "cloud_provider",
        "region",
        "availability-zone",
        "cluster-name",
        "public-keys",
        "base-url",
        "boot-subnet",
        "wg-subnet",
        "short-name",
        "nid-length",
    ];
    item.fields.known(&keys, |_| None);
    let value = ClusterDefaults {
        cloud_provider: item.text("cloud_provider", "/cloud_provider"),
        region: item.text("region", "/region"),
        availability_zone: item.text("availability-zone", "/availability_zone"),
        cluster_name: item.text("cluster-name", "/cluster_name"),
        public_keys: item.public_keys(),
        base_url: item.base_url("base-url", "/base_url"),
        boot_subnet: item.subnet("boot-subnet", "/boot_subnet"),
        wg_subnet: item.subnet("wg-subnet", "/wg_subnet"),
        short_name: item.host_name("short-name", "/short_name"),
        nid_length: item.number("nid-length", "/nid_length", MOST_DIGITS),
    };
    Some(Said { value, lines: item.lines, origin: item.origin })
}

/// Reads a group.
pub(super) fn group<'y>(sheet: Sheet<'y>, yaml: &'y Yaml<'y>) -> Option<GroupDraft<'y>> {
    let mut item = Item::read(sheet, yaml, "a group")?;
    item.fields.known(&["name", "description", "file", "meta-data"], |key| match key {
        "cloud-init" | "template" => Some("that is the tutorial's form: write the entry into a file of `cloud-init/`"),
        "content" | "encoding" | "filename" => Some("write it under `file:`"),
        "members" => Some("name the group at its nodes, in `nodes.yaml`"),
        _ => None,
    });
    let name = item.fields.required_text("name").and_then(|text| Some((entry_name(sheet, text)?, text.span)));
    if let Some((name, span)) = name.as_ref().filter(|(name, _)| name.as_str().contains('.')) {
        let message = format!("cloud-init's own server does not find the file of the group `{name}`");
        let problem =
            sheet.problem(Code::DottedGroup, *span, message).label("it takes the first dot for the end of the name");
        sheet.push(problem.help("call the group something without a dot, in `nodes.yaml`, too"));
    }
    let description = item.text("description", "/description");
    let meta_data = item.meta_data();
    let file = item.file();
    let (name, span) = name?;
    let (content, encoding, filename) = file.unwrap_or_default();
    let value =
        CloudInitGroup { name, description, meta_data, content, filename, encoding, versions: Default::default() };
    Some(GroupDraft { said: Said { value, lines: item.lines, origin: item.origin }, sheet, span })
}

/// Reads what is special about a node.
pub(super) fn instance<'y>(sheet: Sheet<'y>, yaml: &'y Yaml<'y>) -> Option<InstanceDraft<'y>> {
    let mut item = Item::read(sheet, yaml, "an instance")?;
    let mut known = vec!["id", "public-keys"];
    known.extend(INSTANCE.map(|(key, _)| key));
    item.fields.known(&known, |key| match key {
        "instance-id" | "instance_id" => Some("remove it: the server makes it"),
        "name" => Some("write `id`, with the node's xname or name"),
        _ => None,
    });
    item.warn_of_untold();
    let id = item.fields.required_text("id");
    let texts = INSTANCE.map(|(key, pointer)| match key {
        "local-hostname" | "hostname" => item.host_name(key, pointer),
        "cloud-init-base-url" => item.base_url(key, pointer),
        _ => item.text(key, pointer),
    });
    let public_keys = item.public_keys();
    Some(InstanceDraft { id: id?, sheet, texts, public_keys, lines: item.lines, origin: item.origin })
}

/// A mapping that is read field by field, with the lines of what was found.
struct Item<'y> {
    fields: Fields<'y>,
    lines: Lines,
    origin: Origin,
}

impl<'y> Item<'y> {
    /// The mapping; none, and a problem, where it is none or holds a secret.
    fn read(sheet: Sheet<'y>, yaml: &'y Yaml<'y>, what: &'static str) -> Option<Self> {
        let fields = Fields::read(sheet, yaml, what, None)?;
        if values::refuse_secrets(sheet, yaml) {
            return None;
        }
        Some(Self { fields, lines: Lines::default(), origin: sheet.origin(yaml.span) })
    }

    /// Warns of what an instance may say and no node is told: the server keeps it, and tells what the defaults say.
    fn warn_of_untold(&self) {
        let untold = |key: &str| UNTOLD.contains(&key);
        for pair in self.fields.pairs().iter().filter(|pair| untold(&pair.key.text)) {
            let key = &pair.key.text;
            let message = format!("no node is told the `{key}` of its instance");
            let problem =
                self.sheet().problem(Code::UntoldField, pair.key.span, message).label("kept, and told to nobody");
            self.sheet().push(problem.help(
                "write it into `cloud-init/defaults.yaml` for all nodes, or into the `meta-data` of one of the node's groups",
            ));
        }
    }

    fn sheet(&self) -> Sheet<'y> {
        self.fields.sheet
    }

    /// The text of a field where it is given, and notes its line.
    fn given(&mut self, key: &'static str, pointer: &'static str) -> Option<Text<'y>> {
        let pair = self.fields.pairs().iter().find(|pair| pair.key.text == key)?;
        self.lines.push(pointer, self.sheet().origin(pair.key.span).line);
        self.fields.text(key)
    }

    fn text(&mut self, key: &'static str, pointer: &'static str) -> String {
        self.given(key, pointer).map(|text| text.text.to_owned()).unwrap_or_default()
    }

    fn host_name(&mut self, key: &'static str, pointer: &'static str) -> String {
        let values = Values { sheet: self.sheet(), node: None };
        self.given(key, pointer).and_then(|text| values.host_name(text)).unwrap_or_default().to_owned()
    }

    fn base_url(&mut self, key: &'static str, pointer: &'static str) -> String {
        let sheet = self.sheet();
        self.given(key, pointer).and_then(|text| values::base_url(sheet, key, text)).unwrap_or_default()
    }

    fn subnet(&mut self, key: &'static str, pointer: &'static str) -> String {
        let sheet = self.sheet();
        self.given(key, pointer).and_then(|text| values::subnet(sheet, key, text)).unwrap_or_default()
    }

    fn number(&mut self, key: &'static str, pointer: &'static str, most: u64) -> u32 {
        let values = Values { sheet: self.sheet(), node: None };
        let number = self.given(key, pointer).and_then(|text| values.number(Code::Number, key, text, 1..=most));
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
    }

    fn public_keys(&mut self) -> Vec<String> {
        let Some(pair) = self.fields.pairs().iter().find(|pair| pair.key.text == "public-keys") else {
            return Vec::new();
        };
        self.lines.push_tree(self.sheet(), "/public_keys", pair.key.span, &pair.value);
        let keys = self.fields.list("public-keys").iter();
        keys.filter_map(|key| values::public_key(self.sheet(), walker::text(self.sheet(), key, "a public key", None)?))
            .collect()
    }

    /// `meta-data`, a mapping that is passed on as it is.
    fn meta_data(&mut self) -> crate::model::Details {
        let sheet = self.sheet();
        let Some(pair) = self.fields.pairs().iter().find(|pair| pair.key.text == "meta-data") else {
            return Default::default();
        };
        self.lines.push_tree(sheet, "/meta_data", pair.key.span, &pair.value);
        if !matches!(&pair.value.data, Data::Map(_)) {
            walker::wrong_type(sheet, &pair.value, "meta-data", "a mapping", None);
            return Default::default();
        }
        document::read(sheet, &pair.value, Store::Open, false).into()
    }

    /// `file`: its content, encoding and name. A file without an encoding is a plain one.
    fn file(&mut self) -> Option<(String, String, String)> {
        let sheet = self.sheet();
        let file = Fields::read(sheet, self.fields.get("file")?, "file", None)?;
        file.known(&["content", "encoding", "filename"], |_| None);
        for (key, pointer) in [("encoding", "/encoding"), ("filename", "/filename")] {
            if let Some(pair) = file.pairs().iter().find(|pair| pair.key.text == key) {
                self.lines.push(pointer, sheet.origin(pair.key.span).line);
            }
        }
        let encoding = file.text("encoding").map(|text| {
            let words = ["plain", "base64"];
            Values { sheet, node: None }
                .word(Code::Word, "encoding", text, &words, |word| words.into_iter().find(|known| *known == word))
        });
        file.required("content");
        let pair = file.pairs().iter().find(|pair| pair.key.text == "content")?;
        self.lines.push_tree(sheet, "/content", pair.key.span, &pair.value);
        let Data::Scalar(content) = &pair.value.data else {
            walker::wrong_type(sheet, &pair.value, "content", "a text", None);
            return None;
        };
        // An encoding that was refused says nothing of how to look at the content.
        if let Some(encoding) = encoding.unwrap_or(Some("plain")) {
            content::check(sheet, content, encoding == "base64");
        }
        let encoding = encoding.flatten().unwrap_or("plain").to_owned();
        let filename = file.text("filename").map(|text| text.text.to_owned()).unwrap_or_default();
        Some((content.text.to_string(), encoding, filename))
    }
}
