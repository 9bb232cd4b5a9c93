//! The cloud-init server of the tutorial's generation.
