//! Expressions and the JSON around them, evaluated.

mod azure;
mod lambda;
mod runtime;
mod special;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use document::closest;
use serde_json::{Map, Value};

pub(crate) use azure::joined;
pub(crate) use runtime::Item;

use crate::fault::{Fault, Missing};
use crate::functions::{self, kind, member};
use crate::resources::Instance;
use crate::scope::{NOTHING, Scope};
use crate::syntax::{Content, Expr, content};
use crate::template::Inputs;

/// How many parts of expressions are evaluated at most.
const STEPS: u64 = 20_000_000;
/// How many bytes all values that expressions give may have together; a loop's are counted each round.
const ALL_BYTES: usize = 512 * 1024 * 1024;
/// How deep values, parameters and functions may need each other.
const DEPTH: usize = 250;
/// How often a loop goes round at most, as in Azure.
pub(crate) const COPIES: i64 = 800;

/// What all templates of a deployment share.
pub(crate) struct World<'t> {
    pub(crate) inputs: &'t Inputs,
    /// Every resource, those of nested deployments included.
    pub(crate) instances: RefCell<Vec<Rc<Instance<'t>>>>,
    steps: Cell<u64>,
    bytes: Cell<usize>,
    depth: Cell<usize>,
}

/// Where an expression stands.
#[derive(Clone)]
pub(crate) struct Frame<'t> {
    pub(crate) scope: Rc<Scope<'t>>,
    /// Loops around it, the innermost last: name and index.
    pub(crate) copies: Vec<(String, i64)>,
    /// Variables of lambdas around it.
    locals: Vec<(String, Value)>,
    /// Within a function of the template: its arguments, which are all that it sees.
    arguments: Option<Rc<Map<String, Value>>>,
}

impl<'t> Frame<'t> {
    pub(crate) fn new(scope: &Rc<Scope<'t>>) -> Self {
        Self { scope: scope.clone(), copies: Vec::new(), locals: Vec::new(), arguments: None }
    }

    pub(crate) fn within(&self, copy: &str, index: i64) -> Self {
        let mut inner = self.clone();
        inner.copies.push((copy.to_owned(), index));
        inner
    }
}

/// Faults that were found, each with the path below the value that was asked for.
pub(crate) type Faults = Vec<(String, Fault)>;

