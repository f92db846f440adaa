//! Runs a program at one place of a text.

mod loops;

use crate::node::{Anchor, Unit};
use crate::program::{NONE, Op, Program};
use crate::scratch::Scratch;
use crate::source::Source;
use crate::units::{is_ecma_word, is_word, to_lower};

/// Units that a loop or a search passes over in one step of the budget.
pub(crate) const UNITS_PER_STEP: usize = 16;

/// A program at a place of a text.
pub(crate) struct Machine<'a, T> {
    pub(crate) program: &'a Program,
    pub(crate) text: T,
    pub(crate) scratch: &'a mut Scratch,
    /// Where the search began, for `\G`.
    pub(crate) start: usize,
    /// Steps that are left; at zero the search ends.
    pub(crate) steps: u64,
    pc: usize,
    pos: usize,
    extra: u32,
}

/// Positions fit: longer texts are refused.
fn small(it: usize) -> u32 {
    u32::try_from(it).unwrap_or(NONE)
}

impl<'a, T: Source> Machine<'a, T> {
    pub(crate) fn new(
        program: &'a Program,
        text: T,
        scratch: &'a mut Scratch,
        start: usize,
        steps: u64,
    ) -> Self {
        Self { program, text, scratch, start, steps, pc: 0, pos: 0, extra: 0 }
    }

    /// Where the match that begins at a place ends; nothing as well if the budget is used up.
    pub(crate) fn run(&mut self, at: usize) -> Option<usize> {
        self.scratch.reset(self.program.n_slots, self.program.n_registers);
        (self.pc, self.pos) = (0, at);
        loop {
            let op = *self.program.ops.get(self.pc)?;
            if self.steps == 0 || self.scratch.is_full {
                self.steps = 0;
                return None;
            }
            self.steps -= 1;
            if op == Op::Accept {
                return Some(self.pos);
            }
            if !self.step(op) {
                let frame = self.scratch.pop()?;
                (self.pc, self.pos) = (frame.pc as usize, frame.pos as usize);
                self.extra = frame.extra;
            }
        }
    }

    /// Does one instruction; false if it fails.
    #[inline]
    fn step(&mut self, op: Op) -> bool {
        self.pc += 1;
        match op {
            Op::Accept => true,
            Op::One(unit) => {
                let fits = self.text.unit(self.pos) == Some(unit);
                self.pos += 1;
                fits
            }
            Op::OneBack(unit) => {
                let fits = self.pos > 0 && self.text.unit(self.pos - 1) == Some(unit);
                self.pos = self.pos.saturating_sub(1);
                fits
            }
            Op::Unit { unit, back } => {
                let fits = self.next_fits(unit, back);
                self.pos = if back { self.pos.saturating_sub(1) } else { self.pos + 1 };
                fits
            }
            Op::Text { at, len } => self.literal(at as usize, len as usize),
            Op::Single(it) => self.single(it),
            Op::Give(it) => self.give(it),
            Op::More(it) => self.more(it),
            Op::Fork { later } => {
                self.scratch.push(later, self.pos, 0);
                true
            }
            Op::Choose { later, unit, back } => {
                if self.next_fits(unit, back) {
                    self.scratch.push(later, self.pos, 0);
                } else {
                    self.pc = later as usize;
                }
                true
            }
            Op::Jump(to) => {
                self.pc = to as usize;
                true
            }
            Op::LoopStart(it) => self.loop_start(it),
            Op::LoopTest(it) => self.loop_test(it),
            Op::LoopAgain(it) => self.loop_again(it),
            other => self.group(other),
        }
    }

    /// The instructions of groups and places.
    fn group(&mut self, op: Op) -> bool {
        match op {
            Op::Anchor(anchor) => return self.is_at(anchor),
            Op::Mark { register } => self.scratch.set(register, small(self.pos)),
            Op::Capture { slot, register } => {
                let from = self.scratch.get(register);
                let (start, end) = ordered(from, small(self.pos));
                if slot != NONE {
                    self.scratch.catch(slot, start, end);
                }
            }
            Op::Balance { slot, taken, register } => return self.balance(slot, taken, register),
            Op::Reference { slot, folds, back, ecma } => {
                return match self.scratch.last(slot) {
                    Some(it) => self.repeats(it.start as usize, it.end as usize, folds, back),
                    None => ecma,
                };
            }
            Op::IfGroup { slot, no } => {
                if self.scratch.last(slot).is_none() {
                    self.pc = no as usize;
                }
            }
            Op::Enter { register } => self.enter(register, self.scratch.height()),
            Op::Try { register, otherwise } => {
                let height = self.scratch.height();
                self.scratch.push(otherwise, self.pos, 0);
                self.enter(register, height);
            }
            Op::Leave { register, returns } => {
                if returns {
                    self.pos = self.scratch.get(register + 1) as usize;
                }
                self.scratch.cut(self.scratch.get(register));
            }
            Op::Refuse { register } => {
                self.scratch.cut(self.scratch.get(register));
                return false;
            }
            _ => return false,
        }
        true
    }

