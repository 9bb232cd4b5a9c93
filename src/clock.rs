//! The one place that reads the wall clock; everything pure takes the time as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::Timestamp;

/// The present moment, to the microsecond.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
