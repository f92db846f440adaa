//! The instructions of XSLT, one by one.

use std::sync::Arc;

use super::{Compiler, Given};
use crate::document::Kind;
use crate::names::{Key, is_space};
use crate::pattern::{NO_MODE, Pattern};
use crate::sheet::{
    Apply, Argument, Avt, Body, Element, ForEach, Level, Numbering, Op, Sort, What,
};
use crate::xpath::{Axis, Expr, Start, Step, Test};

impl Compiler<'_> {
    /// Compiles one instruction; nothing if it is wrong.
    pub(super) fn instruction_of(&mut self, id: u32, ops: &mut Body) {
        let kind = self.instruction(id).unwrap_or("").to_owned();
        let what = match kind.as_str() {
            "value-of" => self.value_of(id),
            "apply-templates" => self.apply(id),
            "apply-imports" => self.empty(id, &[]).then_some(What::ApplyImports),
            "attribute" => {
                self.only(id, &["name", "namespace"]);
                let name = self.name_source(id, true);
                let body = self.body(id);
                name.map(|it| What::Attribute(it, body))
            }
            "call-template" => self.call(id),
            "choose" => self.choose(id),
            "comment" => {
                self.only(id, &[]);
                Some(What::Comment(self.body(id)))
            }
            "copy" => {
                self.only(id, &["use-attribute-sets"]);
                let sets = self.used_sets(self.given(id, "use-attribute-sets"));
                Some(What::Copy(sets, self.body(id)))
            }
            "copy-of" => {
                self.empty(id, &["select"]);
                self.required(id, "select").and_then(|it| self.expression(it)).map(What::CopyOf)
            }
            "element" => {
                self.only(id, &["name", "namespace", "use-attribute-sets"]);
                let name = self.name_source(id, false);
                let sets = self.used_sets(self.given(id, "use-attribute-sets"));
                let body = self.body(id);
                name.map(|name| What::Element(Box::new(Element { name, sets, body })))
            }
            "fallback" => None,
            "for-each" => self.for_each(id),
            "if" => {
                self.only(id, &["test"]);
                let test = self.required(id, "test").and_then(|it| self.expression(it));
                let body = self.body(id);
                test.map(|it| What::If(it, body))
            }
            "message" => {
                self.only(id, &["terminate"]);
                let ends = self.yes(id, "terminate").unwrap_or(false);
                Some(What::Message(self.body(id), ends))
            }
            "number" => self.number(id),
            "processing-instruction" => {
                self.only(id, &["name"]);
                let name = self.required(id, "name").map(|it| self.avt(it));
                let body = self.body(id);
                name.map(|it| What::Instruction(it, body))
            }
            "text" => self.text(id),
            "variable" => self.variable(id),
            _ => {
                return self.misplaced(id, &kind, ops);
            }
        };
        if let Some(what) = what {
            ops.push(Op { at: self.at(id), what });
        }
    }

    fn misplaced(&mut self, id: u32, kind: &str, ops: &mut Body) {
        let message = match kind {
            "param" => "`xsl:param` must come first in a template".to_owned(),
            "sort" => {
                "`xsl:sort` must come first in `xsl:for-each` or stand in `xsl:apply-templates`"
                    .to_owned()
            }
            "with-param" => {
                "`xsl:with-param` stands in `xsl:call-template` and `xsl:apply-templates`"
                    .to_owned()
            }
            "when" | "otherwise" => format!("`xsl:{kind}` stands in `xsl:choose`"),
            _ if self.is_forwards => return self.extension(id, ops),
            _ => format!("there is no instruction `{}`", self.tag(id)),
        };
        self.problem_at(id, message);
    }

    /// Checks that an instruction holds nothing.
    fn empty(&mut self, id: u32, attributes: &[&str]) -> bool {
        self.only(id, attributes);
        let has_content = self.document.children(id).any(|it| match self.document.kind(it) {
            Kind::Element => self.instruction(it) != Some("fallback"),
            Kind::Text => !self.is_stripped(it),
            _ => false,
        });
        if has_content {
            let message = format!("`{}` must be empty", self.tag(id));
            self.problem_at(id, message);
        }
        true
    }

    fn value_of(&mut self, id: u32) -> Option<What> {
        self.empty(id, &["select", "disable-output-escaping"]);
        let is_raw = self.yes(id, "disable-output-escaping").unwrap_or(false);
        let given = self.required(id, "select")?;
        self.expression(given).map(|it| What::ValueOf(it, is_raw))
    }

    fn text(&mut self, id: u32) -> Option<What> {
        self.only(id, &["disable-output-escaping"]);
        let is_raw = self.yes(id, "disable-output-escaping").unwrap_or(false);
        let mut text = String::new();
        let children: Vec<u32> = self.document.children(id).collect();
        for child in children {
            match self.document.kind(child) {
                Kind::Text => text.push_str(self.document.value(child)),
                Kind::Element => self.problem_at(child, "`xsl:text` holds text alone"),
                _ => {}
            }
        }
        (!text.is_empty()).then(|| What::Text(Arc::from(text), is_raw))
    }

    /// `xsl:variable`: known to what follows it.
    fn variable(&mut self, id: u32) -> Option<What> {
        self.only(id, &["name", "select"]);
        let binding = self.binding(id);
        let given = self.required(id, "name")?;
        let name = self.qualified(given)?;
        Some(What::Variable(self.local(name, given), binding))
    }

    /// `xsl:param` at the beginning of a template.
    pub(super) fn param(&mut self, id: u32, ops: &mut Body) {
        self.only(id, &["name", "select"]);
        let binding = self.binding(id);
        let Some(given) = self.required(id, "name") else { return };
        let Some(name) = self.qualified(given) else { return };
        let place = self.local(name, given);
        ops.push(Op { at: self.at(id), what: What::Param(place, name, binding) });
    }

    fn local(&mut self, name: Key, given: Given<'_>) -> u32 {
        if self.locals.iter().any(|(it, _)| *it == name) {
            let message = format!("the variable or parameter `{}` is there twice", given.value);
            self.problem_in(given, message);
        }
        let place = self.n_variables;
        self.n_variables += 1;
        self.locals.push((name, place));
        place
    }

    fn apply(&mut self, id: u32) -> Option<What> {
        self.only(id, &["select", "mode"]);
        let select = match self.given(id, "select") {
            Some(given) => Some(self.node_expression(given)?),
            None => None,
        };
        let mode = match self.given(id, "mode") {
            Some(given) => self.qualified(given).unwrap_or(NO_MODE),
            None => NO_MODE,
        };
        let (sorts, arguments) = self.sorts_and_arguments(id, true);
        Some(What::Apply(Box::new(Apply { select, mode, sorts, arguments })))
    }

    fn call(&mut self, id: u32) -> Option<What> {
        self.only(id, &["name"]);
        let (_, arguments) = self.sorts_and_arguments(id, false);
        let given = self.required(id, "name")?;
        let name = self.qualified(given)?;
        match self.named.get(&name) {
            Some(template) => Some(What::Call(*template, arguments)),
            None => {
                self.problem_in(given, format!("there is no template `{}`", given.value));
                None
            }
        }
    }

    fn sorts_and_arguments(&mut self, id: u32, may_sort: bool) -> (Vec<Sort>, Vec<Argument>) {
        let (mut sorts, mut arguments): (Vec<Sort>, Vec<Argument>) = (Vec::new(), Vec::new());
        let children: Vec<u32> = self.document.children(id).collect();
        for child in children {
            match self.document.kind(child) {
                Kind::Text if !self.is_stripped(child) => {
                    let message = format!("text may not stand in `{}`", self.tag(id));
                    self.problem_at(id, message);
                }
                Kind::Element => match self.instruction(child) {
                    Some("sort") if may_sort => {
                        sorts.extend(self.scoped(child, |it| it.sort(child)));
                    }
                    Some("with-param") => {
                        let argument = self.scoped(child, |it| it.argument(child));
                        if let Some(argument) = argument {
                            if arguments.iter().any(|it| it.name == argument.name) {
                                self.problem_at(child, "the parameter is given twice");
                            }
                            arguments.push(argument);
                        }
                    }
                    _ if self.is_forwards => {}
                    _ => {
                        let message =
                            format!("`{}` may not stand in `{}`", self.tag(child), self.tag(id));
                        self.problem_at(child, message);
                    }
                },
                _ => {}
            }
        }
        (sorts, arguments)
    }

    fn argument(&mut self, id: u32) -> Option<Argument> {
        self.only(id, &["name", "select"]);
        let binding = self.binding(id);
        let given = self.required(id, "name")?;
        let name = self.qualified(given)?;
        Some(Argument { name, binding })
    }

    /// `xsl:sort` (section 10).
    fn sort(&mut self, id: u32) -> Option<Sort> {
        self.empty(id, &["select", "lang", "data-type", "order", "case-order"]);
        let select = match self.given(id, "select") {
            Some(given) => self.expression(given)?,
            None => {
                let step = Step { axis: Axis::Own, test: Test::Any, predicates: Vec::new() };
                Expr::Path(Start::Context, vec![step])
            }
        };
        // Texts are ordered as the invariant culture has them, whatever the language.
        self.avt_if(id, "lang");
        Some(Sort {
            select,
            data_type: self.word_avt(id, "data-type", &["text", "number"]),
            order: self.word_avt(id, "order", &["ascending", "descending"]),
            case_order: self.word_avt(id, "case-order", &["upper-first", "lower-first"]),
        })
    }

    fn for_each(&mut self, id: u32) -> Option<What> {
        self.only(id, &["select"]);
        let select = self.required(id, "select").and_then(|it| self.node_expression(it));
        let mut sorts = Vec::new();
        let mut next = self.document.first(id);
        while let Some(child) = next {
            let is_sort = self.instruction(child) == Some("sort");
            let is_nothing = match self.document.kind(child) {
                Kind::Text => self.is_stripped(child),
                Kind::Element => false,
                _ => true,
            };
            if !is_sort && !is_nothing {
                break;
            }
            if is_sort {
                sorts.extend(self.scoped(child, |it| it.sort(child)));
            }
            next = self.document.next(child);
        }
        let body = self.content(id, next, true);
        select.map(|select| What::ForEach(Box::new(ForEach { select, sorts, body })))
    }

    fn choose(&mut self, id: u32) -> Option<What> {
        self.only(id, &[]);
        let (mut whens, mut otherwise) = (Vec::new(), None);
        let children: Vec<u32> = self.document.children(id).collect();
        for child in children {
            match (self.document.kind(child), self.instruction(child)) {
                (Kind::Element, Some("when")) if otherwise.is_none() => {
                    let when = self.scoped(child, |it| {
                        it.only(child, &["test"]);
                        let test = it.required(child, "test").and_then(|test| it.expression(test));
                        let body = it.body(child);
                        test.map(|test| (test, body))
                    });
                    whens.push(when);
                }
                (Kind::Element, Some("otherwise")) if otherwise.is_none() => {
                    otherwise = Some(self.scoped(child, |it| {
                        it.only(child, &[]);
                        it.body(child)
                    }));
                }
                (Kind::Element, _) => {
                    let message =
                        format!("`{}` may not stand here in `xsl:choose`", self.tag(child));
                    self.problem_at(child, message);
                }
                (Kind::Text, _) if !self.is_stripped(child) => {
                    self.problem_at(id, "text may not stand in `xsl:choose`");
                }
                _ => {}
            }
        }
        if whens.is_empty() {
            self.problem_at(id, "`xsl:choose` needs an `xsl:when`");
        }
        Some(What::Choose(whens.into_iter().flatten().collect(), otherwise.unwrap_or_default()))
    }

    /// `xsl:number` (section 7.7).
    fn number(&mut self, id: u32) -> Option<What> {
        self.empty(
            id,
            &[
                "level",
                "count",
                "from",
                "value",
                "format",
                "lang",
                "letter-value",
                "grouping-separator",
                "grouping-size",
            ],
        );
        let value = match self.given(id, "value") {
            Some(given) => Some(self.expression(given)?),
            None => None,
        };
        let level = match self.given(id, "level") {
            None => Level::Single,
            Some(given) => match given.value.trim_matches(is_space) {
                "single" => Level::Single,
                "multiple" => Level::Multiple,
                "any" => Level::Any,
                _ => {
                    self.problem_in(given, "`level` must be `single`, `multiple` or `any`");
                    Level::Single
                }
            },
        };
        let mut pattern = |name: &str| -> Option<Option<Vec<Pattern>>> {
            match self.given(id, name) {
                Some(given) => self.pattern(given).map(Some),
                None => Some(None),
            }
        };
        let (count, from) = (pattern("count")?, pattern("from")?);
        self.avt_if(id, "lang");
        self.word_avt(id, "letter-value", &["alphabetic", "traditional"]);
        Some(What::Number(Box::new(Numbering {
            value,
            level,
            count,
            from,
            format: self.avt_if(id, "format").unwrap_or_else(|| Avt::fixed("1")),
            separator: self.avt_if(id, "grouping-separator"),
            size: self.avt_if(id, "grouping-size"),
        })))
    }
}
