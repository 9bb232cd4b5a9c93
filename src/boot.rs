//! What a booting node is told.
