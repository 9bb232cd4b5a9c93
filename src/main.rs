//! The `ochami-sync` command.

fn main() {}
