//! Plans: desired against ledger against live.
