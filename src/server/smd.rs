//! SMD's REST API.
