//! Statements.

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::value::Value;
use corelib::language::ExceptionObject;

use super::{Outcome, convert, eval, truth};
use crate::ir::{Catch, Foreach, Labels, Node, Stmt, Switch, Try};

/// Where control goes after a statement.
#[derive(Debug)]
pub(crate) enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
    /// To a label.
    Goto(u32),
}

type Done = Result<Flow, Exception>;

/// Runs statements until one of them leaves.
pub(crate) fn exec_all(all: &[Stmt], base: usize, cx: &mut EvalCx<'_>) -> Done {
    for it in all {
        match exec(it, base, cx)? {
            Flow::Next => {}
            leaving => return Ok(leaving),
        }
    }
    Ok(Flow::Next)
}

pub(crate) fn exec(stmt: &Stmt, base: usize, cx: &mut EvalCx<'_>) -> Done {
    match stmt {
        Stmt::Expression(node) => {
            eval(node, base, cx)?;
        }
        Stmt::Block(all) => return exec_all(all, base, cx),
        Stmt::Scope(cells, all) => {
            fresh(cells, base, cx);
            return exec_all(all, base, cx);
        }
        Stmt::If(condition, then, otherwise) => {
            if truth(condition, base, cx)? {
                return exec(then, base, cx);
            }
            if let Some(otherwise) = otherwise {
                return exec(otherwise, base, cx);
            }
        }
        Stmt::While(condition, body) => {
            while truth(condition, base, cx)? {
                cx.step()?;
                match exec(body, base, cx)? {
                    Flow::Break => break,
                    Flow::Next | Flow::Continue => {}
                    leaving => return Ok(leaving),
                }
            }
        }
        Stmt::Do(body, condition) => loop {
            cx.step()?;
            match exec(body, base, cx)? {
                Flow::Break => break,
                Flow::Next | Flow::Continue => {}
                leaving => return Ok(leaving),
            }
            if !truth(condition, base, cx)? {
                break;
            }
        },
        Stmt::For { init, condition, step, body } => {
            return exec_for(init, condition.as_ref(), step, body, base, cx);
        }
        Stmt::Foreach(it) => return exec_foreach(it, base, cx),
        Stmt::Switch(it) => return exec_switch(it, base, cx),
        Stmt::Break => return Ok(Flow::Break),
        Stmt::Continue => return Ok(Flow::Continue),
        Stmt::Return(None) => return Ok(Flow::Return(Value::Null)),
        Stmt::Return(Some(node)) => return eval(node, base, cx).map(Flow::Return),
        Stmt::Throw(node, span) => {
            let value = eval(node, base, cx)?;
            return Err(thrown(&value).at(span.range()));
        }
        Stmt::Rethrow(slot) => return Err(thrown(&cx.load(base, *slot))),
        Stmt::Try(it) => return exec_try(it, base, cx),
        Stmt::Using(slot, body) => {
            let result = exec(body, base, cx);
            let resource = cx.load(base, *slot);
            dispose(&resource, cx)?;
            return result;
        }
        Stmt::Labels(it) => return exec_labels(it, base, cx),
        Stmt::Goto(label) => return Ok(Flow::Goto(*label)),
        // Laid out as steps: see `crate::steps`.
        Stmt::Yield(_) => {}
        Stmt::Settled(inner) => {
            let result = exec(inner, base, cx);
            cx.settle()?;
            return result;
        }
    }
    Ok(Flow::Next)
}

/// Runs statements with labels: a `goto` to one of them goes on there.
#[inline(never)]
fn exec_labels(it: &Labels, base: usize, cx: &mut EvalCx<'_>) -> Done {
    let mut at = 0;
    loop {
        let leaving = exec_all(it.statements.get(at..).unwrap_or_default(), base, cx)?;
        let Flow::Goto(label) = leaving else { return Ok(leaving) };
        let Some((_, place)) = it.places.iter().find(|(own, _)| *own == label) else {
            return Ok(leaving);
        };
        cx.step()?;
        at = *place;
    }
}

fn fresh(cells: &[u32], base: usize, cx: &mut EvalCx<'_>) {
    for slot in cells {
        cx.fresh_cell(base, *slot);
    }
}

fn exec_for(
    init: &[Stmt],
    condition: Option<&Node>,
    step: &[Node],
    body: &Stmt,
    base: usize,
    cx: &mut EvalCx<'_>,
) -> Done {
    exec_all(init, base, cx)?;
    loop {
        cx.step()?;
        if let Some(condition) = condition
            && !truth(condition, base, cx)?
        {
            break;
        }
        match exec(body, base, cx)? {
            Flow::Break => break,
            Flow::Next | Flow::Continue => {}
            leaving => return Ok(leaving),
        }
        for it in step {
            eval(it, base, cx)?;
        }
    }
    Ok(Flow::Next)
}

fn exec_foreach(it: &Foreach, base: usize, cx: &mut EvalCx<'_>) -> Done {
    let source = eval(&it.source, base, cx)?;
    let mut cursor = source.cursor_of(it.item, cx).map_err(|error| error.at(it.span.range()))?;
    while let Some(item) = cursor.next(cx)? {
        cx.step()?;
        let item = match &it.conversion {
            Some(conversion) => {
                convert::convert(conversion, item, cx).map_err(|error| error.at(it.span.range()))?
            }
            None => item,
        };
        if it.captured {
            cx.fresh_cell(base, it.slot);
        }
        cx.store(base, it.slot, item);
        match exec(&it.body, base, cx)? {
            Flow::Break => break,
            Flow::Next | Flow::Continue => {}
            leaving => return Ok(leaving),
        }
    }
    Ok(Flow::Next)
}

