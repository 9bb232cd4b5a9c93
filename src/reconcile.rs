//! Plan and apply over a target, once or for ever.
