//! Shapes, storage types and the backend trait, with a readable reference.