fn exec_switch(it: &Switch, base: usize, cx: &mut EvalCx<'_>) -> Done {
    let mut chosen = choose(it, base, cx)?;
    loop {
        let Some(section) = chosen.and_then(|at| it.sections.get(at)) else {
            return Ok(Flow::Next);
        };
        match exec_all(section, base, cx)? {
            Flow::Break => return Ok(Flow::Next),
            Flow::Goto(label) => match it.gotos.iter().find(|(own, _)| *own == label) {
                Some((_, section)) => {
                    cx.step()?;
                    chosen = Some(*section);
                }
                None => return Ok(Flow::Goto(label)),
            },
            other => return Ok(other),
        }
    }
}

/// The section of a `switch` that fits its value.
pub(crate) fn choose(
    it: &Switch,
    base: usize,
    cx: &mut EvalCx<'_>,
) -> Result<Option<usize>, Exception> {
    let value = eval(&it.value, base, cx)?;
    fresh(&it.cells, base, cx);
    cx.store(base, it.slot, value);
    for (condition, section) in &it.cases {
        if truth(condition, base, cx)? {
            return Ok(Some(*section));
        }
    }
    Ok(it.default)
}

/// Runs `try`. An exception is looked at twice, as in .NET: which handler takes it is decided before
/// the `finally` blocks on the way there run. Only programs with filters can tell, so only their
/// handlers are noted with the evaluation.
fn exec_try(it: &Try, base: usize, cx: &mut EvalCx<'_>) -> Done {
    let noted = !it.catches.is_empty() && (it.filters || cx.has_handlers());
    if noted {
        let catches = Arc::clone(&it.catches);
        cx.push_handler(Arc::new(move |value, cx| choose_catch(&catches, value, base, cx)));
    }
    let tried = exec_all(&it.body, base, cx);
    if noted {
        cx.pop_handler();
    }
    let handled = match tried {
        Err(error) if error.is_catchable() => handle(&it.catches, noted, error, base, cx),
        other => other,
    };
    let Some(finally) = &it.finally else { return handled };
    let mut decided = None;
    if let Err(error) = &handled {
        if !error.is_catchable() {
            // The budget is used up: nothing of the expression runs any more.
            return handled;
        }
        if cx.has_handlers() {
            decided = cx.decide(error, &exception_object(error))?;
        }
    }
    exec_all(finally, base, cx)?;
    cx.set_decided(decided);
    handled
}

fn exception_object(error: &Exception) -> Value {
    Value::object(ExceptionObject(error.clone()))
}

/// The first handler that takes an exception; it finds it in its slot.
fn choose_catch(
    catches: &[Catch],
    value: &Value,
    base: usize,
    cx: &mut EvalCx<'_>,
) -> Result<Option<usize>, Exception> {
    for (at, it) in catches.iter().enumerate() {
        if !value.is_instance(it.ty) {
            continue;
        }
        if it.captured {
            cx.fresh_cell(base, it.slot);
        }
        cx.store(base, it.slot, value.clone());
        let matches = match &it.filter {
            None => true,
            // An exception in a filter means no.
            Some(filter) => match truth(filter, base, cx) {
                Ok(matches) => matches,
                Err(error) if error.is_catchable() => false,
                Err(error) => return Err(error),
            },
        };
        if matches {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn handle(
    catches: &[Catch],
    noted: bool,
    error: Exception,
    base: usize,
    cx: &mut EvalCx<'_>,
) -> Done {
    let chosen = match cx.decided(&error).filter(|_| noted) {
        Some(decided) => decided,
        None if catches.is_empty() => None,
        None => choose_catch(catches, &exception_object(&error), base, cx)?,
    };
    match chosen.and_then(|at| catches.get(at)) {
        Some(it) => {
            cx.set_decided(None);
            exec_all(&it.body, base, cx)
        }
        None => Err(error),
    }
}

/// The exception that a value thrown stands for.
pub(crate) fn thrown(value: &Value) -> Exception {
    match value.as_object::<ExceptionObject>() {
        Some(it) => it.0.clone(),
        None => Exception::null_reference(),
    }
}

fn dispose(resource: &Value, _cx: &mut EvalCx<'_>) -> Outcome {
    if let Value::Object(it) = resource {
        it.dispose();
    }
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use clr::exception::Kind;

    use crate::{Form, Limits, Options, compile};
    use clr::host::EmptyHost;

    #[test]
    fn a_used_up_budget_is_not_caught() {
        let limits = Limits { steps: 100, ..Limits::default() };
        let options = Options { limits, ..Options::default() };
        let source = "try { while (true) { } } catch (Exception) { return 1; } finally { }";
        let program = compile(source, Form::Statements, &options).unwrap();
        assert_eq!(program.evaluate(&EmptyHost::default()).unwrap_err().kind, Kind::Steps);
    }
}