impl<'t> World<'t> {
    pub(crate) fn new(inputs: &'t Inputs) -> Self {
        Self {
            inputs,
            instances: RefCell::default(),
            steps: Cell::new(0),
            bytes: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    /// The value of a part of a template.
    pub(crate) fn value(&self, frame: &Frame<'t>, raw: &Value) -> Result<Value, Fault> {
        let mut faults = Faults::new();
        let value = self.collect(frame, raw, "", &mut faults);
        match faults.into_iter().next() {
            Some((_, fault)) => Err(fault),
            None => Ok(value),
        }
    }

    /// The value of a part of a template, with everything that is wrong with it.
    pub(crate) fn collect(
        &self,
        frame: &Frame<'t>,
        raw: &Value,
        at: &str,
        faults: &mut Faults,
    ) -> Value {
        match raw {
            Value::String(text) => self.text(frame, text).unwrap_or_else(|fault| {
                faults.push((at.to_owned(), fault));
                Value::Null
            }),
            Value::Array(array) => {
                let items = array.iter().enumerate();
                items
                    .map(|(n, it)| self.collect(frame, it, &format!("{at}[{n}]"), faults))
                    .collect()
            }
            Value::Object(object) => self.object(frame, object, at, faults),
            other => other.clone(),
        }
    }

    fn object(
        &self,
        frame: &Frame<'t>,
        object: &Map<String, Value>,
        at: &str,
        faults: &mut Faults,
    ) -> Value {
        let mut made = Map::new();
        for (key, raw) in object {
            let at = format!("{at}.{key}");
            if key == "copy" && raw.as_array().is_some_and(|it| it.iter().all(is_loop)) {
                self.copies(frame, raw, &at, &mut made, faults);
                continue;
            }
            let key = match self.text(frame, key) {
                Ok(Value::String(key)) => key,
                Ok(other) => {
                    faults.push((at, Fault::wrong(format!("a name is {}", kind(&other)))));
                    continue;
                }
                Err(fault) => {
                    faults.push((at, fault));
                    continue;
                }
            };
            let value = self.collect(frame, raw, &at, faults);
            made.insert(key, value);
        }
        made.into()
    }

    /// Properties that a `copy` within an object makes.
    fn copies(
        &self,
        frame: &Frame<'t>,
        raw: &Value,
        at: &str,
        made: &mut Map<String, Value>,
        faults: &mut Faults,
    ) {
        for copy in raw.as_array().into_iter().flatten() {
            let name = copy.get("name").and_then(Value::as_str).unwrap_or_default();
            match self.copy(frame, copy, name) {
                Ok(value) => {
                    made.insert(name.to_owned(), value);
                }
                Err(fault) => faults.push((format!("{at}.{name}"), fault)),
            }
        }
    }

    /// The array that the loop of a name makes, if there is one.
    pub(crate) fn copied(
        &self,
        frame: &Frame<'t>,
        copies: &Value,
        name: &str,
    ) -> Option<Result<Value, Fault>> {
        let is_it = |it: &&Value| {
            it.get("name").and_then(Value::as_str).is_some_and(|it| it.eq_ignore_ascii_case(name))
        };
        copies.as_array()?.iter().find(is_it).map(|copy| self.copy(frame, copy, name))
    }

    fn copy(&self, frame: &Frame<'t>, copy: &Value, name: &str) -> Result<Value, Fault> {
        let input = copy.get("input").unwrap_or(&NOTHING);
        let indexes = 0..self.count(frame, copy)?;
        indexes.map(|index| self.value(&frame.within(name, index), input)).collect()
    }

    /// How often a loop goes round.
    pub(crate) fn count(&self, frame: &Frame<'t>, copy: &Value) -> Result<i64, Fault> {
        let count = self.value(frame, copy.get("count").unwrap_or(&NOTHING))?;
        match count.as_i64() {
            Some(count) if (0..=COPIES).contains(&count) => Ok(count),
            _ => Err(Fault::wrong(format!("a loop of {count} rounds: expected 0 to {COPIES}"))),
        }
    }

    fn text(&self, frame: &Frame<'t>, text: &str) -> Result<Value, Fault> {
        match content(text)? {
            Content::Literal(text) => Ok(text.into()),
            Content::Expression(expression) => self.expression(frame, &expression),
        }
    }

    /// The value of an expression.
    pub(crate) fn expression(&self, frame: &Frame<'t>, it: &Expr) -> Result<Value, Fault> {
        self.item(frame, it)?.into_value(self)
    }

    /// What an expression stands for: a value, or something that only a deployment knows in full.
    pub(crate) fn item(&self, frame: &Frame<'t>, it: &Expr) -> Result<Item<'t>, Fault> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS {
            return Err(Fault::wrong(format!("the template takes more than {STEPS} steps")));
        }
        if self.depth.get() > DEPTH {
            return Err(Fault::wrong("values need each other too deep"));
        }
        self.depth.set(self.depth.get() + 1);
        let item = match it {
            Expr::Text(text) => Ok(Item::Value(text.as_str().into())),
            Expr::Integer(number) => Ok(Item::Value((*number).into())),
            Expr::Member(of, name) => self.item(frame, of).and_then(|of| of.member(self, name)),
            Expr::Index(of, index) => self.item(frame, of).and_then(|of| {
                let index = self.expression(frame, index)?;
                of.index(self, &index)
            }),
            Expr::Call(name, arguments) => self.call(frame, name, arguments),
        };
        self.depth.set(self.depth.get() - 1);
        if let Ok(Item::Value(value)) = &item {
            self.charge(value)?;
        }
        item
    }

    /// Counts the bytes of a value.
    fn charge(&self, value: &Value) -> Result<(), Fault> {
        let own = functions::size(value);
        let all = self.bytes.get().saturating_add(own);
        self.bytes.set(all);
        if own > functions::MAX_BYTES {
            return Err(functions::too_large());
        }
        if all > ALL_BYTES {
            let message = format!("the template's values have more than {ALL_BYTES} bytes");
            return Err(Fault::wrong(message));
        }
        Ok(())
    }

    fn call(&self, frame: &Frame<'t>, name: &str, given: &[Expr]) -> Result<Item<'t>, Fault> {
        if let Some(item) = self.special(frame, name, given) {
            return item;
        }
        let values = || -> Result<Vec<Value>, Fault> {
            given.iter().map(|it| self.expression(frame, it)).collect()
        };
        if let Some(function) = functions::find(name) {
            return Ok(Item::Value(function.call(&values()?)?));
        }
        if let Some(function) = frame.scope.function(name) {
            return self.own(frame, name, function, values()?).map(Item::Value);
        }
        let known = functions::all().map(|it| it.name).chain(special::NAMES.iter().copied());
        let near = closest(name, known).map(|it| format!("; did you mean `{it}`?"));
        let near = near.unwrap_or_default();
        Err(Fault::wrong(format!("there is no function `{name}` here{near}")))
    }

    /// A function of the template's own: it sees its arguments, and no variables.
    fn own(
        &self,
        frame: &Frame<'t>,
        name: &str,
        function: &'t Value,
        values: Vec<Value>,
    ) -> Result<Value, Fault> {
        let declared = function.get("parameters").and_then(Value::as_array);
        let names = declared.into_iter().flatten().filter_map(|it| it.get("name")?.as_str());
        let names: Vec<&str> = names.collect();
        functions::count(name, values.len(), names.len(), names.len())?;
        let arguments = names.into_iter().map(str::to_owned).zip(values).collect();
        let mut inner = Frame::new(&frame.scope);
        inner.arguments = Some(Rc::new(arguments));
        let output = function.get("output").and_then(|it| it.get("value")).unwrap_or(&NOTHING);
        self.value(&inner, output)
    }

    /// What was given for something that only a deployment knows.
    fn given(&self, label: &str) -> Option<Value> {
        let mut values = self.inputs.values.iter();
        values.find(|(name, _)| name.eq_ignore_ascii_case(label)).map(|(_, value)| value.clone())
    }

    /// What was given for `label`, or that it is missing.
    fn known(&self, label: &str) -> Result<Value, Fault> {
        self.given(label).ok_or_else(|| Fault::Missing(Missing::Value(label.to_owned())))
    }
}

fn is_loop(it: &Value) -> bool {
    it.get("name").is_some_and(Value::is_string) && it.get("count").is_some()
}

/// A property or an item of a plain value.
fn part(of: &Value, key: &Value) -> Result<Option<Value>, Fault> {
    match (of, key) {
        (Value::Object(object), Value::String(name)) => Ok(member(object, name).cloned()),
        (Value::Array(array), Value::Number(number)) => {
            let at = number.as_u64().and_then(|it| usize::try_from(it).ok());
            Ok(at.and_then(|at| array.get(at)).cloned())
        }
        _ => Err(Fault::wrong(format!("{} has no part `{}`", kind(of), functions::display(key)))),
    }
}
