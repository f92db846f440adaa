//! `Capacity` and `MaxCapacity` of a `StringBuilder`.
//!
//! Only the numbers are kept: the text takes the memory that it needs. They grow as in .NET while
//! text is appended; what inserts, removes or replaces in a text of several blocks may differ.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.text.stringbuilder.capacity>

use clr::exception::Exception;

use super::out_of_range;

const DEFAULT: usize = 16;
/// The longest block that is added at once.
const LONGEST: usize = 8000;

/// How much a builder says it can hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) capacity: usize,
    pub(super) most: usize,
}

impl Room {
    /// That of a builder made of a text.
    pub(super) fn of(length: usize) -> Self {
        Self { capacity: length.max(DEFAULT), most: i32::MAX as usize }
    }

    /// What was asked for; 0 is the default.
    ///
    /// # Errors
    ///
    /// `ArgumentOutOfRangeException` if it is negative or more than the most.
    pub(super) fn new(capacity: i32, most: i32) -> Result<Self, Exception> {
        if capacity > most {
            return Err(out_of_range("Capacity exceeds maximum capacity.", "capacity"));
        }
        let most = usize::try_from(most).ok().filter(|it| *it > 0);
        let most =
            most.ok_or_else(|| out_of_range("MaxCapacity must be one or greater.", "maxCapacity"))?;
        let wanted = usize::try_from(capacity)
            .map_err(|_| out_of_range("'capacity' must be greater than zero.", "capacity"))?;
        let capacity = if wanted == 0 { DEFAULT.min(most) } else { wanted };
        Ok(Self { capacity, most })
    }

    pub(super) fn at_least(self, length: usize) -> Self {
        Self { capacity: self.capacity.max(length), ..self }
    }

    /// Sets the capacity of a builder that is so long.
    ///
    /// # Errors
    ///
    /// `ArgumentOutOfRangeException` if that cannot be.
    pub(super) fn set(&mut self, wanted: i32, length: usize) -> Result<(), Exception> {
        let wanted = usize::try_from(wanted)
            .map_err(|_| out_of_range("Capacity must be positive.", "value"))?;
        if wanted > self.most {
            return Err(out_of_range("Capacity exceeds maximum capacity.", "value"));
        }
        if wanted < length {
            return Err(out_of_range("capacity was less than the current size.", "value"));
        }
        self.capacity = wanted;
        Ok(())
    }

    /// A text that is so long gets more.
    ///
    /// # Errors
    ///
    /// `ArgumentOutOfRangeException` if it gets longer than the most.
    pub(super) fn grow(&mut self, length: usize, added: usize) -> Result<(), Exception> {
        if added > self.most.saturating_sub(length) {
            let text = "The length cannot be greater than the capacity.";
            return Err(out_of_range(text, "valueCount"));
        }
        let rest = (length + added).saturating_sub(self.capacity);
        if rest > 0 {
            let block = rest.max(self.capacity.min(LONGEST)).min(self.most - self.capacity);
            self.capacity += block;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Room;

    #[test]
    fn room_doubles_up_to_the_longest_block() {
        let mut it = Room::of(0);
        for (length, added, capacity) in [(0, 16, 16), (16, 1, 32), (17, 200, 217), (217, 1, 434)] {
            it.grow(length, added).unwrap();
            assert_eq!(it.capacity, capacity);
        }
        let mut it = Room { capacity: 20_000, ..Room::of(0) };
        it.grow(20_000, 1).unwrap();
        assert_eq!(it.capacity, 28_000);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(Room::new(-1, 5).is_err());
        assert!(Room::new(6, 5).is_err());
        assert!(Room::new(0, 0).is_err());
        let mut it = Room::new(2, 5).unwrap();
        assert!(it.grow(2, 4).is_err() && it.set(1, 2).is_err() && it.set(6, 2).is_err());
        it.set(5, 2).unwrap();
        assert_eq!(it.capacity, 5);
    }
}
