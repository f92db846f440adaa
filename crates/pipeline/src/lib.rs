//! The policy framework: schema, registry, compile, context, run.
