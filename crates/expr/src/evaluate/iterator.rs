//! Functions with `yield`: sequences whose items a function makes one by one.
//!
//! Calling such a function runs nothing of it. Each enumeration has a machine of its own: the slots
//! of the function and the step to go on with. A machine that is let go within a `try` leaves its
//! `finally` blocks with the evaluation, which runs them before it goes on.
//!
//! Source: C# specification, 15.15 and 13.15.

use std::sync::Arc;

use clr::cx::{EvalCx, Frame, Unfinished};
use clr::exception::Exception;
use clr::slot::Cell;
use clr::value::{Cursor, Value};

use super::statements::{self, Flow};
use super::{Outcome, convert, eval, truth};
use crate::ir::{Body, Code};
use crate::steps::{Step, Steps};

/// What a function with `yield` returns.
pub(crate) fn sequence(
    code: &Arc<Code>,
    captured: &[(u32, Arc<Cell>)],
    args: &[Value],
    cx: &mut EvalCx<'_>,
) -> Outcome {
    let Body::Iterator(steps) = &code.body else { return Ok(Value::Null) };
    let (element, is_enumerator) = (steps.element, steps.is_enumerator);
    let (code, captured, args) = (Arc::clone(code), captured.to_vec(), args.to_vec());
    let items = Value::sequence(element, move |cx| {
        let base = super::closure::enter(&code, &captured, &args, cx);
        let frame = cx.suspend(base);
        Ok(Box::new(Machine {
            code: Arc::clone(&code),
            frame,
            at: 0,
            cursors: Vec::new(),
            tries: Vec::new(),
            finishing: Vec::new(),
            unfinished: Some(cx.unfinished()),
        }))
    });
    if is_enumerator {
        return corelib::collections::enumerator::enumerator(&items, element, cx);
    }
    Ok(items)
}

/// An enumeration under way.
struct Machine {
    code: Arc<Code>,
    frame: Frame,
    at: usize,
    cursors: Vec<Option<Box<dyn Cursor>>>,
    /// The `try` blocks under way: where each begins, and where its `finally` does.
    tries: Vec<(usize, usize)>,
    /// What goes on behind the `finally` blocks under way.
    finishing: Vec<Then>,
    /// Where a machine that is let go leaves its `finally` blocks; none once it is at its end.
    unfinished: Option<Arc<Unfinished>>,
}

/// What goes on behind a `finally` block.
enum Then {
    Next,
    Jump(usize),
    Throw(Exception),
    End,
}

impl Cursor for Machine {
    fn next(&mut self, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        if self.unfinished.is_none() {
            return Ok(None);
        }
        let result = self.go_on(cx);
        if !matches!(result, Ok(Some(_))) {
            self.unfinished = None;
        }
        result
    }
}

impl Machine {
    fn go_on(&mut self, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        let code = Arc::clone(&self.code);
        let Body::Iterator(steps) = &code.body else { return Ok(None) };
        cx.deeper(code.height, |cx| {
            let base = cx.resume(std::mem::take(&mut self.frame));
            let result = self.run(steps, base, cx);
            self.frame = cx.suspend(base);
            result
        })
    }

