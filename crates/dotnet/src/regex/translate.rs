//! Reading a .NET pattern and writing it for the engine.
//!
//! Two passes over the same text: the first finds the groups and gives them .NET's numbers
//! (unnamed ones first, then named ones), the second writes. The engine's own groups are numbered
//! by their opening parenthesis; [`Group::slots`] says which of them make up a group of .NET.

use super::class::{class, literal, property, shorthand};
use super::cursor::Cursor;
use super::escape::char_escape;
use super::groups::{Group, Opened, number_groups};
use super::{Fault, Options};

/// A pattern for the engine.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) pattern: String,
    /// In the order of their numbers, the whole match first.
    pub(super) groups: Vec<Group>,
}

/// Patterns longer than this are refused.
const MAX_PATTERN: usize = 32 * 1024;

/// Translates a pattern.
///
/// # Errors
///
/// `ArgumentException` of a wrong pattern, and of one that this engine cannot run.
pub(super) fn translate(pattern: &str, options: Options) -> Result<Translated, Fault> {
    if pattern.len() > MAX_PATTERN {
        return Err(Fault::limit(format!("regular expression is longer than {MAX_PATTERN} bytes")));
    }
    if options.has(Options::RIGHT_TO_LEFT) {
        return Err(Fault::argument("RegexOptions.RightToLeft is not supported by this gateway"));
    }
    let mut first = Translator::new(pattern, options, None);
    first.run()?;
    let groups = number_groups(&first.opened);
    let mut second = Translator::new(pattern, options, Some(&groups));
    second.run()?;
    let flag = if options.has(Options::IGNORE_CASE) { "(?i)" } else { "" };
    Ok(Translated { pattern: format!("{flag}{}", second.out), groups })
}

/// One pass over a pattern.
pub(super) struct Translator<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) options: Options,
    /// In the second pass: what the groups are.
    pub(super) groups: Option<&'a [Group]>,
    pub(super) opened: Vec<Opened>,
    pub(super) out: String,
    pub(super) depth: usize,
}

impl<'a> Translator<'a> {
    fn new(pattern: &'a str, options: Options, groups: Option<&'a [Group]>) -> Self {
        let cursor = Cursor::new(pattern);
        Self { cursor, options, groups, opened: Vec::new(), out: String::new(), depth: 0 }
    }

    fn run(&mut self) -> Result<(), Fault> {
        self.alternatives()?;
        if self.cursor.peek().is_some() {
            return Err(self.cursor.error("Too many )'s."));
        }
        Ok(())
    }

    pub(super) fn has(&self, option: Options) -> bool {
        self.options.has(option)
    }

    /// Reads up to a closing parenthesis or the end; gives the number of `|`.
    pub(super) fn alternatives(&mut self) -> Result<usize, Fault> {
        let mut n_bars = 0;
        loop {
            self.skip_blank()?;
            match self.cursor.peek() {
                None | Some(')') => return Ok(n_bars),
                Some('|') => {
                    self.cursor.next();
                    self.out.push('|');
                    n_bars += 1;
                }
                Some(it) => {
                    let start = self.out.len();
                    let quantifiable = self.atom(it)?;
                    self.quantifier(start, quantifiable)?;
                }
            }
        }
    }

