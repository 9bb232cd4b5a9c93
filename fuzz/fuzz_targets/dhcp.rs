//! Series of DHCP packets; what has to hold is in `src/server/dhcp/fuzz.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ochami_sync::server::dhcp::fuzz::run(input));
