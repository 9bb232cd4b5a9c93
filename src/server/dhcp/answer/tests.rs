//! Packet tables.
