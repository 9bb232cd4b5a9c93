//! BSS's REST API.
