//! Declarations other than templates: keys, decimal formats, attribute sets, white space.

use std::collections::HashMap;

use super::Compiler;
use crate::document::{Keeps, Kind};
use crate::names::{Atom, Key, is_space};
use crate::sheet::{DecimalFormat, KeyRule, Sheet, Template, What};
use crate::xpath::Function;

/// What is collected until the end of the stylesheet.
#[derive(Debug, Default)]
pub(super) struct Declared {
    names: HashMap<Key, bool>,
    spaces: HashMap<Atom, bool>,
    others: Option<bool>,
}

impl Declared {
    pub(super) fn finish(self, sheet: &mut Sheet) {
        let is_empty = self.names.is_empty() && self.spaces.is_empty() && self.others.is_none();
        if !is_empty {
            let others = self.others.unwrap_or(true);
            sheet.keeps = Some(Keeps { names: self.names, spaces: self.spaces, others });
        }
    }
}

impl Compiler<'_> {
    /// `xsl:strip-space`, `xsl:preserve-space` (XSLT 1.0, section 3.4).
    pub(super) fn spaces_rule(&mut self, id: u32, declared: &mut Declared, keeps: bool) {
        self.only(id, &["elements"]);
        let Some(given) = self.required(id, "elements") else { return };
        for word in given.value.split(is_space).filter(|it| !it.is_empty()) {
            if word == "*" {
                declared.others = Some(keeps);
            } else if let Some(prefix) = word.strip_suffix(":*") {
                if let Some(space) = self.space(prefix, given) {
                    declared.spaces.insert(space, keeps);
                }
            } else if let Some(name) = self.qualified(super::Given { value: word, ..given }) {
                declared.names.insert(name, keeps);
            }
        }
    }

    /// `xsl:key` (section 12.2).
    pub(super) fn key(&mut self, id: u32, sheet: &mut Sheet) {
        self.only(id, &["name", "match", "use"]);
        let (name, matched) = (self.required(id, "name"), self.required(id, "match"));
        let used = self.required(id, "use");
        let (Some(name), Some(matched), Some(used)) = (name, matched, used) else { return };
        self.locals.clear();
        let name = self.qualified(name);
        let patterns = self.pattern(matched);
        let used = self.expression(used);
        let (Some(name), Some(patterns), Some(used)) = (name, patterns, used) else { return };
        let rules = sheet.keys.entry(name).or_default();
        rules.extend(patterns.into_iter().map(|pattern| KeyRule { pattern, used: used.clone() }));
    }

    /// `xsl:decimal-format` (section 12.3).
    pub(super) fn decimal_format(&mut self, id: u32, sheet: &mut Sheet) {
        self.only(
            id,
            &[
                "name",
                "decimal-separator",
                "grouping-separator",
                "infinity",
                "minus-sign",
                "NaN",
                "percent",
                "per-mille",
                "zero-digit",
                "digit",
                "pattern-separator",
            ],
        );
        let name = match self.given(id, "name") {
            Some(given) => match self.qualified(given) {
                Some(name) => name,
                None => return,
            },
            None => Key::default(),
        };
        let mut format = DecimalFormat::default();
        let mut character = |attribute: &str, into: &mut char| {
            let Some(given) = self.given(id, attribute) else { return };
            let mut characters = given.value.chars();
            match (characters.next(), characters.next()) {
                (Some(only), None) => *into = only,
                _ => self.problem_in(given, format!("`{attribute}` must be one character")),
            }
        };
        character("decimal-separator", &mut format.decimal);
        character("grouping-separator", &mut format.grouping);
        character("percent", &mut format.percent);
        character("per-mille", &mut format.per_mille);
        character("zero-digit", &mut format.zero);
        character("digit", &mut format.digit);
        character("pattern-separator", &mut format.separator);
        character("minus-sign", &mut format.minus);
        if let Some(given) = self.given(id, "infinity") {
            given.value.clone_into(&mut format.infinity);
        }
        if let Some(given) = self.given(id, "NaN") {
            given.value.clone_into(&mut format.nan);
        }
        if format.zero.to_digit(10).is_some_and(|it| it != 0) {
            self.problem_at(id, "`zero-digit` must be a digit of value zero");
        }
        let signs = [
            format.decimal,
            format.grouping,
            format.percent,
            format.per_mille,
            format.zero,
            format.digit,
            format.separator,
        ];
        let are_distinct = signs
            .iter()
            .enumerate()
            .all(|(at, it)| !signs.iter().skip(at + 1).any(|other| other == it));
        if !are_distinct {
            self.problem_at(id, "the characters of a decimal format must differ from each other");
        }
        match sheet.formats.get(&name) {
            Some(other) if *other != format => {
                self.problem_at(
                    id,
                    "a decimal format may be declared again only with the same values",
                );
            }
            _ => {
                sheet.formats.insert(name, format);
            }
        }
    }

    /// `xsl:attribute-set` (section 7.1.4).
    pub(super) fn attribute_set(&mut self, id: u32, sheet: &mut Sheet) {
        self.only(id, &["name", "use-attribute-sets"]);
        let Some(given) = self.required(id, "name") else { return };
        let Some(place) = self.qualified(given).and_then(|it| self.sets.get(&it).copied()) else {
            return;
        };
        let uses = self.used_sets(self.given(id, "use-attribute-sets"));
        self.locals.clear();
        self.n_variables = 0;
        let children: Vec<u32> = self.document.children(id).collect();
        let mut body = Vec::new();
        for child in children {
            let is_attribute = self.instruction(child) == Some("attribute");
            match self.document.kind(child) {
                Kind::Element if is_attribute => self.operations(child, &mut body),
                Kind::Element => {
                    self.problem_at(child, "an attribute set holds only `xsl:attribute`");
                }
                Kind::Text if !self.document.value(child).chars().all(is_space) => {
                    self.problem_at(id, "an attribute set holds only `xsl:attribute`");
                }
                _ => {}
            }
        }
        // Several declarations of one name are one set.
        let n_variables = self.n_variables as usize;
        if let Some(set) = sheet.sets.get_mut(place) {
            set.uses.extend(uses);
            let template: &mut Template = &mut set.template;
            template.body.extend(body);
            template.n_variables = template.n_variables.max(n_variables);
        }
        debug_assert!(sheet.sets.iter().all(|it| {
            it.template
                .body
                .iter()
                .all(|op| matches!(op.what, What::Attribute(..) | What::Unsupported(_)))
        }));
    }

    /// Refuses expressions that name keys or decimal formats which are not there.
    pub(super) fn check_references(&mut self, sheet: &Sheet) {
        for (function, key, span) in std::mem::take(&mut self.referred) {
            let (what, is_there) = match function {
                Function::Key => ("key", sheet.keys.contains_key(&key)),
                _ => ("decimal format", sheet.formats.contains_key(&key)),
            };
            if !is_there {
                let name = self.names.text(key.local).to_owned();
                self.problem(span, format!("there is no {what} `{name}`"));
            }
        }
    }

    /// Refuses attribute sets that use themselves.
    pub(super) fn check_sets(&mut self, sheet: &Sheet) {
        for start in 0..sheet.sets.len() {
            let mut reached = vec![false; sheet.sets.len()];
            let mut open = vec![start];
            while let Some(at) = open.pop() {
                for next in sheet.sets.get(at).map_or(&[][..], |it| &it.uses) {
                    if *next == start {
                        self.problem(0..0, "an attribute set uses itself");
                        return;
                    }
                    if let Some(seen) = reached.get_mut(*next)
                        && !std::mem::replace(seen, true)
                    {
                        open.push(*next);
                    }
                }
            }
        }
    }
}
