//! The shapes of bodies and answers.

pub(super) mod inventory;
pub(super) mod records;
pub(super) mod sets;

use crate::model::{Arch, Class, Flag, NetType, Role, State, SubRole, XnameType};
use crate::server::common::openapi::Schema::{List, Map, Object, Of, Pattern, Text, Truth, Whole, Words};
use crate::server::common::openapi::{Field, Named, optional, read_only, required};

/// Words, names and addresses.
pub(super) const WORDS: &[Named] = &[
    Named(
        "Xname",
        "A physical location, such as `x1000c1s7b0n0`. Upper case and leading zeros are read, too.",
        Pattern("^[a-z][a-z0-9.]*$"),
    ),
    Named("Label", "A name of a group; read in any case.", Pattern("^[a-zA-Z0-9._:-]+$")),
    Named("MAC", "A MAC address. Any separators or none are read; it is shown in lower case with colons.", Text),
    Named("IP", "An IPv4 or IPv6 address.", Text),
    Named("State", "Read in any case.", Words(|| State::ALL.iter().map(|word| word.as_str()).collect())),
    Named("Flag", "Read in any case.", Words(|| Flag::ALL.iter().map(|word| word.as_str()).collect())),
    Named("Role", "Read in any case.", Words(|| Role::ALL.iter().map(|word| word.as_str()).collect())),
    Named("SubRole", "Read in any case.", Words(|| SubRole::ALL.iter().map(|word| word.as_str()).collect())),
    Named("NetType", "Read in any case.", Words(|| NetType::ALL.iter().map(|word| word.as_str()).collect())),
    Named("Arch", "Read in any case.", Words(|| Arch::ALL.iter().map(|word| word.as_str()).collect())),
    Named("Class", "Read in any case.", Words(|| Class::ALL.iter().map(|word| word.as_str()).collect())),
    Named("Type", "The type that an xname has.", Words(|| XnameType::ALL.iter().map(|kind| kind.as_str()).collect())),
    Named("NID", "The number of a node; a text that is a number is read, too, and -1 means none.", Whole),
];

/// Components and changes of them.
pub(super) const COMPONENTS: &[Named] = &[
    Named(
        "Component",
        "A piece of hardware.",
        Object(&[
            required("ID", Of("Xname"), ""),
            read_only("Type", Of("Type"), "Follows from the ID."),
            optional("State", Of("State"), ""),
            optional("Flag", Of("Flag"), ""),
            optional("Enabled", Truth, ""),
            optional("SoftwareStatus", Text, ""),
            optional("Role", Of("Role"), ""),
            optional("SubRole", Of("SubRole"), ""),
            optional("NID", Of("NID"), ""),
            optional("Subtype", Text, ""),
            optional("NetType", Of("NetType"), ""),
            optional("Arch", Of("Arch"), ""),
            optional("Class", Of("Class"), ""),
            optional("ReservationDisabled", Truth, "Shown when true."),
            optional("Locked", Truth, "Shown when true."),
        ]),
    ),
    Named(
        "Components",
        "",
        Object(&[
            required("Components", List(&Of("Component")), ""),
            optional("Force", Truth, "In a request: change those that are there."),
        ]),
    ),
    Named(
        "PutComponent",
        "",
        Object(&[required("component", Of("Component"), ""), optional("Force", Truth, "Change it when it is there.")]),
    ),
    Named(
        "ComponentQuery",
        "Beside these, every filter of `GET State/Components` as a list.",
        Object(&[
            required("ComponentIDs", List(&Text), "The xnames to look at and below; `s0` for all."),
            optional("type", List(&Text), ""),
            optional("state", List(&Text), ""),
            optional("flag", List(&Text), ""),
            optional("enabled", List(&Text), ""),
            optional("softwarestatus", List(&Text), ""),
            optional("role", List(&Text), ""),
            optional("subrole", List(&Text), ""),
            optional("subtype", List(&Text), ""),
            optional("arch", List(&Text), ""),
            optional("class", List(&Text), ""),
            optional("group", List(&Text), ""),
            optional("partition", Text, ""),
            optional("stateonly", Truth, ""),
            optional("flagonly", Truth, ""),
            optional("roleonly", Truth, ""),
            optional("nidonly", Truth, ""),
        ]),
    ),
    Named(
        "NidQuery",
        "",
        Object(&[
            required("NIDRanges", List(&Text), "Numbers, or ranges of them such as `1-9`."),
            optional("stateonly", Truth, ""),
            optional("flagonly", Truth, ""),
            optional("roleonly", Truth, ""),
            optional("nidonly", Truth, ""),
        ]),
    ),
    Named("StatePatch", "", Object(&[required("State", Of("State"), ""), FLAG, FORCE])),
    Named("FlagPatch", "", Object(&[required("Flag", Of("Flag"), "")])),
    Named("EnabledPatch", "", Object(&[required("Enabled", Truth, "")])),
    Named("SoftwareStatusPatch", "", Object(&[required("SoftwareStatus", Text, "")])),
    Named("RolePatch", "", Object(&[required("Role", Of("Role"), ""), SUB_ROLE])),
    Named("NidPatch", "", Object(&[required("NID", Of("NID"), "")])),
    Named("BulkStatePatch", "", Object(&[IDS, required("State", Of("State"), ""), FLAG, FORCE])),
    Named("BulkFlagPatch", "", Object(&[IDS, required("Flag", Of("Flag"), "")])),
    Named("BulkEnabledPatch", "", Object(&[IDS, required("Enabled", Truth, "")])),
    Named("BulkSoftwareStatusPatch", "", Object(&[IDS, required("SoftwareStatus", Text, "")])),
    Named("BulkRolePatch", "", Object(&[IDS, required("Role", Of("Role"), ""), SUB_ROLE])),
    Named(
        "BulkNidPatch",
        "",
        Object(&[required(
            "Components",
            List(&Object(&[required("ID", Of("Xname"), ""), required("NID", Of("NID"), "")])),
            "",
        )]),
    ),
];

const IDS: Field = required("ComponentIDs", List(&Of("Xname")), "");
const FLAG: Field = optional("Flag", Of("Flag"), "");
const FORCE: Field = optional("Force", Truth, "");
const SUB_ROLE: Field = optional("SubRole", Of("SubRole"), "");

/// What SMD says of what it did, and of itself.
pub(super) const ANSWERS: &[Named] = &[
    Named("Done", "What was done.", Object(&[required("code", Whole, "Always 0."), required("message", Text, "")])),
    Named("Uri", "Where something is.", Object(&[required("URI", Text, "")])),
    Named("Values", "The words that fields take.", Map(&List(&Text))),
];
