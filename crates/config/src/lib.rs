//! Files to entities to an immutable snapshot, swapped atomically.
