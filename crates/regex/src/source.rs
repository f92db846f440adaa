//! Texts that are searched.

/// A text: ASCII bytes or UTF-16 units.
pub(crate) trait Source: Copy {
    fn len(self) -> usize;
    fn unit(self, at: usize) -> Option<u16>;
    /// Where the unit is next, from a place on.
    fn find(self, unit: u16, from: usize) -> Option<usize>;
    /// Where a unit that fits is next, from a place on.
    fn position(self, from: usize, fits: impl Fn(u16) -> bool) -> Option<usize>;
    /// How many units from a place on fit, at most so many.
    fn count(self, from: usize, most: usize, fits: impl Fn(u16) -> bool) -> usize;
}

impl Source for &[u8] {
    #[inline]
    fn len(self) -> usize {
        self.len()
    }

    #[inline]
    fn unit(self, at: usize) -> Option<u16> {
        self.get(at).map(|it| u16::from(*it))
    }

    fn find(self, unit: u16, from: usize) -> Option<usize> {
        let byte = u8::try_from(unit).ok()?;
        memchr::memchr(byte, self.get(from..)?).map(|it| from + it)
    }

    #[inline]
    fn position(self, from: usize, fits: impl Fn(u16) -> bool) -> Option<usize> {
        self.get(from..)?.iter().position(|it| fits(u16::from(*it))).map(|it| from + it)
    }

    #[inline]
    fn count(self, from: usize, most: usize, fits: impl Fn(u16) -> bool) -> usize {
        let units = self.get(from..from.saturating_add(most)).unwrap_or(&[]);
        units.iter().position(|it| !fits(u16::from(*it))).unwrap_or(units.len())
    }
}

impl Source for &[u16] {
    #[inline]
    fn len(self) -> usize {
        self.len()
    }

    #[inline]
    fn unit(self, at: usize) -> Option<u16> {
        self.get(at).copied()
    }

    fn find(self, unit: u16, from: usize) -> Option<usize> {
        self.position(from, |it| it == unit)
    }

    #[inline]
    fn position(self, from: usize, fits: impl Fn(u16) -> bool) -> Option<usize> {
        self.get(from..)?.iter().position(|it| fits(*it)).map(|it| from + it)
    }

    #[inline]
    fn count(self, from: usize, most: usize, fits: impl Fn(u16) -> bool) -> usize {
        let units = self.get(from..from.saturating_add(most)).unwrap_or(&[]);
        units.iter().position(|it| !fits(*it)).unwrap_or(units.len())
    }
}
