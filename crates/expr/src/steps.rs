//! An iterator's body as a list of steps, so that it can wait between two of them.
//!
//! A function with `yield` cannot run to its end at once. Its statements are laid out flat, loops
//! as jumps; what has no `yield` in it stays a statement and runs as any other.

use crate::ir::{Conversion, Foreach, Node, Stmt, Switch, Try};
use clr::types::Type;
use csharp::ast::Span;

/// The body of a function with `yield`.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    /// The type of the items.
    pub element: Type,
    /// The function returns an `IEnumerator<T>`.
    pub is_enumerator: bool,
    pub all: Box<[Step]>,
    /// How many `foreach` loops there are.
    pub cursors: usize,
    /// Labels and where they are.
    pub places: Box<[(u32, usize)]>,
}

/// Where a statement without `yield` goes if it leaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exits {
    pub breaks: Option<usize>,
    pub continues: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Run(Stmt, Exits),
    Jump(usize),
    /// Jumps if the condition is false.
    Unless(Node, usize),
    Fresh(Box<[u32]>),
    Yield(Node),
    End,
    /// Starts the enumeration of a loop.
    Start {
        cursor: usize,
        source: Node,
        item: Type,
        span: Span,
    },
    /// The next item, or on to the exit.
    Next {
        cursor: usize,
        slot: u32,
        captured: bool,
        conversion: Option<Conversion>,
        exit: usize,
    },
    /// Chooses a section; each has its step, the last one is where to go on if none fits.
    Switch(Box<Switch>, Box<[usize]>),
    /// Up to the step `end` an exit runs the steps from there on first.
    Try {
        end: usize,
    },
    /// The end of what runs first: goes on with what was under way.
    EndFinally,
}

/// Lays out the body of a function.
pub(crate) fn lay_out(body: &[Stmt], element: Type, is_enumerator: bool) -> Steps {
    let mut layout = Layout::default();
    layout.block(body);
    layout.all.push(Step::End);
    Steps {
        element,
        is_enumerator,
        all: layout.all.into_boxed_slice(),
        cursors: layout.cursors,
        places: layout.places.into_boxed_slice(),
    }
}

#[derive(Default)]
struct Layout {
    all: Vec<Step>,
    cursors: usize,
    places: Vec<(u32, usize)>,
    /// Steps that leave the loops and switches under way, to be told where to: innermost last.
    around: Vec<Around>,
}

#[derive(Default)]
struct Around {
    is_switch: bool,
    breaks: Vec<usize>,
    continues: Vec<usize>,
}

impl Layout {
    fn block(&mut self, all: &[Stmt]) {
        for it in all {
            self.statement(it);
        }
    }

    fn statement(&mut self, it: &Stmt) {
        if !waits(it) {
            return self.run(it);
        }
        match it {
            Stmt::Yield(Some(node)) => self.all.push(Step::Yield(node.clone())),
            Stmt::Yield(None) => self.all.push(Step::End),
            Stmt::Block(all) => self.block(all),
            Stmt::Scope(cells, all) => {
                self.all.push(Step::Fresh(cells.clone()));
                self.block(all);
            }
            Stmt::Settled(inner) => self.statement(inner),
            Stmt::If(condition, then, otherwise) => {
                let unless = self.later(Step::Unless(condition.clone(), 0));
                self.statement(then);
                let over = otherwise.as_ref().map(|_| self.later(Step::Jump(0)));
                self.target(unless);
                if let Some(otherwise) = otherwise {
                    self.statement(otherwise);
                }
                over.into_iter().for_each(|it| self.target(it));
            }
            Stmt::While(condition, body) => {
                let top = self.all.len();
                let unless = self.later(Step::Unless(condition.clone(), 0));
                self.looped(body);
                self.all.push(Step::Jump(top));
                self.target(unless);
                self.leave(top);
            }
            Stmt::Do(body, condition) => {
                let top = self.all.len();
                self.looped(body);
                let test = self.all.len();
                self.all.push(Step::Unless(condition.clone(), test + 2));
                self.all.push(Step::Jump(top));
                self.leave(test);
            }
            Stmt::For { init, condition, step, body } => {
                self.block(init);
                let top = self.all.len();
                let unless = condition.clone().map(|it| self.later(Step::Unless(it, 0)));
                self.looped(body);
                let next = self.all.len();
                for it in step {
                    self.run(&Stmt::Expression(it.clone()));
                }
                self.all.push(Step::Jump(top));
                unless.into_iter().for_each(|it| self.target(it));
                self.leave(next);
            }
            Stmt::Foreach(it) => self.foreach(it),
            Stmt::Switch(it) => self.switch(it),
            Stmt::Labels(it) => {
                for (at, inner) in it.statements.iter().enumerate() {
                    let here = self.all.len();
                    let own = it.places.iter().filter(|(_, place)| *place == at);
                    self.places.extend(own.map(|(id, _)| (*id, here)));
                    self.statement(inner);
                }
            }
            Stmt::Using(slot, body) => {
                let dispose = Stmt::Using(*slot, Box::new(Stmt::Block(Box::default())));
                self.tried(std::slice::from_ref(body), &[dispose]);
            }
            Stmt::Try(it) => {
                let Try { body, finally, .. } = &**it;
                self.tried(body, finally.as_deref().unwrap_or_default());
            }
            other => self.run(other),
        }
    }

