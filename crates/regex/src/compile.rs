//! From the tree to instructions.

use crate::first::{First, first, leading, place};
use crate::node::{MANY, Node, Unit};
use crate::program::{Loop, Manner, NONE, Op, Place, Program, Single};

/// What comes after a node.
#[derive(Clone, Copy)]
enum Follow<'a> {
    /// Unknown.
    Any,
    /// Nothing that could fail.
    End,
    /// This unit, in this direction.
    Unit(&'a Unit, bool),
}

/// Compiles a tree with that many slots.
pub(crate) fn compile(node: &Node, n_slots: usize, back: bool) -> Program {
    let mut compiler = Compiler {
        program: Program {
            ops: Vec::new(),
            units: Vec::new(),
            text: Vec::new(),
            singles: Vec::new(),
            loops: Vec::new(),
            n_slots,
            n_registers: n_slots,
            back,
            place: Place::Any,
            first: First::Any,
        },
    };
    compiler.node(node, Follow::End);
    compiler.push(Op::Accept);
    let mut program = compiler.program;
    program.first = first(node, &program.ops, &program.text, back);
    program.place = place(&program);
    program
}

struct Compiler {
    program: Program,
}

/// Places are small: patterns are bounded.
fn small(it: usize) -> u32 {
    u32::try_from(it).unwrap_or(NONE)
}

impl Compiler {
    fn here(&self) -> u32 {
        small(self.program.ops.len())
    }

    fn push(&mut self, op: Op) -> usize {
        self.program.ops.push(op);
        self.program.ops.len() - 1
    }

    fn set(&mut self, at: usize, op: Op) {
        if let Some(it) = self.program.ops.get_mut(at) {
            *it = op;
        }
    }

    fn register(&mut self) -> u32 {
        self.program.n_registers += 1;
        small(self.program.n_registers - 1)
    }

    fn unit(&mut self, unit: &Unit) -> u32 {
        let known = self.program.units.iter().position(|it| it == unit);
        small(known.unwrap_or_else(|| {
            self.program.units.push(unit.clone());
            self.program.units.len() - 1
        }))
    }

    fn node(&mut self, node: &Node, follow: Follow<'_>) {
        match node {
            Node::Empty => {}
            Node::Unit { unit: Unit::One(it), back } => {
                self.push(if *back { Op::OneBack(*it) } else { Op::One(*it) });
            }
            Node::Unit { unit, back } => {
                let unit = self.unit(unit);
                self.push(Op::Unit { unit, back: *back });
            }
            Node::Reference { slot, folds, back, ecma } => {
                let (slot, folds, back, ecma) = (*slot, *folds, *back, *ecma);
                self.push(Op::Reference { slot, folds, back, ecma });
            }
            Node::Anchor(anchor) => {
                self.push(Op::Anchor(*anchor));
            }
            Node::Concat(nodes) => self.concat(nodes, follow),
            Node::Alternate(nodes) => self.alternate(nodes, follow),
            Node::Repeat { node, min, max, lazy } => match &**node {
                Node::Unit { unit, back } => {
                    self.single(unit, *back, (*min, *max), *lazy, follow);
                }
                other => self.repeat(other, *min, *max, *lazy),
            },
            Node::Capture { slot, taken, node } => self.capture(*slot, *taken, node, follow),
            Node::Look { node, negative: false } => self.once(node, true),
            Node::Look { node, negative: true } => {
                let register = self.register();
                let entry = self.push(Op::Try { register, otherwise: NONE });
                self.register();
                self.node(node, Follow::End);
                self.push(Op::Refuse { register });
                self.set(entry, Op::Try { register, otherwise: self.here() });
            }
            Node::Atomic(node) => self.once(node, false),
            Node::IfGroup { slot, yes, no } => {
                let entry = self.push(Op::Accept);
                let otherwise = self.branches(yes, no, follow);
                self.set(entry, Op::IfGroup { slot: *slot, no: otherwise });
            }
            Node::IfMatch { test, yes, no } => {
                let register = self.register();
                self.register();
                let entry = self.push(Op::Accept);
                self.node(test, Follow::End);
                self.push(Op::Leave { register, returns: true });
                let otherwise = self.branches(yes, no, follow);
                self.set(entry, Op::Try { register, otherwise });
            }
        }
    }