    fn enter(&mut self, register: u32, height: u32) {
        self.scratch.set(register, height);
        self.scratch.set(register + 1, small(self.pos));
    }

    fn charge(&mut self, units: usize) {
        self.steps = self.steps.saturating_sub((units / UNITS_PER_STEP) as u64);
    }

    /// The unit that comes next.
    #[inline]
    fn next(&self, back: bool) -> Option<u16> {
        if back { self.text.unit(self.pos.checked_sub(1)?) } else { self.text.unit(self.pos) }
    }

    #[inline]
    fn next_fits(&self, unit: u32, back: bool) -> bool {
        let Some(unit) = self.program.units.get(unit as usize) else { return false };
        self.next(back).is_some_and(|it| unit.fits(it))
    }

    fn literal(&mut self, at: usize, len: usize) -> bool {
        let Some(units) = self.program.text.get(at..at + len) else { return false };
        let from = self.pos;
        self.pos += len;
        (from..).zip(units).all(|(at, unit)| self.text.unit(at) == Some(*unit))
    }

    /// How many of the units that come fit, at most so many.
    fn count(&self, unit: &Unit, most: usize, back: bool) -> usize {
        let pos = self.pos;
        let left = if back { pos } else { self.text.len().saturating_sub(pos) };
        let most = most.min(left);
        if back {
            let fits = |at: &usize| self.text.unit(*at).is_some_and(|it| unit.fits(it));
            return (pos - most..pos).rev().take_while(fits).count();
        }
        match unit {
            Unit::Any => most,
            Unit::Not(it) => self.text.find(*it, pos).map_or(most, |at| most.min(at - pos)),
            Unit::One(it) => self.text.count(pos, most, |unit| unit == *it),
            Unit::Set(set) => self.text.count(pos, most, |unit| set.has(unit)),
        }
    }

    fn advanced(&self, count: usize, back: bool) -> usize {
        if back { self.pos.saturating_sub(count) } else { self.pos + count }
    }

    /// Takes the last capture of a group; what lies between it and this goes to another.
    fn balance(&mut self, slot: u32, taken: u32, register: u32) -> bool {
        let Some(other) = self.scratch.last(taken) else { return false };
        let (mut start, mut end) = ordered(self.scratch.get(register), small(self.pos));
        if start >= other.end {
            (start, end) = (other.end, start);
        } else if end <= other.start {
            start = other.start;
        } else {
            start = start.max(other.start);
            end = end.min(other.end);
        }
        self.scratch.set(taken, other.before);
        if slot != NONE {
            self.scratch.catch(slot, start, end);
        }
        true
    }

    /// Does the text from `start` to `end` come once more?
    fn repeats(&mut self, start: usize, end: usize, folds: bool, back: bool) -> bool {
        let len = end - start;
        self.charge(len);
        let from = if back { self.pos.checked_sub(len) } else { Some(self.pos) };
        let Some(from) = from else { return false };
        self.pos = if back { from } else { from + len };
        (0..len).all(|at| match (self.text.unit(start + at), self.text.unit(from + at)) {
            (Some(a), Some(b)) if folds => to_lower(a) == to_lower(b),
            (a, b) => b.is_some() && a == b,
        })
    }

    fn is_at(&self, anchor: Anchor) -> bool {
        let (pos, len) = (self.pos, self.text.len());
        let is_break = |at: usize| self.text.unit(at) == Some(u16::from(b'\n'));
        match anchor {
            Anchor::Beginning => pos == 0,
            Anchor::LineBeginning => pos == 0 || is_break(pos - 1),
            Anchor::Start => pos == self.start,
            Anchor::End => pos == len,
            Anchor::LineEnd => pos == len || is_break(pos),
            Anchor::LastLine => pos == len || (pos + 1 == len && is_break(pos)),
            Anchor::Border => self.is_border(is_word),
            Anchor::NoBorder => !self.is_border(is_word),
            Anchor::EcmaBorder => self.is_border(is_ecma_word),
            Anchor::NoEcmaBorder => !self.is_border(is_ecma_word),
        }
    }

