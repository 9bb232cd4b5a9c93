//! SMD's JSON shapes, both ways.
//!
//! A `…View` borrows a noun and serialises as SMD shows it: SMD's names in SMD's order, unset fields left out. A
//! `…Body` is what a client sends or a real SMD answers, before anything is checked; turning it into a noun checks
//! every field. Field names are read in SMD's spelling and in lower case, because Go reads them in any case and
//! clients rely on it.
//!
//! Requests to a real SMD are `…Request`s. Its lists are read row by row ([`Row`]): one row that holds nonsense (SMD
//! stores some) spoils that row and no other.
//!
//! ```
//! use ochami_sync::wire::smd;
//!
//! let answer = br#"{"Components":[{"ID":"x1c0s0b0n0","State":"On","Enabled":true},{"ID":"x1","State":"Odd"}]}"#;
//! let rows = smd::read_components(answer).unwrap();
//! assert_eq!(rows[0].as_ref().unwrap().id.as_str(), "x1c0s0b0n0");
//! assert_eq!(rows[1].as_ref().unwrap_err().id, "x1");
//! ```

mod component;
mod component_endpoint;
mod component_query;
mod component_request;
mod discovery;
mod field;
mod group;
mod hardware;
mod interface;
mod lock;
mod node_map;
mod outlet;
mod partition;
mod power_map;
mod redfish_endpoint;
mod rows;
mod subscription;

#[cfg(test)]
mod tests;

pub use component::{ComponentBody, ComponentView, GivenNid, Shown, read_components};
pub use component_endpoint::{ComponentEndpointBody, ComponentEndpointView, read_component_endpoints};
pub use component_query::{ComponentQueryBody, NotTextsError};
pub use component_request::{
    BulkNidBody, BulkNidRequest, ComponentsBody, ComponentsRequest, NidBody, PutComponentBody, PutComponentRequest,
};
pub use discovery::{
    DiscoveryRequest, LinksBody, ManagerBody, NicBody, PowerBody, SystemBody, manager_info, path_of, path_of_nic,
    system_info,
};
pub use field::{FieldError, Unread};
pub use group::{
    GroupBody, GroupPatchBody, GroupPatchRequest, GroupView, MemberBody, MemberView, MembersBody, MembersView,
    MembershipView, read_groups,
};
pub use hardware::{
    FruView, HardwareError, HardwareEventView, HardwareView, HistoryView, SystemView, read_event_kind, read_hardware,
};
pub use interface::{
    InterfaceBody, InterfacePatchBody, InterfacePatchRequest, InterfaceRequest, InterfaceView, IpBody, IpView,
    format_time, parse_time, read_interfaces,
};
pub use lock::{
    KeysBody, LockBody, LockError, LockFailure, LockResult, LockView, LocksView, ProcessingModel, ReservationResult,
    ReservedView,
};
pub use node_map::{NodeMapBody, NodeMapView, NodeMapsBody};
pub use outlet::{OutletBody, PDU_PATH, PduBody, outlet_info, pdu_info};
pub use partition::{PartitionBody, PartitionView};
pub use power_map::{PowerMapBody, PowerMapView};
pub use redfish_endpoint::{
    EndpointBody, RedfishEndpointPost, RedfishEndpointRequest, RedfishEndpointView, read_redfish_endpoints, shown_ip,
};
pub use rows::{ListError, Row, RowCause, RowError, write_list};
pub use subscription::{NoticeView, PatchOperation, SubscriptionBody, SubscriptionError, SubscriptionView};
