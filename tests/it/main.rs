//! The integration tests: one binary, a file per surface.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod architecture;
mod between;
mod cli;
mod clients;
mod crash;
mod dhcp;
mod doctor;
mod firmware;
mod hostile;
mod images;
mod openapi;
mod openchami;
mod openchami_faults;
mod policy;
mod real;
mod replay;
mod secrets;
mod serve;
mod services;
mod settings;
mod support;
mod templates;
mod tftp;
mod todays;
mod tokens;
mod tutorial;
mod watch;
mod writers;
