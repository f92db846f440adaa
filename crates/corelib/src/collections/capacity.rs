//! How much room .NET's hash tables make: prime numbers, as `EnsureCapacity` tells them.
//!
//! Nothing here has such room; the numbers are kept so that expressions see those of .NET.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::value::Value;

use super::Table;

/// Bytes that .NET takes for an entry, roughly.
const ENTRY_BYTES: usize = 24;

/// The sizes that .NET takes first.
const PRIMES: &[usize] = &[
    3, 7, 11, 17, 23, 29, 37, 47, 59, 71, 89, 107, 131, 163, 197, 239, 293, 353, 431, 521, 631,
    761, 919, 1103, 1327, 1597, 1931, 2333, 2801, 3371, 4049, 4861, 5839, 7013, 8419, 10103, 12143,
    14591, 17519, 21023, 25229, 30293, 36353, 43627, 52361, 62851, 75431, 90523, 108631, 130363,
    156437, 187751, 225307, 270371, 324449, 389357, 467237, 560689, 672827, 807403, 968897,
    1162687, 1395263, 1674319, 2009191, 2411033, 2893249, 3471899, 4166287, 4999559, 5999471,
    7199369,
];

/// The largest size of a table.
const MOST: usize = 0x7FEF_FFFD;

/// The size of a table for so many entries.
pub(super) fn prime(least: usize) -> usize {
    if let Some(known) = PRIMES.iter().find(|it| **it >= least) {
        return *known;
    }
    let is_prime = |it: usize| {
        (3..).step_by(2).take_while(|by| by * by <= it).all(|by| !it.is_multiple_of(by))
    };
    (least | 1..MOST).step_by(2).find(|it| (it - 1) % 101 != 0 && is_prime(*it)).unwrap_or(MOST)
}

/// The size of a table that was full.
pub(super) fn larger(size: usize) -> usize {
    prime(size.saturating_mul(2).min(MOST).max(size))
}

/// An argument that is a capacity.
///
/// # Errors
///
/// `ArgumentOutOfRangeException` if it is negative; that so much memory is not allowed.
pub(super) fn wanted(value: &Value, cx: &mut EvalCx<'_>) -> Result<usize, Exception> {
    let wanted = value.as_i64().and_then(|it| usize::try_from(it).ok());
    let wanted = wanted.ok_or_else(|| Exception::argument_out_of_range("capacity"))?;
    cx.allocate(wanted.saturating_mul(ENTRY_BYTES))?;
    Ok(wanted)
}

impl Table {
    /// `EnsureCapacity`: the room that there is then; a change of it may end enumerations.
    pub(super) fn ensure(&mut self, wanted: usize, ends: bool) -> usize {
        if self.capacity() < wanted {
            self.set_capacity(prime(wanted));
            if ends {
                self.touch();
            }
        }
        self.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_primes() {
        let cases = [(0, 3), (4, 7), (100, 107), (7_199_369, 7_199_369), (8_000_000, 8_000_017)];
        for (wanted, expected) in cases {
            assert_eq!(prime(wanted), expected);
        }
        assert_eq!((larger(3), larger(7), larger(MOST)), (7, 17, MOST));
    }

    #[test]
    fn a_table_grows_as_in_net() {
        let mut table = Table::default();
        let sizes: Vec<usize> = (0..20)
            .map(|key| {
                table.add(Value::from(key), Value::Null);
                table.capacity()
            })
            .collect();
        assert_eq!((sizes[0], sizes[2], sizes[3], sizes[7], sizes[19]), (3, 3, 7, 17, 37));
        assert_eq!(table.ensure(1, true), 37);
    }
}