    /// Skips comments, and white space if `x` is on.
    fn skip_blank(&mut self) -> Result<(), Fault> {
        loop {
            if self.cursor.take_text("(?#") {
                loop {
                    match self.cursor.next() {
                        Some(')') => break,
                        Some(_) => {}
                        None => return Err(self.cursor.error("Unterminated (?#...) comment.")),
                    }
                }
                continue;
            }
            match self.cursor.peek() {
                Some(it) if self.has(Options::IGNORE_PATTERN_WHITESPACE) => {
                    if it.is_whitespace() {
                        self.cursor.next();
                    } else if it == '#' {
                        while self.cursor.next().is_some_and(|it| it != '\n') {}
                    } else {
                        return Ok(());
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// Reads one atom; false if nothing may repeat it.
    fn atom(&mut self, it: char) -> Result<bool, Fault> {
        if matches!(it, '*' | '+' | '?') || (it == '{' && self.at_quantifier()) {
            return Err(self.cursor.error("Quantifier {x,y} following nothing."));
        }
        self.cursor.next();
        match it {
            '(' => return self.group(),
            '[' => {
                let ecma = self.has(Options::ECMA_SCRIPT);
                let set = class(&mut self.cursor, ecma, 0)?;
                self.out.push_str(&set);
            }
            '\\' => self.backslash()?,
            '.' => {
                self.out.push_str(if self.has(Options::SINGLELINE) { r"(?s:.)" } else { r"[^\n]" })
            }
            '^' => self.out.push_str(if self.has(Options::MULTILINE) { "(?m:^)" } else { r"\A" }),
            '$' => self.out.push_str(if self.has(Options::MULTILINE) {
                "(?m:$)"
            } else {
                r"(?=\n?\z)"
            }),
            other => literal(&mut self.out, other),
        }
        Ok(true)
    }

    fn backslash(&mut self) -> Result<(), Fault> {
        let Some(it) = self.cursor.peek() else {
            return Err(self.cursor.error("Illegal \\ at end of pattern."));
        };
        let ecma = self.has(Options::ECMA_SCRIPT);
        match it {
            'A' | 'z' | 'G' => {
                self.out.push('\\');
                self.out.push(it);
            }
            'Z' => self.out.push_str(r"(?=\n?\z)"),
            // Word borders with .NET's word characters.
            'b' | 'B' => {
                let word = shorthand('w', ecma).unwrap_or("");
                let (behind, ahead) = (format!("(?<=[{word}])"), format!("(?=[{word}])"));
                let (not_behind, not_ahead) = (format!("(?<![{word}])"), format!("(?![{word}])"));
                let border = if it == 'b' {
                    format!("(?:{behind}{not_ahead}|{not_behind}{ahead})")
                } else {
                    format!("(?:{behind}{ahead}|{not_behind}{not_ahead})")
                };
                self.out.push_str(if ecma || self.plain_borders() {
                    if it == 'b' { r"\b" } else { r"\B" }
                } else {
                    &border
                });
            }
            'w' | 'd' | 's' | 'W' | 'D' | 'S' => {
                let set = shorthand(it, ecma).unwrap_or("");
                let hat = if it.is_ascii_uppercase() { "^" } else { "" };
                self.out.push_str(&format!("[{hat}{set}]"));
            }
            'p' | 'P' => {
                self.cursor.next();
                let set = property(&mut self.cursor)?;
                let hat = if it == 'P' { "^" } else { "" };
                self.out.push_str(&format!("[{hat}{set}]"));
                return Ok(());
            }
            'k' => {
                self.cursor.next();
                return self.named_reference();
            }
            '<' | '\'' => {
                let before = self.cursor.position();
                if self.named_reference().is_ok() {
                    return Ok(());
                }
                self.cursor.seek(before + 1);
                literal(&mut self.out, it);
                return Ok(());
            }
            '1'..='9' => return self.numbered_reference(),
            _ => {
                let it = char_escape(&mut self.cursor)?;
                literal(&mut self.out, it);
                return Ok(());
            }
        }
        self.cursor.next();
        Ok(())
    }

    /// The engine's `\b` uses a wider set of word characters than .NET's; they differ for few
    /// marks and joiners only, and the engine's is much faster.
    fn plain_borders(&self) -> bool {
        true
    }

    fn named_reference(&mut self) -> Result<(), Fault> {
        let close = match self.cursor.next() {
            Some('<') => '>',
            Some('\'') => '\'',
            _ => return Err(self.cursor.error("Malformed \\k<...> named back reference.")),
        };
        let name = self.cursor.word();
        if name.is_empty() || !self.cursor.take(close) {
            return Err(self.cursor.error("Malformed \\k<...> named back reference."));
        }
        match name.parse::<u32>() {
            Ok(number) => self.reference(|it| it.number == number, name),
            Err(_) => self.reference(|it| it.name == name, name),
        }
    }

    fn numbered_reference(&mut self) -> Result<(), Fault> {
        let before = self.cursor.position();
        let number = self.cursor.number().unwrap_or(u32::MAX);
        let is_group = |groups: &[Group]| groups.iter().any(|it| it.number == number);
        if number > 9 && self.groups.is_some_and(|groups| !is_group(groups)) {
            self.cursor.seek(before);
            let it = char_escape(&mut self.cursor)?;
            literal(&mut self.out, it);
            return Ok(());
        }
        self.reference(|it| it.number == number, &number.to_string())
    }

    fn reference(&mut self, is_it: impl Fn(&Group) -> bool, name: &str) -> Result<(), Fault> {
        let Some(groups) = self.groups else { return Ok(()) };
        let Some(group) = groups.iter().find(|it| is_it(it)) else {
            let what = if name.bytes().all(|it| it.is_ascii_digit()) {
                format!("Reference to undefined group number {name}.")
            } else {
                format!("Reference to undefined group name {name}.")
            };
            return Err(self.cursor.error(&what));
        };
        // The group that captured last wins; that is nearly always the last one that is set.
        let slots: Vec<String> = group.slots.iter().rev().map(|it| format!(r"\{it}")).collect();
        self.out.push_str(&format!("(?:{})", slots.join("|")));
        Ok(())
    }

    fn at_quantifier(&self) -> bool {
        let rest = self.cursor.rest();
        let Some(inner) = rest.strip_prefix('{').and_then(|it| it.split_once('}')) else {
            return false;
        };
        let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        match inner.0.split_once(',') {
            None => is_number(inner.0),
            Some((low, high)) => is_number(low) && (high.is_empty() || is_number(high)),
        }
    }

    fn quantifier(&mut self, start: usize, quantifiable: bool) -> Result<(), Fault> {
        self.skip_blank()?;
        let Some(it) = self.cursor.peek() else { return Ok(()) };
        let written = match it {
            '*' | '+' | '?' => {
                self.cursor.next();
                it.to_string()
            }
            '{' if self.at_quantifier() => self.counted()?,
            _ => return Ok(()),
        };
        if !quantifiable {
            return Err(self.cursor.error("Quantifier {x,y} following nothing."));
        }
        // In a group of its own, so that what was written is one atom for the engine.
        let atom = self.out.split_off(start);
        self.out.push_str("(?:");
        self.out.push_str(&atom);
        self.out.push(')');
        self.out.push_str(&written);
        self.skip_blank()?;
        if self.cursor.take('?') {
            self.out.push('?');
        }
        self.skip_blank()?;
        match self.cursor.peek() {
            Some(it @ ('*' | '+' | '?')) => {
                self.cursor.next();
                Err(self.cursor.error(&format!("Nested quantifier '{it}'.")))
            }
            Some('{') if self.at_quantifier() => {
                self.cursor.next();
                Err(self.cursor.error("Nested quantifier '{'."))
            }
            _ => Ok(()),
        }
    }

    fn counted(&mut self) -> Result<String, Fault> {
        self.cursor.next();
        let too_large = || {
            Fault::argument("Capture group numbers must be less than or equal to Int32.MaxValue.")
        };
        let low = self.cursor.number().ok_or_else(too_large)?;
        let mut written = format!("{{{low}");
        if self.cursor.take(',') {
            written.push(',');
            if self.cursor.peek() != Some('}') {
                let high = self.cursor.number().ok_or_else(too_large)?;
                if high < low {
                    return Err(self.cursor.error("Illegal {x,y} with x > y."));
                }
                written.push_str(&high.to_string());
            }
        }
        self.cursor.take('}');
        written.push('}');
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, translate};

    #[test]
    fn wrong_patterns_are_refused_with_dotnets_words() {
        let cases = [
            ("(", "Invalid pattern '(' at offset 1. Not enough )'s."),
            (")", "Invalid pattern ')' at offset 0. Too many )'s."),
            ("[", "Unterminated [] set."),
            ("*a", "Quantifier {x,y} following nothing."),
            ("a**", "Invalid pattern 'a**' at offset 3. Nested quantifier '*'."),
            ("a++", "Nested quantifier '+'."),
            ("a{2,1}", "Illegal {x,y} with x > y."),
            (r"\q", "Unrecognized escape sequence \\q."),
            (r"(a)\2", "Reference to undefined group number 2."),
            (r"\k<n>", "Reference to undefined group name n."),
            ("(?<d-d>x)", "Balancing groups"),
            ("(?<1a>x)", "Invalid group name"),
            ("(?z)", "Unrecognized grouping construct."),
            ("a\\", "Illegal \\ at end of pattern."),
        ];
        for (pattern, message) in cases {
            let fault = translate(pattern, Options::NONE).unwrap_err();
            assert!(fault.message.contains(message), "{pattern}: {fault}");
            assert_eq!(fault.type_name, "System.ArgumentException");
        }
        assert!(translate("a", Options::RIGHT_TO_LEFT).is_err());
        assert!(translate(&"(".repeat(1000), Options::NONE).unwrap_err().limit);
        assert!(translate(&"a".repeat(40_000), Options::NONE).unwrap_err().limit);
    }
}
