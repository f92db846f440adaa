//! The management API as a whole.
