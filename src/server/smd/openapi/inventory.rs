//! `Inventory`.

use super::{CLASH, DELETED, DONE, MALFORMED, NOT_THERE};
use crate::server::common::openapi::Answer::{self, Empty, Json};
use crate::server::common::openapi::Schema::{Format, List, Of, Text, Truth};
use crate::server::common::openapi::{Query, Route, delete, get, patch, post, put};

/// The routes of the inventory.
pub(super) const ROUTES: &[Route] = &[
    Route("/Inventory/RedfishEndpoints", &[
        get("Lists Redfish endpoints.", &[Json(200, Of("RedfishEndpoints")), MALFORMED]).query(&[
            Query("id", List(&Text), "Xnames."),
            Query("type", List(&Text), "Types of endpoints."),
            Query("fqdn", List(&Text), "Full names."),
            Query("uuid", List(&Text), "UUIDs."),
            Query("macaddr", List(&Text), "MAC addresses."),
            Query("ipaddress", List(&Text), "IP addresses."),
            Query("laststatus", List(&Text), "Discovery states."),
        ]),
        post(
            "Creates Redfish endpoints, from `SchemaVersion` 1 on with the nodes and controllers behind the one.",
            &[Json(201, List(&Of("Uri"))), Empty(204), MALFORMED, CLASH],
        )
        .body(
            Of("RedfishEndpointRequest"),
            r#"{"ID": "x1000c1s7b1", "FQDN": "x1000c1s7b1.demo.example", "User": "root", "Password": "not kept",
                "MACAddr": "02:00:00:00:00:b1", "IPAddress": "172.16.0.101", "SchemaVersion": 1,
                "Systems": [{"uri": "/redfish/v1/Systems/Node0", "uuid": "s0", "name": "Node0",
                    "ethernet_interfaces": [{"mac": "02:00:00:00:01:00", "ip": "172.16.0.9", "name": "hsn0"}]}],
                "Managers": [{"uri": "/redfish/v1/Managers/BMC", "uuid": "m0", "name": "BMC", "type": "BMC",
                    "ethernet_interfaces": [{"mac": "02:00:00:00:00:b1", "ip": "172.16.0.101"}]}]}"#,
        ),
        delete("Deletes all Redfish endpoints.", DELETED),
    ]),
    Route("/Inventory/RedfishEndpoints/{bmc}", &[
        get("Shows a Redfish endpoint.", &[Json(200, Of("RedfishEndpoint")), NOT_THERE]),
        put("Creates or replaces a Redfish endpoint.", ENDPOINT).body(Of("RedfishEndpointRequest"), r#"{"ID": "x1000c1s7b0", "User": "admin"}"#),
        patch("Changes a Redfish endpoint.", ENDPOINT).body(Of("RedfishEndpointPatch"), r#"{"User": "admin"}"#),
        delete("Deletes a Redfish endpoint and what is behind it.", DELETED),
    ]),
    Route("/Inventory/RedfishEndpoints/Query/{xname}", &[get("Is refused, as SMD does.", &[MALFORMED])]),
    Route("/Inventory/ComponentEndpoints", &[
        get("Lists what is behind Redfish endpoints.", &[Json(200, Of("ComponentEndpoints")), MALFORMED]).query(&[
            Query("id", List(&Text), "Xnames."),
            Query("redfish_ep", List(&Text), "Xnames of Redfish endpoints."),
            Query("type", List(&Text), "Types of components."),
            Query("redfish_type", List(&Text), "Types in Redfish."),
        ]),
        delete("Deletes all of it.", DELETED),
    ]),
    Route("/Inventory/ComponentEndpoints/{xname}", &[
        get("Shows one.", &[Json(200, Of("ComponentEndpoint")), NOT_THERE]),
        delete("Deletes one.", DELETED),
    ]),
    Route("/Inventory/EthernetInterfaces", &[
        get("Lists Ethernet interfaces. Values are not negated.", &[Json(200, List(&Of("EthernetInterface"))), MALFORMED]).query(&[
            Query("ID", List(&Text), "Identifiers."),
            Query("MACAddress", List(&Text), "MAC addresses, in lower case with colons."),
            Query("IPAddress", List(&Text), "IP addresses."),
            Query("Network", List(&Text), "Networks."),
            Query("ComponentID", List(&Text), "Xnames; empty for interfaces of no component."),
            Query("Type", List(&Text), "Types of components."),
            Query("OlderThan", Format("date-time"), "Updated before."),
            Query("NewerThan", Format("date-time"), "Updated after."),
        ]),
        post("Creates an Ethernet interface.", URI)
            .body(Of("EthernetInterface"), r#"{"MACAddress": "02:00:00:00:00:09", "ComponentID": "x1000c1s7b0n0", "IPAddresses": [{"IPAddress": "172.16.0.9"}]}"#),
        delete("Deletes all Ethernet interfaces.", DELETED),
    ]),
    Route("/Inventory/EthernetInterfaces/{id}", &[
        get("Shows an Ethernet interface.", &[Json(200, Of("EthernetInterface")), NOT_THERE]),
        patch("Changes an Ethernet interface.", &[Json(200, Of("EthernetInterface")), MALFORMED, NOT_THERE])
            .body(Of("EthernetInterfacePatch"), r#"{"Description": "hsn0", "IPAddresses": [{"IPAddress": "172.16.0.1", "Network": "NMN"}]}"#),
        delete("Deletes an Ethernet interface.", DELETED),
    ]),
    Route("/Inventory/EthernetInterfaces/{id}/IPAddresses", &[
        get("Lists the addresses of an interface.", &[Json(200, List(&Of("IPAddress"))), NOT_THERE]),
        post("Adds an address.", URI).body(Of("IPAddress"), r#"{"IPAddress": "172.16.0.7", "Network": "NMN"}"#),
    ]),
    Route("/Inventory/EthernetInterfaces/{id}/IPAddresses/{ip}", &[
        patch("Changes the network of an address.", &[Json(200, Of("IPAddress")), MALFORMED, NOT_THERE])
            .body(Of("IPAddressPatch"), r#"{"Network": "HMN"}"#),
        delete("Deletes an address.", DELETED),
    ]),
    Route("/Inventory/Hardware", &[
        get("Lists places and the parts in them.", &[Json(200, List(&Of("HardwareByLocation"))), MALFORMED]).query(&[
            Query("id", List(&Text), "Xnames."),
            Query("type", List(&Text), "Types of components."),
            Query("manufacturer", List(&Text), "Makers."),
            Query("partnumber", List(&Text), "Part numbers."),
            Query("serialnumber", List(&Text), "Serial numbers."),
            Query("fruid", List(&Text), "Identifiers of parts."),
            Query("partition", List(&Text), "Partitions."),
        ]),
        post("Puts parts into places.", DONE).body(
            Of("HardwareRequest"),
            r#"{"Hardware": [{"ID": "x1000c1s7b0n0", "NodeLocationInfo": {"Id": "Node0"}, "PopulatedFRU": {
                "NodeFRUInfo": {"Manufacturer": "HPE", "PartNumber": "P1", "SerialNumber": "S1"}}}]}"#,
        ),
        delete("Empties all places.", DELETED),
    ]),
    Route("/Inventory/Hardware/{xname}", &[
        get("Shows a place and the part in it.", &[Json(200, Of("HardwareByLocation")), NOT_THERE]),
        delete("Empties a place.", DELETED),
    ]),
    Route("/Inventory/Hardware/Query/{xname}", &[
        get("Lists a place with what is in it or around it.", &[Json(200, Of("HardwareTree")), MALFORMED]).query(&[
            Query("type", List(&Text), "Types of components."),
            Query("children", Truth, "What is within it."),
            Query("parents", Truth, "What it is within."),
            Query("partition", List(&Text), "Partitions."),
            Query("format", Text, "`NestNodesOnly` or `FullyFlat`."),
        ]),
    ]),
    Route("/Inventory/Hardware/History", &[
        get("Lists what happened at places.", HISTORIES).query(HISTORY_FILTERS),
        delete("Deletes all history.", DELETED),
    ]),
    Route("/Inventory/Hardware/History/{xname}", &[
        get("Lists what happened at a place.", HISTORY).query(HISTORY_FILTERS),
        delete("Deletes the history of a place.", DELETED),
    ]),
    Route("/Inventory/HardwareByFRU", &[
        get("Lists parts.", &[Json(200, List(&Of("HardwareByFRU"))), MALFORMED]).query(&[
            Query("fruid", List(&Text), "Identifiers of parts."),
            Query("type", List(&Text), "Types of parts."),
            Query("manufacturer", List(&Text), "Makers."),
            Query("partnumber", List(&Text), "Part numbers."),
            Query("serialnumber", List(&Text), "Serial numbers."),
        ]),
        delete("Deletes all parts; refused while one is installed.", &[Json(200, Of("Done")), NOT_THERE, CLASH]),
    ]),
    Route("/Inventory/HardwareByFRU/{fruid}", &[
        get("Shows a part.", &[Json(200, Of("HardwareByFRU")), NOT_THERE]),
        delete("Deletes a part; refused while it is installed.", &[Json(200, Of("Done")), NOT_THERE, CLASH]),
    ]),
    Route("/Inventory/HardwareByFRU/History", &[
        get("Lists what happened to parts.", HISTORIES).query(HISTORY_FILTERS),
        delete("Deletes nothing, as SMD does.", &[NOT_THERE]),
    ]),
    Route("/Inventory/HardwareByFRU/History/{fruid}", &[
        get("Lists what happened to a part.", HISTORY).query(HISTORY_FILTERS),
        delete("Deletes the history of a part.", DELETED),
    ]),
    Route("/Inventory/ServiceEndpoints", &[
        get("Lists Redfish services, of which there are none.", SERVICES).query(SERVICE_FILTERS),
        delete("Finds none to delete.", &[NOT_THERE]),
    ]),
    Route("/Inventory/ServiceEndpoints/{service}", &[get("Lists the endpoints of a service, of which there are none.", SERVICES).query(SERVICE_FILTERS)]),
    Route("/Inventory/ServiceEndpoints/{service}/RedfishEndpoints/{xname}", &[
        get("Finds none.", &[MALFORMED, NOT_THERE]),
        delete("Finds none to delete.", &[NOT_THERE]),
    ]),
    Route("/Inventory/Discover", &[
        post("Is checked and starts nothing: Redfish is not crawled.", &[Json(200, List(&Of("Uri"))), MALFORMED, NOT_THERE])
            .body(Of("Discover"), r#"{"xnames": ["x1000c1s7b0"], "force": false}"#),
    ]),
    Route("/Inventory/DiscoveryStatus", &[get("Lists the one discovery status.", &[Json(200, List(&Of("DiscoveryStatus")))])]),
    Route("/Inventory/DiscoveryStatus/{status}", &[get("Shows a discovery status.", &[Json(200, Of("DiscoveryStatus")), MALFORMED, NOT_THERE])]),
];

const ENDPOINT: &[Answer] =
    &[Json(200, Of("RedfishEndpoint")), Json(201, List(&Of("Uri"))), MALFORMED, NOT_THERE, CLASH];
const URI: &[Answer] = &[Json(201, Of("Uri")), MALFORMED, NOT_THERE, CLASH];
const SERVICES: &[Answer] = &[Json(200, Of("ServiceEndpoints")), MALFORMED];
const SERVICE_FILTERS: &[Query] = &[Query("redfish_ep", List(&Text), "Xnames of Redfish endpoints.")];
const HISTORY: &[Answer] = &[Json(200, Of("HardwareHistory")), MALFORMED, NOT_THERE];
const HISTORIES: &[Answer] = &[Json(200, Of("HardwareHistories")), MALFORMED];
const HISTORY_FILTERS: &[Query] = &[
    Query("id", List(&Text), "Xnames."),
    Query("fruid", List(&Text), "Identifiers of parts."),
    Query("eventtype", List(&Text), "Added, Removed, Scanned or Detected."),
    Query("starttime", Format("date-time"), "Not before."),
    Query("endtime", Format("date-time"), "Not after."),
];
