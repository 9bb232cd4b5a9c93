//! The cloud-init server's JSON shapes.
