//! BSS's JSON shapes.
