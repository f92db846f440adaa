//! The parts of a compiled template.

use std::fmt::Debug;
use std::sync::Arc;

use dotnet::regex::Regex;

use crate::error::{At, Failed};
use crate::expr::Expr;
use crate::filters::{Args, FilterDef};
use crate::render::{Out, RenderCx};
use crate::value::Value;

/// A part of a template.
#[derive(Debug)]
pub(crate) enum Node {
    /// Text that is copied.
    Text(Box<str>),
    /// `{{ value | filters }}`.
    Output(Computed),
    /// `{% tag %}`.
    Tag(Box<dyn Tag>),
}

/// What happens after a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    /// `break`: the loop ends.
    Break,
    /// `continue`: the loop's next round begins.
    Continue,
}

/// A compiled tag.
pub(crate) trait Tag: Debug + Send + Sync {
    /// Writes what the tag stands for.
    fn render(&self, out: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed>;
}

/// A value and what filters make of it.
#[derive(Debug)]
pub(crate) struct Computed {
    /// Its byte in the template's text.
    pub(crate) at: u32,
    pub(crate) value: Expr,
    pub(crate) filters: Vec<Filter>,
}

/// A filter with its arguments.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) at: u32,
    pub(crate) filter: &'static FilterDef,
    pub(crate) args: Vec<Expr>,
    /// The pattern, if it is a literal.
    pub(crate) pattern: Option<Arc<Regex>>,
    /// Whether the name is written as Ruby does it.
    pub(crate) is_ruby: bool,
}

impl Computed {
    /// The value.
    pub(crate) fn get(&self, cx: &mut RenderCx<'_>) -> Result<Value, Failed> {
        let mut value = cx.eval(&self.value).at(self.at)?;
        for filter in &self.filters {
            value = filter.apply(value, cx)?;
        }
        Ok(value)
    }
}

impl Filter {
    fn apply(&self, input: Value, cx: &mut RenderCx<'_>) -> Result<Value, Failed> {
        let rest = self.args.iter().map(|it| cx.eval(it)).collect::<Result<Vec<_>, _>>();
        let rest = rest.at(self.at)?;
        cx.budget.looks_at(input.weight()).at(self.at)?;
        let args = Args { input, rest, pattern: self.pattern.as_ref(), is_ruby: self.is_ruby, cx };
        let made = (self.filter.apply)(args).at(self.at)?;
        cx.budget.makes(made.weight()).at(self.at)?;
        Ok(made)
    }
}
