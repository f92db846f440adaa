//! Loops: over one unit at a time, and over whatever else.

use super::{Machine, small};
use crate::node::MANY;
use crate::program::{Loop, Manner, NONE, Single};
use crate::source::Source;

impl<T: Source> Machine<'_, T> {
    pub(super) fn single(&mut self, at: u32) -> bool {
        let program = self.program;
        let Some(single) = program.singles.get(at as usize) else { return false };
        let (min, back) = (single.min as usize, single.back);
        let most = match single.manner {
            Manner::Lazy => min,
            _ if single.max == MANY => usize::MAX,
            _ => single.max as usize,
        };
        let count = self.count(&single.unit, most, back);
        self.charge(count);
        if count < min {
            return false;
        }
        let least = self.advanced(min, back);
        self.pos = self.advanced(count, back);
        match single.manner {
            Manner::Once => return true,
            Manner::Greedy if count > min => {
                self.scratch.push(small(self.pc), self.pos, small(least));
            }
            Manner::Greedy => {}
            Manner::Lazy => {
                let more = single.max.saturating_sub(single.min);
                self.scratch.push(small(self.pc), self.pos, more);
            }
        }
        self.pc += 1;
        true
    }

    /// `extra` is the place of the fewest repetitions.
    pub(super) fn give(&mut self, at: u32) -> bool {
        let program = self.program;
        let Some(Single { back, next, .. }) = program.singles.get(at as usize) else {
            return false;
        };
        let least = self.extra as usize;
        let from = self.pos;
        loop {
            self.pos = if *back { self.pos + 1 } else { self.pos.saturating_sub(1) };
            if self.pos == least || next.is_none() || self.next(*back) == *next {
                break;
            }
        }
        self.charge(from.abs_diff(self.pos));
        if self.pos != least {
            self.scratch.push(small(self.pc - 1), self.pos, small(least));
        }
        true
    }

    /// `extra` is how many repetitions there may still be.
    pub(super) fn more(&mut self, at: u32) -> bool {
        let program = self.program;
        let Some(Single { unit, back, next, .. }) = program.singles.get(at as usize) else {
            return false;
        };
        let (mut left, from) = (self.extra, self.pos);
        loop {
            if left == 0 || !self.next(*back).is_some_and(|it| unit.fits(it)) {
                self.charge(from.abs_diff(self.pos));
                return false;
            }
            self.pos = self.advanced(1, *back);
            left -= 1;
            if next.is_none() || self.next(*back) == *next {
                break;
            }
        }
        self.charge(from.abs_diff(self.pos));
        if left > 0 {
            self.scratch.push(small(self.pc - 1), self.pos, left);
        }
        true
    }

    pub(super) fn loop_start(&mut self, at: u32) -> bool {
        let program = self.program;
        let Some(it) = program.loops.get(at as usize) else { return false };
        if it.min == 0 {
            self.round(it, NONE, 0);
            self.pc = it.test as usize;
        } else {
            self.round(it, small(self.pos), 1);
        }
        true
    }

    /// Writes down where a round begins and which one it is.
    pub(super) fn round(&mut self, it: &Loop, place: u32, number: u32) {
        if it.mark != NONE {
            self.scratch.set(it.mark, place);
        }
        if it.count != NONE {
            self.scratch.set(it.count, number);
        }
    }

    /// Rounds that have begun, and whether the last one was empty.
    pub(super) fn rounds(&self, it: &Loop) -> (u32, bool) {
        let number = if it.count == NONE { it.min } else { self.scratch.get(it.count) };
        (number, it.mark != NONE && self.scratch.get(it.mark) == small(self.pos))
    }

    pub(super) fn loop_test(&mut self, at: u32) -> bool {
        let program = self.program;
        let Some(it) = program.loops.get(at as usize) else { return false };
        let (number, was_empty) = self.rounds(it);
        let is_enough = number >= it.min;
        if it.lazy {
            if is_enough {
                if !was_empty && number < it.max {
                    self.scratch.push(small(self.pc), self.pos, 0);
                }
                self.pc += 1;
                return true;
            }
        } else if is_enough {
            let cannot = it.unit != NONE && !self.next_fits(it.unit, it.back);
            if was_empty || number >= it.max || cannot {
                return true;
            }
            self.scratch.push(small(self.pc), self.pos, 0);
        }
        self.round(it, small(self.pos), number.saturating_add(1));
        self.pc = it.body as usize;
        true
    }

    pub(super) fn loop_again(&mut self, at: u32) -> bool {
        let program = self.program;
        let Some(it) = program.loops.get(at as usize) else { return false };
        let (number, _) = self.rounds(it);
        self.round(it, small(self.pos), number.saturating_add(1));
        self.pc = it.body as usize;
        true
    }
}
