//! `limits: { cache, cache-entry }`: how much the caches may hold.

use super::quantity;
use crate::tree::Fields;

/// Bounds of the caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheBounds {
    /// Bytes of the internal cache.
    pub total_bytes: usize,
    /// Bytes of one entry, of either cache.
    pub entry_bytes: usize,
}

impl Default for CacheBounds {
    fn default() -> CacheBounds {
        let it = pipeline::Caches::default();
        CacheBounds { total_bytes: it.max_total_bytes, entry_bytes: it.max_entry_bytes }
    }
}

pub(super) fn read(limits: &Fields<'_, '_>) -> CacheBounds {
    let mut bounds = CacheBounds::default();
    let size = |key, slot: &mut usize| {
        if let Some(it) = quantity::bytes(limits, key).and_then(|it| usize::try_from(it).ok()) {
            *slot = it;
        }
    };
    size("cache", &mut bounds.total_bytes);
    size("cache-entry", &mut bounds.entry_bytes);
    bounds
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::CacheBounds;

    #[test]
    fn both_bounds_can_be_set() {
        let (it, problems) = read("limits: { cache: 1GiB, cache-entry: 64KiB }");
        assert_eq!(problems, [""; 0]);
        assert_eq!(it.caches, CacheBounds { total_bytes: 1 << 30, entry_bytes: 64 << 10 });
        let usual = read("").0.caches;
        assert_eq!((usual.total_bytes, usual.entry_bytes), (64 << 20, 2 << 20));
    }
}
