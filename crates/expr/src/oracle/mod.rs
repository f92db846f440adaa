//! Recorded cases: a request as it was recorded.

mod recorded;

pub use recorded::{RecordedHost, RecordingFault};
