//! Variables: those of templates lie in a row, those of the stylesheet are computed when they are
//! first needed.

use std::rc::Rc;
use std::sync::Arc;

use super::frame::{Capture, Frame};
use super::{Focus, Global, Run};
use crate::document::Node;
use crate::limits::Failure;
use crate::sheet::Binding;
use crate::xpath::Value;

/// Global variables that wait for each other.
const MAX_WAITING: usize = 40;

impl Run<'_> {
    pub(super) fn set_local(&mut self, place: u32, value: Value) {
        if let Some(slot) = self.locals.get_mut(self.base + place as usize) {
            *slot = value;
        }
    }

    pub(super) fn local(&self, place: u32) -> Value {
        let found = self.locals.get(self.base + place as usize);
        found.cloned().unwrap_or(Value::Boolean(false))
    }

    pub(super) fn set_global(&mut self, place: usize, value: Value) {
        if let Some(slot) = self.globals.get_mut(place) {
            *slot = Global::Done(value);
        }
    }

    /// The value of a variable or parameter of the stylesheet.
    pub(super) fn global(&mut self, place: usize) -> Result<Value, Failure> {
        match self.globals.get(place) {
            Some(Global::Done(value)) => return Ok(value.clone()),
            Some(Global::Waiting) => {}
            Some(Global::Running) => {
                let name = self.global_name(place);
                let message = format!("the variable `{name}` refers to itself");
                return Err(Failure::broken(message));
            }
            None => return Err(Failure::broken("there is no such variable")),
        }
        if let Some(slot) = self.globals.get_mut(place) {
            *slot = Global::Running;
        }
        let n_waiting = self.globals.iter().filter(|it| matches!(it, Global::Running)).count();
        if n_waiting > MAX_WAITING {
            let message = format!("more than {MAX_WAITING} global variables wait for each other");
            return Err(Failure::Limit(message));
        }
        self.compute(place)?;
        match self.globals.get(place) {
            Some(Global::Done(value)) => Ok(value.clone()),
            _ => Ok(Value::text("")),
        }
    }

    fn global_name(&self, place: usize) -> String {
        let global = self.sheet.globals.get(place);
        global.map_or(String::new(), |it| self.names.text(it.name.local).to_owned())
    }

    /// Computes a global variable beside whatever runs.
    fn compute(&mut self, place: usize) -> Result<(), Failure> {
        let Some(global) = self.sheet.globals.get(place) else { return Ok(()) };
        let given = self.given.iter().find(|(name, _)| global.is_param && *name == global.name);
        if let Some((_, text)) = given {
            let value = Value::Text(Arc::clone(text));
            self.set_global(place, value);
            return Ok(());
        }
        let focus = std::mem::replace(&mut self.focus, Focus::alone(Node::root(0)));
        let rules =
            std::mem::replace(&mut self.rules, self.sheet.modes.get(&crate::pattern::NO_MODE));
        let no_params = Rc::clone(&self.no_params);
        let params = std::mem::replace(&mut self.params, no_params);
        let (base, n_locals) = (self.base, self.locals.len());
        self.base = n_locals;
        self.locals.resize_with(n_locals + global.n_variables, || Value::Boolean(false));
        let result = match &global.binding {
            Binding::Select(expr) => self.evaluate(expr, self.focus).map(Some),
            Binding::Empty => Ok(Some(Value::text(""))),
            Binding::Content(body) => {
                let floor = self.frames.len();
                // What is below is not to be taken for the caller.
                self.frames.push(Frame::Body(&[], 0));
                self.capture(Capture::Global(place), body);
                self.drive(floor).map(|()| None)
            }
        };
        self.locals.truncate(n_locals);
        (self.focus, self.rules, self.params, self.base) = (focus, rules, params, base);
        if let Some(value) = result.map_err(|it| it.at(global.at))? {
            self.set_global(place, value);
        }
        Ok(())
    }
}