    /// Two branches; gives the place of the second.
    fn branches(&mut self, yes: &Node, no: &Node, follow: Follow<'_>) -> u32 {
        self.node(yes, follow);
        let jump = self.push(Op::Accept);
        let otherwise = self.here();
        self.node(no, follow);
        self.set(jump, Op::Jump(self.here()));
        otherwise
    }

    /// Something that is tried once: its registers hold the stack and the place before.
    fn once(&mut self, node: &Node, returns: bool) {
        let register = self.register();
        self.register();
        self.push(Op::Enter { register });
        self.node(node, Follow::End);
        self.push(Op::Leave { register, returns });
    }

    fn capture(&mut self, slot: Option<u32>, taken: Option<u32>, node: &Node, follow: Follow<'_>) {
        let register = self.register();
        self.push(Op::Mark { register });
        // Taking a capture may fail.
        self.node(node, if taken.is_some() { Follow::Any } else { follow });
        let slot = slot.unwrap_or(NONE);
        self.push(match taken {
            None => Op::Capture { slot, register },
            Some(taken) => Op::Balance { slot, taken, register },
        });
    }

    fn concat(&mut self, nodes: &[Node], follow: Follow<'_>) {
        let mut at = 0;
        while let Some(node) = nodes.get(at) {
            let rest = nodes.get(at..).unwrap_or(&[]);
            let text: Vec<u16> = rest
                .iter()
                .map_while(|it| match it {
                    Node::Unit { unit: Unit::One(unit), back: false } => Some(*unit),
                    _ => None,
                })
                .collect();
            if text.len() > 1 {
                at += text.len();
                let (from, len) = (small(self.program.text.len()), small(text.len()));
                self.program.text.extend(text);
                self.push(Op::Text { at: from, len });
                continue;
            }
            at += 1;
            let next = self.follow(nodes.get(at..).unwrap_or(&[]), follow);
            self.node(node, next);
        }
    }

    /// What comes after a node, before the nodes that remain.
    fn follow<'a>(&self, nodes: &'a [Node], outer: Follow<'a>) -> Follow<'a> {
        let mut seen_anchor = false;
        for node in nodes {
            match node {
                Node::Empty => {}
                Node::Anchor(_) => seen_anchor = true,
                _ => return leading(node).map_or(Follow::Any, |(it, back)| Follow::Unit(it, back)),
            }
        }
        match outer {
            Follow::End if seen_anchor => Follow::Any,
            outer => outer,
        }
    }