    fn is_border(&self, is_word: fn(u16) -> bool) -> bool {
        self.next(true).is_some_and(is_word) != self.next(false).is_some_and(is_word)
    }
}

fn ordered(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

#[cfg(test)]
mod tests {
    use crate::{Budget, Options, Regex, Text};

    /// All captures of all groups of the first match; `-` for a group without one.
    fn captures(pattern: &str, text: &str, options: Options) -> String {
        let units = |it: &str| it.encode_utf16().collect::<Vec<u16>>();
        let (pattern, text) = (units(pattern), units(text));
        let regex = Regex::new(&pattern, options).unwrap();
        let start = if options.has(Options::RIGHT_TO_LEFT) { text.len() } else { 0 };
        let found =
            regex.find(Text::Units(&text), start, false, &mut Budget::new(100_000)).unwrap();
        let Some(found) = found else { return "no match".to_owned() };
        let show = |slot| {
            let all = found
                .captures(slot)
                .iter()
                .map(|it| String::from_utf16_lossy(&text[it.index..it.index + it.length]));
            let all: Vec<String> = all.collect();
            if all.is_empty() { "-".to_owned() } else { all.join(",") }
        };
        (0..found.n_groups()).map(show).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn matches_are_those_of_dotnet() {
        let cases = [
            (r"\d+", "abc123", "123"),
            ("^b$", "a\nb", "no match"),
            ("(?m)^b$", "a\nb", "b"),
            ("abc$", "abc\n", "abc"),
            (r"\Aabc\z", "abc\n", "no match"),
            (r"(?>a+)ab", "aaab", "no match"),
            (r"^(ab)\1$", "abab", "abab|ab"),
            ("(a)?b(?(1)|c)", "ab", "ab|a"),
            ("(a)?b(?(1)|c)", "bc", "bc|-"),
            (r"(\w)+", "abc", "abc|a,b,c"),
            (r"(?<k>\w+)=(\w+)", "key=value", "key=value|value|key"),
            ("(?<=foo)bar", "foobar", "bar"),
            ("(?<=(a)(b)+)c", "abbc", "c|a|b,b"),
            ("(?<!o)b", "obb", "b"),
            (".*?x", "aaxbx", "aax"),
            ("(?i)straSSe", "STRASSE", "STRASSE"),
            (r"(?i)(a)\1", "aA", "aA|a"),
            ("(a*)*", "aab", "aa|aa,"),
            ("(a*)+?b", "aab", "aab|aa"),
            ("(a|ab)(c|bcd)(d*)", "abcd", "abcd|a|bcd|"),
            (r"\bfoo\b", "a foo.", "foo"),
            ("(?:(a)|b)*", "ab", "ab|a"),
            ("(?(?=a)ab|c)", "c", "c"),
            ("(?:ab){2,3}?", "ababab", "abab"),
            ("x*(?!y)", "xxy", "x"),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(captures(pattern, text, Options::NONE), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn captures_are_taken_from_balanced_groups() {
        let nested = r"^[^<>]*(((?<Open><)[^<>]*)+((?<Close-Open>>)[^<>]*)+)*(?(Open)(?!))$";
        let found = captures(nested, "<a<b>c>", Options::NONE);
        assert!(found.ends_with("|-|b,a<b>c"), "{found}");
        assert_eq!(captures(nested, "<a<b>c", Options::NONE), "no match");
        assert_eq!(captures("(?<d>a)+(?<-d>b)+", "aabbb", Options::NONE), "aabb|-");
    }

    #[test]
    fn a_search_may_go_from_right_to_left() {
        let cases = [
            (r"\d+", "a12b345c", "345"),
            (r"\d{2}", "12345", "45"),
            (r"(\w)(\w)", "abcd", "cd|c|d"),
            (r"(\d)+", "123", "123|3,2,1"),
            (r"a(?=b)", "abab", "a"),
            (r"(?<=a)b", "abab", "b"),
            ("a.*?b", "aabab", "ab"),
            ("^a", "aa", "a"),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(captures(pattern, text, Options::RIGHT_TO_LEFT), expected, "{pattern}");
        }
    }
}
