//! What a search remembers: registers, the stack of other ways, and the trail that undoes changes.

use crate::program::NONE;

/// Entries that stack, trail and captures may hold together: 16 bytes each at most.
const MAX_ENTRIES: usize = 2 << 20;
/// What is kept for the next search.
const KEPT_ENTRIES: usize = 4 << 10;

/// Another way to go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) pc: u32,
    pub(crate) pos: u32,
    /// What the instruction there needs.
    pub(crate) extra: u32,
    /// How long the trail was.
    pub(crate) trail: u32,
}

/// Something caught, and the register's value before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caught {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) before: u32,
}

/// What a search remembers.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    registers: Vec<u32>,
    n_slots: usize,
    frames: Vec<Frame>,
    /// Registers and what they held.
    trail: Vec<(u32, u32)>,
    caught: Vec<Caught>,
    /// Would more have been remembered than is allowed?
    pub(crate) is_full: bool,
}

/// Sizes are bounded by [`MAX_ENTRIES`] and texts by 32 bits.
fn small(it: usize) -> u32 {
    u32::try_from(it).unwrap_or(NONE)
}

impl Scratch {
    /// Forgets everything.
    pub(crate) fn reset(&mut self, n_slots: usize, n_registers: usize) {
        self.registers.clear();
        self.registers.resize(n_registers, NONE);
        self.n_slots = n_slots;
        self.frames.clear();
        self.trail.clear();
        self.caught.clear();
        self.is_full = false;
    }

    /// Gives memory back that is not usually needed.
    pub(crate) fn shrink(&mut self) {
        if self.frames.capacity() + self.trail.capacity() + self.caught.capacity() > KEPT_ENTRIES {
            *self = Self::default();
        }
    }

    fn check(&mut self) -> bool {
        if self.frames.len() + self.trail.len() + self.caught.len() >= MAX_ENTRIES {
            self.is_full = true;
        }
        !self.is_full
    }

    #[inline]
    pub(crate) fn get(&self, register: u32) -> u32 {
        self.registers.get(register as usize).copied().unwrap_or(NONE)
    }

    /// Changes a register, so that stepping back undoes it.
    #[inline]
    pub(crate) fn set(&mut self, register: u32, value: u32) {
        let Some(it) = self.registers.get_mut(register as usize) else { return };
        let old = std::mem::replace(it, value);
        if !self.frames.is_empty() && self.check() {
            self.trail.push((register, old));
        }
    }

    /// Remembers another way.
    #[inline]
    pub(crate) fn push(&mut self, pc: u32, pos: usize, extra: u32) {
        if self.check() {
            let trail = small(self.trail.len());
            self.frames.push(Frame { pc, pos: small(pos), extra, trail });
        }
    }

    /// Steps back to the last other way.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop()?;
        while self.trail.len() > frame.trail as usize {
            let Some((register, old)) = self.trail.pop() else { break };
            self.undo(register, old);
        }
        Some(frame)
    }

    fn undo(&mut self, register: u32, old: u32) {
        let Some(it) = self.registers.get_mut(register as usize) else { return };
        let new = std::mem::replace(it, old);
        let was_caught = (register as usize) < self.n_slots && new != NONE;
        if was_caught && (old == NONE || old < new) {
            self.caught.truncate(new as usize);
        }
    }

    /// How many other ways there are.
    pub(crate) fn height(&self) -> u32 {
        small(self.frames.len())
    }

    /// Forgets the ways since there were that many.
    pub(crate) fn cut(&mut self, height: u32) {
        self.frames.truncate(height as usize);
        if self.frames.is_empty() {
            self.trail.clear();
        }
    }

    /// A group catches something.
    pub(crate) fn catch(&mut self, slot: u32, start: u32, end: u32) {
        if !self.check() {
            return;
        }
        let before = self.get(slot);
        self.caught.push(Caught { start, end, before });
        self.set(slot, small(self.caught.len() - 1));
    }

    /// What the group in that slot has caught last.
    pub(crate) fn last(&self, slot: u32) -> Option<Caught> {
        self.caught.get(self.get(slot) as usize).copied()
    }

    /// All that the group in that slot has caught, the last one first.
    pub(crate) fn all(&self, slot: usize) -> impl Iterator<Item = Caught> {
        let first = self.last(small(slot));
        std::iter::successors(first, |it| self.caught.get(it.before as usize).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_ENTRIES, Scratch};

    #[test]
    fn stepping_back_undoes_what_was_caught_and_set() {
        let mut scratch = Scratch::default();
        scratch.reset(2, 3);
        scratch.catch(1, 0, 1);
        scratch.push(7, 1, 0);
        scratch.catch(1, 1, 2);
        scratch.set(2, 5);
        scratch.catch(1, 2, 3);
        let starts: Vec<u32> = scratch.all(1).map(|it| it.start).collect();
        assert_eq!(starts, [2, 1, 0]);

        assert_eq!(scratch.pop().map(|it| (it.pc, it.pos)), Some((7, 1)));
        assert_eq!(scratch.all(1).count(), 1);
        assert_eq!(scratch.get(2), super::NONE);
        assert_eq!(scratch.caught.len(), 1);
        assert!(scratch.pop().is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let mut scratch = Scratch::default();
        scratch.reset(0, 0);
        for _ in 0..=MAX_ENTRIES {
            scratch.push(0, 0, 0);
        }
        assert!(scratch.is_full && scratch.frames.len() == MAX_ENTRIES);
        scratch.shrink();
        assert_eq!(scratch.frames.capacity(), 0);
    }
}