    /// Runs until there is an item, or the end.
    fn run(
        &mut self,
        steps: &Steps,
        base: usize,
        cx: &mut EvalCx<'_>,
    ) -> Result<Option<Value>, Exception> {
        while let Some(step) = steps.all.get(self.at) {
            cx.step()?;
            self.at += 1;
            match self.step(step, steps, base, cx) {
                Ok(None) => {}
                Ok(item) => return Ok(item),
                Err(error) if error.is_catchable() && !self.tries.is_empty() => {
                    self.leave(Then::Throw(error))?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn step(
        &mut self,
        step: &Step,
        steps: &Steps,
        base: usize,
        cx: &mut EvalCx<'_>,
    ) -> Result<Option<Value>, Exception> {
        match step {
            Step::Run(it, exits) => {
                let to = match statements::exec(it, base, cx)? {
                    Flow::Next => None,
                    Flow::Break => exits.breaks,
                    Flow::Continue => exits.continues,
                    Flow::Goto(id) => {
                        steps.places.iter().find(|(own, _)| *own == id).map(|(_, at)| *at)
                    }
                    Flow::Return(_) => Some(steps.all.len() - 1),
                };
                to.map_or(Ok(()), |to| self.leave(Then::Jump(to)))?;
            }
            Step::Jump(to) => self.at = *to,
            Step::Unless(condition, to) => {
                if !truth(condition, base, cx)? {
                    self.at = *to;
                }
            }
            Step::Fresh(cells) => cells.iter().for_each(|it| cx.fresh_cell(base, *it)),
            Step::Yield(node) => return eval(node, base, cx).map(Some),
            Step::End => self.leave(Then::End)?,
            Step::Start { cursor, source, item, span } => {
                let source = eval(source, base, cx)?;
                let started = source.cursor_of(*item, cx).map_err(|it| it.at(span.range()))?;
                if self.cursors.len() <= *cursor {
                    self.cursors.resize_with(steps.cursors, || None);
                }
                if let Some(it) = self.cursors.get_mut(*cursor) {
                    *it = Some(started);
                }
            }
            Step::Next { cursor, slot, captured, conversion, exit } => {
                let Some(own) = self.cursors.get_mut(*cursor) else { return Ok(None) };
                let item = own.as_mut().map_or(Ok(None), |it| it.next(cx))?;
                let Some(item) = item else {
                    *own = None;
                    self.at = *exit;
                    return Ok(None);
                };
                let item = match conversion {
                    Some(conversion) => convert::convert(conversion, item, cx)?,
                    None => item,
                };
                if *captured {
                    cx.fresh_cell(base, *slot);
                }
                cx.store(base, *slot, item);
            }
            Step::Switch(it, places) => {
                let chosen = statements::choose(it, base, cx)?;
                let at = chosen.unwrap_or(places.len().saturating_sub(1));
                self.at = places.get(at).copied().unwrap_or(self.at);
            }
            Step::Try { end } => self.tries.push((self.at - 1, *end)),
            Step::EndFinally => match self.finishing.pop() {
                // The block came to its end by itself.
                None | Some(Then::Next) => {}
                Some(then) => self.leave(then)?,
            },
        }
        // A `finally` block that is reached from its `try` block has nothing to go on with.
        while let Some((_, end)) = self.tries.last().copied()
            && self.at == end
        {
            self.tries.pop();
            self.finishing.push(Then::Next);
        }
        Ok(None)
    }

    /// Leaves for somewhere else: through the `finally` blocks in between.
    fn leave(&mut self, then: Then) -> Result<(), Exception> {
        if let Some((start, end)) = self.tries.last().copied() {
            let stays = matches!(then, Then::Jump(to) if start < to && to <= end);
            if !stays {
                self.tries.pop();
                self.at = end;
                self.finishing.push(then);
                return Ok(());
            }
        }
        match then {
            Then::Next => {}
            Then::Jump(to) => self.at = to,
            Then::Throw(error) => return Err(error),
            Then::End => self.at = usize::MAX,
        }
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let Some(unfinished) = self.unfinished.take().filter(|_| !self.tries.is_empty()) else {
            return;
        };
        let mut rest = Self {
            code: Arc::clone(&self.code),
            frame: std::mem::take(&mut self.frame),
            at: self.at,
            cursors: std::mem::take(&mut self.cursors),
            tries: std::mem::take(&mut self.tries),
            finishing: std::mem::take(&mut self.finishing),
            unfinished: None,
        };
        unfinished.leave(Box::new(move |cx| {
            rest.leave(Then::End)?;
            rest.go_on(cx).map(drop)
        }));
    }
}

#[cfg(test)]
mod tests {
    use crate::bind::tests::beyond;

    #[test]
    fn items_are_made_when_they_are_asked_for() {
        beyond(&[
            (
                "IEnumerable<int> F() { yield return 1; yield return 2; yield break; } return F().Sum();",
                "Int32: 3",
            ),
            (
                "IEnumerable<int> Fib() { int a = 0, b = 1; while (true) { yield return a; var t = a + b; a = b; b = t; } } return string.Join(\",\", Fib().Skip(5).Take(3));",
                "String: 5,8,13",
            ),
            (
                "int n = 0; IEnumerable<int> F() { n++; yield return n; n += 10; yield return n; } var q = F(); var a = n; q.First(); return a + \"|\" + n;",
                "String: 0|1",
            ),
            (
                "IEnumerable<string> F(int[] xs) { foreach (var x in xs) { switch (x) { case 1: yield return \"a\"; break; case 2: continue; default: yield return \"z\"; break; } yield return \"-\"; } } return string.Concat(F(new[] {1, 2, 3}));",
                "String: a-z-",
            ),
        ]);
    }

    #[test]
    fn a_finally_block_runs_when_the_enumeration_ends_early() {
        beyond(&[
            (
                "string s = \"\"; IEnumerable<int> F() { try { yield return 1; yield return 2; } finally { s += \"f\"; } } foreach (var x in F()) { s += x; break; } return s;",
                "String: 1f",
            ),
            (
                "string s = \"\"; IEnumerable<int> F() { try { yield return 1; s += \"x\"; yield return 2; } finally { s += \"f\"; } } var a = F().First(); return s + a;",
                "String: f1",
            ),
            (
                "string s = \"\"; IEnumerable<int> F() { try { yield return 1; throw new Exception(\"e\"); } finally { s += \"f\"; } } try { foreach (var x in F()) s += x; } catch (Exception e) { s += e.Message; } return s;",
                "String: 1fe",
            ),
        ]);
    }
}
