//! Targets: where desired state is applied.
