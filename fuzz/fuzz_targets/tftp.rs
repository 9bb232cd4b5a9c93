//! A TFTP request and what its client answers; what has to hold is in `src/server/tftp/fuzz.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ochami_sync::server::tftp::fuzz::run(input));
