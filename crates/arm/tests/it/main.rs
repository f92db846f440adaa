//! Whole templates: what they declare, and what is told of those that cannot be evaluated.

mod hostile;
mod templates;
