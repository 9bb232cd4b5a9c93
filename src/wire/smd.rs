//! SMD's JSON shapes.
