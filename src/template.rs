//! Templates: the one minijinja environment, for the boot script and for checking syntax.

pub mod check;
