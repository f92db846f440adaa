//! Access log and other sinks.
