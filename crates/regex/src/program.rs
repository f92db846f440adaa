//! A pattern as instructions.

use crate::first::First;
use crate::node::{Anchor, Unit};

/// No register, no slot, no unit, no place.
pub(crate) const NONE: u32 = u32::MAX;

/// One instruction. Registers, units and loops are named by their places in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The pattern has matched.
    Accept,
    /// This unit.
    One(u16),
    /// This unit, going backward.
    OneBack(u16),
    /// A unit of [`Program::units`].
    Unit { unit: u32, back: bool },
    /// Several units, forward.
    Text { at: u32, len: u32 },
    /// A unit several times; [`Op::Give`] or [`Op::More`] follows, for stepping back to.
    Single(u32),
    /// Gives one repetition of the greedy [`Op::Single`] back.
    Give(u32),
    /// Takes one more repetition of the lazy [`Op::Single`].
    More(u32),
    /// Goes on; if that fails, from `later`.
    Fork { later: u32 },
    /// As [`Op::Fork`], but at once from `later` if the next unit does not fit.
    Choose { later: u32, unit: u32, back: bool },
    /// Goes on from there.
    Jump(u32),
    /// A place.
    Anchor(Anchor),
    /// Remembers the place.
    Mark { register: u32 },
    /// Captures from the remembered place on.
    Capture { slot: u32, register: u32 },
    /// Takes the last capture of `taken`; what is between goes to `slot`, if there is one.
    Balance { slot: u32, taken: u32, register: u32 },
    /// What a group has caught last.
    Reference { slot: u32, folds: bool, back: bool, ecma: bool },
    /// Goes on if the group has caught anything, otherwise from `no`.
    IfGroup { slot: u32, no: u32 },
    /// Remembers place and stack before something that is tried once.
    Enter { register: u32 },
    /// As [`Op::Enter`]; if what follows fails, goes on from `otherwise`.
    Try { register: u32, otherwise: u32 },
    /// Forgets all other ways since [`Op::Enter`] or [`Op::Try`].
    Leave { register: u32, returns: bool },
    /// Fails, and forgets all other ways since [`Op::Try`].
    Refuse { register: u32 },
    /// Begins a loop.
    LoopStart(u32),
    /// Goes round or out of a loop.
    LoopTest(u32),
    /// Goes round a lazy loop once more.
    LoopAgain(u32),
}

/// How a repeated unit is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As many as there are; gives back what is needed.
    Greedy,
    /// As few as will do.
    Lazy,
    /// As many as there are, and keeps them.
    Once,
}

/// A repeated unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Single {
    pub(crate) unit: Unit,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) manner: Manner,
    pub(crate) back: bool,
    /// The unit that must come next.
    pub(crate) next: Option<u16>,
}

/// A loop over more than a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loop {
    /// Holds where the last round began; [`NONE`] if a round is never empty.
    pub(crate) mark: u32,
    /// Holds how many rounds have begun; [`NONE`] if they need no counting.
    pub(crate) count: u32,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) lazy: bool,
    /// Where a round begins.
    pub(crate) body: u32,
    /// Where [`Op::LoopTest`] is.
    pub(crate) test: u32,
    /// A unit that every round begins with.
    pub(crate) unit: u32,
    /// Does a round go backward?
    pub(crate) back: bool,
}

/// Where a match can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Anywhere.
    Any,
    /// At the beginning of the text.
    Beginning,
    /// Where the search begins.
    Start,
    /// If not at a place, then nowhere in the run of units that fit this [`Single`] either: every
    /// match begins with all or some of them.
    Run(u32),
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) ops: Vec<Op>,
    pub(crate) units: Vec<Unit>,
    pub(crate) text: Vec<u16>,
    pub(crate) singles: Vec<Single>,
    pub(crate) loops: Vec<Loop>,
    /// Slots of groups; the first registers hold their captures.
    pub(crate) n_slots: usize,
    pub(crate) n_registers: usize,
    /// Does the search go from right to left?
    pub(crate) back: bool,
    pub(crate) place: Place,
    pub(crate) first: First,
}
