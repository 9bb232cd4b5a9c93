//! Shapes of sets of components, and of maps.

use crate::server::common::openapi::Schema::{Anything, List, Object, Of, Pattern, Text, Whole};
use crate::server::common::openapi::{Named, optional, required};

/// Groups, partitions, memberships, node maps and power maps.
pub(in super::super) const SCHEMAS: &[Named] = &[
    Named(
        "Group",
        "A named set of components.",
        Object(&[
            required("label", Of("Label"), ""),
            optional("description", Text, ""),
            optional("tags", List(&Of("Label")), ""),
            optional("exclusiveGroup", Of("Label"), "A component is in at most one group of those that name the same."),
            optional("members", Of("Members"), ""),
        ]),
    ),
    Named(
        "GroupPatch",
        "",
        Object(&[optional("description", Text, ""), optional("tags", List(&Of("Label")), "All of them.")]),
    ),
    Named("Members", "", Object(&[required("ids", List(&Of("Xname")), "")])),
    Named("Member", "", Object(&[required("id", Of("Xname"), "")])),
    Named(
        "Partition",
        "A part of the machine; a component is in at most one.",
        Object(&[
            required("name", Pattern("^[pP][0-9]+([.][0-9]+)?$"), "Such as `p1` or `p1.2`."),
            optional("description", Text, ""),
            optional("tags", List(&Of("Label")), ""),
            optional("members", Of("Members"), ""),
        ]),
    ),
    Named(
        "Membership",
        "What a component belongs to.",
        Object(&[
            required("id", Of("Xname"), ""),
            required("groupLabels", List(&Of("Label")), ""),
            required("partitionName", Text, "Empty for none."),
        ]),
    ),
    Named(
        "NodeMap",
        "Number and role for a node that is yet to appear.",
        Object(&[
            required("ID", Of("Xname"), ""),
            required("NID", Whole, ""),
            optional("Role", Of("Role"), ""),
            optional("SubRole", Of("SubRole"), ""),
            optional("NodeInfo", Anything, ""),
        ]),
    ),
    Named("NodeMaps", "", Object(&[required("NodeMaps", List(&Of("NodeMap")), "")])),
    Named(
        "PowerMap",
        "What feeds a component.",
        Object(&[required("id", Of("Xname"), ""), required("poweredBy", List(&Of("Xname")), "")]),
    ),
];