    fn alternate(&mut self, nodes: &[Node], follow: Follow<'_>) {
        let mut jumps = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            if at + 1 == nodes.len() {
                self.node(node, follow);
                break;
            }
            let lead = leading(node).map(|(unit, back)| (self.unit(unit), back));
            let fork = self.push(Op::Accept);
            self.node(node, follow);
            jumps.push(self.push(Op::Accept));
            let later = self.here();
            self.set(
                fork,
                match lead {
                    Some((unit, back)) => Op::Choose { later, unit, back },
                    None => Op::Fork { later },
                },
            );
        }
        for jump in jumps {
            self.set(jump, Op::Jump(self.here()));
        }
    }

    fn single(
        &mut self,
        unit: &Unit,
        back: bool,
        (min, max): (u32, u32),
        lazy: bool,
        follow: Follow<'_>,
    ) {
        let apart = match follow {
            Follow::Unit(next, direction) => direction == back && are_apart(unit, next),
            _ => false,
        };
        let (manner, max) = match (follow, lazy) {
            (Follow::End, true) => (Manner::Once, min),
            (Follow::End, false) => (Manner::Once, max),
            _ if apart => (Manner::Once, max),
            (_, true) => (Manner::Lazy, max),
            (_, false) => (Manner::Greedy, max),
        };
        let next = match follow {
            Follow::Unit(Unit::One(next), direction) if direction == back => Some(*next),
            _ => None,
        };
        let at = small(self.program.singles.len());
        self.program.singles.push(Single { unit: unit.clone(), min, max, manner, back, next });
        self.push(Op::Single(at));
        match manner {
            Manner::Greedy => self.push(Op::Give(at)),
            Manner::Lazy => self.push(Op::More(at)),
            Manner::Once => return,
        };
    }

    fn repeat(&mut self, node: &Node, min: u32, max: u32, lazy: bool) {
        if (min, max) == (0, 1) {
            return self.optional(node, lazy);
        }
        let mark = if node.may_be_empty() { self.register() } else { NONE };
        let count = if max == MANY && min <= 1 { NONE } else { self.register() };
        let lead = leading(node).map(|(unit, back)| (self.unit(unit), back));
        let (unit, back) = lead.unwrap_or((NONE, false));
        let at = self.program.loops.len();
        self.program.loops.push(Loop { mark, count, min, max, lazy, body: 0, test: 0, unit, back });
        self.push(Op::LoopStart(small(at)));
        let body = self.here();
        self.node(node, Follow::Any);
        let test = self.here();
        self.push(Op::LoopTest(small(at)));
        if lazy {
            self.push(Op::LoopAgain(small(at)));
        }
        if let Some(it) = self.program.loops.get_mut(at) {
            (it.body, it.test) = (body, test);
        }
    }

    fn optional(&mut self, node: &Node, lazy: bool) {
        let fork = self.push(Op::Accept);
        if lazy {
            let jump = self.push(Op::Accept);
            self.set(fork, Op::Fork { later: self.here() });
            self.node(node, Follow::Any);
            self.set(jump, Op::Jump(self.here()));
        } else {
            self.node(node, Follow::Any);
            self.set(fork, Op::Fork { later: self.here() });
        }
    }
}

/// Is there no unit that fits both?
fn are_apart(a: &Unit, b: &Unit) -> bool {
    match b {
        Unit::One(it) => !a.fits(*it),
        _ => a.ascii() & b.ascii() == 0 && !(a.has_wide() && b.has_wide()),
    }
}

#[cfg(test)]
mod tests {
    use crate::program::{Manner, Op};
    use crate::{Options, Regex};

    fn ops(pattern: &str) -> Vec<Op> {
        let units: Vec<u16> = pattern.encode_utf16().collect();
        Regex::new(&units, Options::NONE).unwrap().program.ops
    }

    #[test]
    fn instructions_are_small() {
        assert!(size_of::<Op>() <= 16);
    }

    #[test]
    fn patterns_become_instructions() {
        assert_eq!(ops("ab"), [Op::Text { at: 0, len: 2 }, Op::Accept]);
        assert_eq!(
            ops("a|(?:)b*"),
            [
                Op::Choose { later: 3, unit: 0, back: false },
                Op::One(97),
                Op::Jump(4),
                Op::Single(0),
                Op::Accept,
            ]
        );
        assert_eq!(
            ops("(?:ab)?c"),
            [Op::Fork { later: 2 }, Op::Text { at: 0, len: 2 }, Op::One(99), Op::Accept,]
        );
    }

    #[test]
    fn a_loop_that_nothing_takes_from_gives_nothing_back() {
        let manner = |pattern: &str| {
            let units: Vec<u16> = pattern.encode_utf16().collect();
            Regex::new(&units, Options::NONE).unwrap().program.singles[0].manner
        };
        for (pattern, expected) in [
            (r"\d+-", Manner::Once),
            (r"\d+\w", Manner::Greedy),
            (r"\d+$", Manner::Greedy),
            (r"a+", Manner::Once),
            (r"(?:ca+)+b", Manner::Greedy),
            ("[^\"]*?\"", Manner::Once),
            (".*?x", Manner::Lazy),
            (r"(\d+)\.(\d+)", Manner::Once),
        ] {
            assert_eq!(manner(pattern), expected, "{pattern}");
        }
    }
}
