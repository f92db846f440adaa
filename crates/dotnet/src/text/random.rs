//! `System.Random`: the subtractive generator that .NET keeps for seeds.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.random>

/// A generator; equal seeds give equal numbers, the same as .NET's.
#[derive(Debug, Clone)]
pub struct Random {
    seeds: [i32; 56],
    next: usize,
    other: usize,
}

impl Random {
    /// A generator of a seed.
    pub fn new(seed: i32) -> Self {
        let mut seeds = [0; 56];
        let mut set = |index: usize, value: i32| {
            if let Some(place) = seeds.get_mut(index) {
                *place = value;
            }
        };
        let mut previous = 161_803_398_i32.wrapping_sub(seed.saturating_abs());
        set(55, previous);
        let (mut value, mut index) = (1_i32, 0);
        for _ in 1..55 {
            index = (index + 21) % 55;
            set(index, value);
            let next = previous.wrapping_sub(value);
            previous = value;
            value = if next < 0 { next.wrapping_add(i32::MAX) } else { next };
        }
        for _ in 1..5 {
            for index in 1..56 {
                let shifted = if index + 30 >= 55 { index + 30 - 55 } else { index + 30 };
                let other = seeds.get(1 + shifted).copied().unwrap_or(0);
                if let Some(place) = seeds.get_mut(index) {
                    *place = place.wrapping_sub(other);
                    if *place < 0 {
                        *place = place.wrapping_add(i32::MAX);
                    }
                }
            }
        }
        Self { seeds, next: 0, other: 21 }
    }

    /// `Next()`: below `int.MaxValue`.
    pub fn sample(&mut self) -> i32 {
        let step = |at: usize| if at + 1 >= 56 { 1 } else { at + 1 };
        (self.next, self.other) = (step(self.next), step(self.other));
        let at = |index: usize| self.seeds.get(index).copied().unwrap_or(0);
        let mut value = at(self.next).wrapping_sub(at(self.other));
        if value == i32::MAX {
            value -= 1;
        }
        if value < 0 {
            value = value.wrapping_add(i32::MAX);
        }
        if let Some(place) = self.seeds.get_mut(self.next) {
            *place = value;
        }
        value
    }

    /// `NextDouble()`: from 0 to below 1.
    pub fn fraction(&mut self) -> f64 {
        f64::from(self.sample()) * (1.0 / f64::from(i32::MAX))
    }

    /// `Next(min, max)`; `min <= max`.
    pub fn between(&mut self, min: i32, max: i32) -> i32 {
        let range = i64::from(max) - i64::from(min);
        let offset = if range <= i64::from(i32::MAX) {
            (self.fraction() * range as f64) as i64
        } else {
            let size = self.sample();
            let size = if self.sample() % 2 == 0 { -size } else { size };
            let fraction = (f64::from(size) + f64::from(i32::MAX - 1)) / 4_294_967_293.0;
            (fraction * range as f64) as i64
        };
        (offset + i64::from(min)) as i32
    }

    /// `NextBytes(buffer)`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.sample() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn seeds_give_the_numbers_of_dotnet() {
        assert_eq!(Random::new(42).sample(), 1_434_747_710);
        assert_eq!(Random::new(42).between(0, 100), 66);
        assert_eq!(Random::new(1).fraction(), 0.248_668_584_157_092_78);
        let mut random = Random::new(123);
        assert_eq!([(); 3].map(|()| random.between(0, 6)), [5, 5, 4]);
        let mut bytes = [0; 4];
        Random::new(5).fill(&mut bytes);
        assert_eq!(bytes, [0xf4, 0xdd, 0x85, 0xcf]);
    }

    proptest::proptest! {
        #[test]
        fn numbers_stay_in_their_range(seed: i32, a: i32, b: i32) {
            let (min, max) = (a.min(b), a.max(b));
            let value = Random::new(seed).between(min, max);
            proptest::prop_assert!(min <= value && (value < max || min == max));
        }
    }
}
