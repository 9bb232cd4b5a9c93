//! The wiring of `serve`.