    /// A statement that runs at once.
    fn run(&mut self, it: &Stmt) {
        let at = self.all.len();
        self.all.push(Step::Run(it.clone(), Exits::default()));
        if let Some(around) = self.around.last_mut() {
            around.breaks.push(at);
        }
        if let Some(around) = self.around.iter_mut().rev().find(|it| !it.is_switch) {
            around.continues.push(at);
        }
    }

    fn later(&mut self, step: Step) -> usize {
        self.all.push(step);
        self.all.len() - 1
    }

    /// A jump goes to the end of what there is.
    fn target(&mut self, jump: usize) {
        let end = self.all.len();
        match self.all.get_mut(jump) {
            Some(Step::Jump(to) | Step::Unless(_, to) | Step::Next { exit: to, .. }) => *to = end,
            Some(Step::Try { end: to }) => *to = end,
            _ => {}
        }
    }

    fn looped(&mut self, body: &Stmt) {
        self.around.push(Around::default());
        self.statement(body);
    }

    /// Ends the innermost loop or switch: `break` goes to the end of what there is.
    fn leave(&mut self, again: usize) {
        let end = self.all.len();
        let Some(around) = self.around.pop() else { return };
        for at in around.breaks {
            if let Some(Step::Run(_, exits)) = self.all.get_mut(at) {
                exits.breaks = exits.breaks.or(Some(end));
            }
        }
        for at in around.continues {
            if let Some(Step::Run(_, exits)) = self.all.get_mut(at) {
                exits.continues = exits.continues.or(Some(again));
            }
        }
    }

    fn foreach(&mut self, it: &Foreach) {
        let cursor = self.cursors;
        self.cursors += 1;
        let (source, item, span) = (it.source.clone(), it.item, it.span);
        self.all.push(Step::Start { cursor, source, item, span });
        let (slot, captured, conversion) = (it.slot, it.captured, it.conversion.clone());
        let top = self.later(Step::Next { cursor, slot, captured, conversion, exit: 0 });
        self.looped(&it.body);
        self.all.push(Step::Jump(top));
        self.target(top);
        self.leave(top);
    }

    fn switch(&mut self, it: &Switch) {
        let at = self.later(Step::End);
        self.around.push(Around { is_switch: true, ..Around::default() });
        let mut places = Vec::new();
        for section in &it.sections {
            places.push(self.all.len());
            self.block(section);
        }
        places.push(self.all.len());
        for (id, section) in &it.gotos {
            self.places.extend(places.get(*section).map(|place| (*id, *place)));
        }
        let bare = Switch { sections: Box::default(), gotos: Box::default(), ..it.clone() };
        if let Some(step) = self.all.get_mut(at) {
            *step = Step::Switch(Box::new(bare), places.into_boxed_slice());
        }
        self.leave(0);
    }

    fn tried(&mut self, body: &[Stmt], finally: &[Stmt]) {
        let start = self.later(Step::Try { end: 0 });
        self.block(body);
        self.target(start);
        self.block(finally);
        self.all.push(Step::EndFinally);
    }
}

/// Is there a `yield` in the statement? `break` out of a switch that is laid out must be seen too,
/// so a lone `break` or `continue` is a statement that runs and leaves.
fn waits(it: &Stmt) -> bool {
    let any = |all: &[Stmt]| all.iter().any(waits);
    match it {
        Stmt::Yield(_) => true,
        Stmt::Block(all) | Stmt::Scope(_, all) => any(all),
        Stmt::If(_, then, otherwise) => waits(then) || otherwise.as_deref().is_some_and(waits),
        Stmt::While(_, body) | Stmt::Do(body, _) | Stmt::Using(_, body) | Stmt::Settled(body) => {
            waits(body)
        }
        Stmt::For { body, .. } => waits(body),
        Stmt::Foreach(it) => waits(&it.body),
        Stmt::Switch(it) => it.sections.iter().any(|it| any(it)),
        Stmt::Try(it) => any(&it.body) || it.finally.as_deref().is_some_and(any),
        Stmt::Labels(it) => any(&it.statements),
        _ => false,
    }
}
