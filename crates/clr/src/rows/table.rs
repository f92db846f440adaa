//! Tables of rows that several files make together.

use super::Member;

/// How many rows several tables have.
#[must_use]
#[expect(clippy::indexing_slicing, reason = "runs at compile time")]
pub const fn count(parts: &[&[Member]]) -> usize {
    let (mut all, mut part) = (0, 0);
    while part < parts.len() {
        all += parts[part].len();
        part += 1;
    }
    all
}

/// Several tables of rows as one: `joined::<{ count(PARTS) }>(PARTS)`.
#[must_use]
#[expect(clippy::indexing_slicing, reason = "runs at compile time")]
pub const fn joined<const N: usize>(parts: &[&[Member]]) -> [Member; N] {
    let mut all = [parts[0][0]; N];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            all[at] = parts[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Type;
    use crate::value::Value;

    #[test]
    fn tables_stand_one_after_the_other() {
        const A: &[Member] = &[Member::property("A", Type::Int32, |_, _| Ok(Value::Null)); 2];
        const B: &[Member] = &[Member::property("B", Type::Int32, |_, _| Ok(Value::Null))];
        const PARTS: &[&[Member]] = &[A, B];
        let all: [Member; count(PARTS)] = joined(PARTS);
        assert_eq!(all.map(|it| it.name), ["A", "A", "B"]);
    }
}
