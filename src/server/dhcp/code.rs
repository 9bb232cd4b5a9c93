//! Numbers of DHCP options (RFC 2132 unless said otherwise).

pub(super) const SUBNET_MASK: u8 = 1;
pub(super) const ROUTER: u8 = 3;
pub(super) const NAME_SERVER: u8 = 6;
pub(super) const HOST_NAME: u8 = 12;
pub(super) const DOMAIN: u8 = 15;
pub(super) const ROOT_PATH: u8 = 17;
pub(super) const MTU: u8 = 26;
pub(super) const BROADCAST: u8 = 28;
pub(super) const TIME_SERVER: u8 = 42;
pub(super) const VENDOR: u8 = 43;
pub(super) const REQUESTED_ADDRESS: u8 = 50;
pub(super) const LEASE_TIME: u8 = 51;
pub(super) const OVERLOAD: u8 = 52;
pub(super) const MESSAGE_TYPE: u8 = 53;
pub(super) const SERVER_IDENTIFIER: u8 = 54;
pub(super) const PARAMETER_LIST: u8 = 55;
pub(super) const MESSAGE: u8 = 56;
pub(super) const MAXIMUM_SIZE: u8 = 57;
pub(super) const RENEWAL_TIME: u8 = 58;
pub(super) const REBINDING_TIME: u8 = 59;
pub(super) const VENDOR_CLASS: u8 = 60;
pub(super) const CLIENT_IDENTIFIER: u8 = 61;
pub(super) const TFTP_SERVER: u8 = 66;
pub(super) const BOOT_FILE: u8 = 67;
/// RFC 3004.
pub(super) const USER_CLASS: u8 = 77;
/// RFC 3046.
pub(super) const RELAY_AGENT: u8 = 82;
/// RFC 4578.
pub(super) const ARCHITECTURE: u8 = 93;
/// RFC 4578.
pub(super) const MACHINE_IDENTIFIER: u8 = 97;
/// RFC 3011.
pub(super) const SUBNET_SELECTION: u8 = 118;
/// RFC 3397.
pub(super) const SEARCH: u8 = 119;
/// RFC 3442.
pub(super) const CLASSLESS_ROUTES: u8 = 121;
/// What iPXE says of itself and is told.
pub(super) const IPXE: u8 = 175;
