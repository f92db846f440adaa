//! The stylesheet element and what stands directly in it (XSLT 1.0, section 2.2).

use std::collections::HashMap;
use std::sync::Arc;

use super::declared::Declared;
use super::{Compiler, Given};
use crate::document::Kind;
use crate::names::{Atom, Key, Names, XSLT, is_space};
use crate::pattern::{NO_MODE, Pattern, Rule, Rules, patterns};
use crate::sheet::{Global, Sheet, Template};
use crate::xpath::Expr;

/// Rules with their priorities, in the order of the stylesheet.
pub(super) type RulesInOrder = HashMap<Key, Vec<(f64, Rule)>>;

impl Compiler<'_> {
    pub(super) fn stylesheet(&mut self, root: u32) -> Sheet {
        let mut sheet = Sheet {
            names: Arc::new(Names::new()),
            templates: Vec::new(),
            modes: HashMap::new(),
            globals: Vec::new(),
            keys: HashMap::new(),
            formats: HashMap::new(),
            sets: Vec::new(),
            keeps: None,
            output: crate::sheet::Output::default(),
        };
        match self.instruction(root) {
            Some("stylesheet" | "transform") => {
                self.scoped(root, |it| it.declarations(root, &mut sheet));
            }
            None => self.scoped(root, |it| it.simplified(root, &mut sheet)),
            Some(_) => {
                let message = format!(
                    "`{}` cannot be the outermost element; it must be `xsl:stylesheet` or `xsl:transform`",
                    self.tag(root)
                );
                self.problem_at(root, message);
            }
        }
        sheet
    }

    /// A literal result element as stylesheet (section 2.3).
    fn simplified(&mut self, root: u32, sheet: &mut Sheet) {
        let Some(version) = self.given_xsl(root, "version") else {
            let message = format!(
                "`{}` is no stylesheet: the outermost element must be `xsl:stylesheet` in the namespace {XSLT}, or have the attribute `xsl:version`",
                self.tag(root)
            );
            return self.problem_at(root, message);
        };
        self.set_version(version);
        let body = self.literal(root).into_iter().collect();
        sheet.templates.push(Template { body, n_variables: self.n_variables as usize });
        let pattern =
            Pattern { steps: Vec::new(), anchor: crate::pattern::Anchor::Root, priority: 0.5 };
        let rules = Rules::new(vec![(0.5, Rule { pattern, template: 0 })]);
        sheet.modes.insert(NO_MODE, rules);
    }

    pub(super) fn set_version(&mut self, version: Given<'_>) {
        let number = crate::xpath::parse_number(version.value);
        if number.is_nan() {
            self.problem_in(version, "`version` must be a number");
        }
        self.is_forwards = number != 1.0;
    }

    fn declarations(&mut self, root: u32, sheet: &mut Sheet) {
        if let Some(version) = self.required(root, "version") {
            self.set_version(version);
        }
        self.only(
            root,
            &["version", "id", "extension-element-prefixes", "exclude-result-prefixes"],
        );
        if let Some(given) = self.given(root, "exclude-result-prefixes") {
            let spaces = self.prefixes(given);
            self.excluded.extend(spaces);
        }
        if let Some(given) = self.given(root, "extension-element-prefixes") {
            let spaces = self.prefixes(given);
            self.extensions.extend(spaces.iter().copied());
            self.excluded.extend(spaces);
        }
        let children: Vec<u32> = self.top_level(root);
        self.learn(&children);
        for child in &children {
            if self.instruction(*child) == Some("namespace-alias") {
                self.scoped(*child, |it| it.alias(*child));
            }
        }
        let mut declared = Declared::default();
        let mut rules = RulesInOrder::new();
        sheet.sets.resize_with(self.sets.len(), Default::default);
        for child in children {
            self.scoped(child, |it| it.declaration(child, sheet, &mut declared, &mut rules));
        }
        sheet.modes = rules.into_iter().map(|(mode, rules)| (mode, Rules::new(rules))).collect();
        self.check_sets(sheet);
        declared.finish(sheet);
    }

    /// The elements of XSLT at the top; what else stands there is refused or passed over.
    fn top_level(&mut self, root: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let children: Vec<u32> = self.document.children(root).collect();
        for child in children {
            match self.document.kind(child) {
                Kind::Element => {}
                Kind::Text if !self.document.value(child).chars().all(is_space) => {
                    let at = self.at(child);
                    let skipped = self.document.value(child).find(|it| !is_space(it)).unwrap_or(0);
                    self.problem(
                        at + skipped..at + skipped + 1,
                        "text may not stand at the top of a stylesheet",
                    );
                    continue;
                }
                _ => continue,
            }
            let name = self.name_of(child);
            match self.names.text(name.space) {
                "" => {
                    let message = format!(
                        "the top-level element `{}` must be in a namespace",
                        self.tag(child)
                    );
                    self.problem_at(child, message);
                }
                crate::xpath::MSXSL if self.names.text(name.local) == "script" => {
                    let message = "`msxsl:script` is not supported: stylesheets run no scripts";
                    self.problem_at(child, message);
                }
                XSLT => found.push(child),
                // Data of the author, which no function can read.
                _ => {}
            }
        }
        found
    }

    /// Learns what the declarations are called.
    fn learn(&mut self, children: &[u32]) {
        let mut n_templates = 0;
        for child in children {
            let kind = self.instruction(*child).unwrap_or("").to_owned();
            if kind == "template" {
                n_templates += 1;
            }
            let is_named =
                matches!(kind.as_str(), "template" | "variable" | "param" | "attribute-set");
            if !is_named {
                continue;
            }
            let child = *child;
            self.scoped(child, |it| {
                let Some(given) = it.given(child, "name") else { return };
                let Some(key) = it.qualified(given) else { return };
                let is_new = match kind.as_str() {
                    "template" => it.named.insert(key, n_templates - 1).is_none(),
                    "attribute-set" => {
                        let next = it.sets.len();
                        it.sets.entry(key).or_insert(next);
                        true
                    }
                    _ => {
                        let next = u32::try_from(it.globals.len()).unwrap_or(u32::MAX);
                        it.globals.insert(key, next).is_none()
                    }
                };
                if !is_new {
                    let what =
                        if kind == "template" { "template" } else { "variable or parameter" };
                    it.problem_in(given, format!("the {what} `{}` is there twice", given.value));
                }
            });
        }
    }

    fn declaration(
        &mut self,
        id: u32,
        sheet: &mut Sheet,
        declared: &mut Declared,
        rules: &mut RulesInOrder,
    ) {
        let kind = self.instruction(id).unwrap_or("").to_owned();
        match kind.as_str() {
            "template" => self.template(id, sheet, rules),
            "variable" | "param" => self.global(id, sheet, kind == "param"),
            "output" => self.output(id, &mut sheet.output),
            "key" => self.key(id, sheet),
            "decimal-format" => self.decimal_format(id, sheet),
            "attribute-set" => self.attribute_set(id, sheet),
            "strip-space" => self.spaces_rule(id, declared, false),
            "preserve-space" => self.spaces_rule(id, declared, true),
            // Read before anything else was compiled.
            "namespace-alias" => {}
            "include" | "import" => {
                let message =
                    format!("`xsl:{kind}` is not supported: a stylesheet reads no other documents");
                self.problem_at(id, message);
            }
            _ if self.is_forwards => {}
            _ => {
                let message =
                    format!("`{}` may not stand at the top of a stylesheet", self.tag(id));
                self.problem_at(id, message);
            }
        }
    }

    fn template(&mut self, id: u32, sheet: &mut Sheet, rules: &mut RulesInOrder) {
        self.only(id, &["match", "name", "priority", "mode"]);
        let (matched, name) = (self.given(id, "match"), self.given(id, "name"));
        let mode = self.given(id, "mode");
        if matched.is_none() && name.is_none() {
            self.problem_at(id, "`xsl:template` needs the attribute `match` or `name`");
        }
        if matched.is_none() && (mode.is_some() || self.given(id, "priority").is_some()) {
            self.problem_at(id, "`mode` and `priority` need the attribute `match`");
        }
        let mode = match mode {
            Some(given) => self.qualified(given).unwrap_or(NO_MODE),
            None => NO_MODE,
        };
        let priority = self.given(id, "priority").and_then(|given| {
            let number = crate::xpath::parse_number(given.value);
            if number.is_nan() {
                self.problem_in(given, "`priority` must be a number");
                return None;
            }
            Some(number)
        });
        let template = sheet.templates.len();
        if let Some(given) = matched {
            let list = rules.entry(mode).or_default();
            for pattern in self.pattern(given).unwrap_or_default() {
                let priority = priority.unwrap_or(pattern.priority);
                list.push((priority, Rule { pattern, template }));
            }
        }
        self.locals.clear();
        self.n_variables = 0;
        let body = self.body_with_params(id);
        sheet.templates.push(Template { body, n_variables: self.n_variables as usize });
    }

    pub(super) fn pattern(&mut self, given: Given<'_>) -> Option<Vec<Pattern>> {
        let expr: Expr = self.expression(given)?;
        match patterns(expr) {
            Ok(patterns) => Some(patterns),
            Err(message) => {
                self.problem_in(given, format!("`{}` is no pattern: {message}", given.value));
                None
            }
        }
    }

    fn global(&mut self, id: u32, sheet: &mut Sheet, is_param: bool) {
        self.only(id, &["name", "select"]);
        let Some(given) = self.required(id, "name") else { return };
        let Some(name) = self.qualified(given) else { return };
        self.locals.clear();
        self.n_variables = 0;
        let binding = self.binding(id);
        let n_variables = self.n_variables as usize;
        sheet.globals.push(Global { name, at: self.at(id), is_param, binding, n_variables });
    }

    /// The aliases of `xsl:namespace-alias` (section 7.1.1).
    pub(super) fn alias(&mut self, id: u32) {
        self.only(id, &["stylesheet-prefix", "result-prefix"]);
        let from = self.required(id, "stylesheet-prefix");
        let to = self.required(id, "result-prefix");
        let (Some(from), Some(to)) = (from, to) else { return };
        let prefix_of = |given: Given<'_>| match given.value.trim_matches(is_space) {
            "#default" => "".to_owned(),
            other => other.to_owned(),
        };
        let Some(space) = self.space(&prefix_of(from), from) else { return };
        let Some(target) = self.space(&prefix_of(to), to) else { return };
        let prefix = self.names.atom(&prefix_of(to));
        let prefix = if target == Atom::EMPTY { Atom::EMPTY } else { prefix };
        self.aliases.insert(space, (prefix, target));
    }
}
