//! Heads of requests for images, with ranges and conditions; what has to hold is in `src/server/images/fuzz.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ochami_sync::server::images::fuzz::run(input));
