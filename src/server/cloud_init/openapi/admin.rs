//! The administration of today's cloud-init server as data.

use super::MALFORMED;
use crate::server::common::openapi::Answer::{Empty, Fails, Json, Text as Plain};
use crate::server::common::openapi::Schema::{self, Anything, Either, List, Map, Object, Of, Text, Whole};
use crate::server::common::openapi::{Answer, Named, Operation, Route, delete, get, optional, post, put, required};

const UNFIT: Answer = Fails(422, "The body is no group.");

/// The routes.
pub(super) const ROUTES: &[Route] = &[
    Route(
        "/cloud-init/admin/cluster-defaults",
        &[
            get("Shows what all nodes are told.", &[Json(200, Of("ClusterDefaults"))]),
            post("Lays what is given over what there is; what is empty changes nothing.", &[Empty(201), MALFORMED])
                .body(Of("ClusterDefaults"), r#"{"cloud_provider": "openchami", "cluster-name": "demo", "nid-length": 3}"#),
        ],
    ),
    Route(
        "/cloud-init/admin/groups",
        &[
            get("Lists groups by name.", &[Json(200, Map(&Of("Group")))]),
            post("Creates a group.", &[Empty(201), Fails(409, "There is one of that name."), UNFIT])
                .body(Of("GroupRequest"), r##"{"name": "login", "description": "Login nodes", "meta-data": {"motd": "hi"}, "file": {"content": "#cloud-config\n", "encoding": "plain"}}"##),
        ],
    ),
    Route("/cloud-init/admin/groups/{group}", &[SHOW, REPLACE, REMOVE]),
    Route(
        "/cloud-init/admin/instance-info/{id}",
        &[put(
            "Replaces what is special about a node.",
            &[Empty(201), MALFORMED, Fails(404, "SMD has no such component.")],
        )
        .body(Of("InstanceInfo"), r#"{"id": "x1000c1s7b0n0", "local-hostname": "login1", "public-keys": ["ssh-ed25519 AAAA"]}"#)],
    ),
    Route(
        "/cloud-init/admin/impersonation/{id}/{document}",
        &[get(
            "Gives a document as the node would be given it.",
            &[
                Plain(200, "text/plain"),
                Plain(200, "text/yaml"),
                Plain(200, "application/x-yaml"),
                Fails(404, "SMD has no such component, or it is not in the group."),
            ],
        )],
    ),
];

const SHOW: Operation = get("Shows a group.", &[Json(200, Of("Group")), Fails(404, "There is no such group.")]);
const REPLACE: Operation = put(
    "Creates or replaces a group.",
    &[Empty(201), Fails(400, "The body is of another group than the path."), UNFIT],
)
.body(
    Of("GroupRequest"),
    r#"{"name": "compute", "file": {"content": "I2Nsb3VkLWNvbmZpZwo=", "filename": "compute.yaml", "encoding": "base64"}, "versions": {"image": "1.2"}}"#,
);
const REMOVE: Operation = delete("Deletes a group, if it is there.", &[Empty(200)]);

/// None, or some of any names.
const VARIABLES: Schema = Either(&[Object(&[]), Map(&Anything)]);

/// The shapes of bodies and answers.
pub(super) const SCHEMAS: &[Named] = &[
    Named(
        "ClusterDefaults",
        "What all nodes are told. What is empty is left out.",
        Object(&[
            optional("cloud_provider", Text, ""),
            optional("region", Text, ""),
            optional("availability-zone", Text, ""),
            optional("cluster-name", Text, ""),
            optional("public-keys", List(&Text), "SSH keys of those who may log in."),
            optional("base-url", Text, "Where nodes reach cloud-init."),
            optional("boot-subnet", Text, ""),
            optional("wg-subnet", Text, ""),
            optional("short-name", Text, "What precedes the number in the names of nodes."),
            optional("nid-length", Whole, "How many digits that number has, at most 63."),
        ]),
    ),
    Named(
        "Group",
        "A file and variables for the members of a group in SMD. What is empty is left out.",
        Object(&[
            required("name", Text, ""),
            optional("description", Text, ""),
            optional("meta-data", VARIABLES, "Variables, which members find in their meta-data."),
            required(
                "file",
                Object(&[
                    required("content", Text, ""),
                    required("filename", Text, ""),
                    optional(
                        "encoding",
                        Text,
                        "`base64` is decoded for the node; anything else, such as `plain`, is given as it is.",
                    ),
                ]),
                "",
            ),
            optional("versions", Map(&Text), ""),
        ]),
    ),
    Named(
        "GroupRequest",
        "",
        Object(&[
            required("name", Text, "1 to 255 printable characters, none of them a slash."),
            optional("description", Text, ""),
            optional("meta-data", VARIABLES, "Variables, which members find in their meta-data."),
            optional(
                "file",
                Object(&[
                    optional("content", Text, "What members are given, such as a cloud-config."),
                    optional("filename", Text, ""),
                    optional(
                        "encoding",
                        Text,
                        "`base64` is decoded for the node; anything else, such as `plain`, is given as it is.",
                    ),
                ]),
                "",
            ),
            optional("versions", Map(&Text), ""),
        ]),
    ),
    Named(
        "InstanceInfo",
        "What is special about a node.",
        Object(&[
            optional("id", Text, "The xname in the path, if it is given."),
            optional("local-hostname", Text, ""),
            optional("hostname", Text, ""),
            optional("cluster-name", Text, ""),
            optional("region", Text, ""),
            optional("availability-zone", Text, ""),
            optional("cloud-provider", Text, ""),
            optional("instance-type", Text, ""),
            optional("cloud-init-base-url", Text, "Where the node reaches cloud-init."),
            optional("public-keys", List(&Text), "SSH keys of those who may log in."),
        ]),
    ),
];
