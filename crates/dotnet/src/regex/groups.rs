//! Groups: their numbers, and reading what stands in parentheses.

use super::translate::Translator;
use super::{Fault, Options};

/// Groups nest this deep at most.
const MAX_DEPTH: usize = 200;

/// A group of .NET: its number, its name and the engine's groups that capture for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) slots: Vec<usize>,
}

/// A group as it was opened: with a name, a number or neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Unnamed,
    Number(u32),
    Name(String),
}

pub(super) fn number_groups(opened: &[Opened]) -> Vec<Group> {
    let mut groups = vec![Group { number: 0, name: "0".to_owned(), slots: vec![0] }];
    let mut add = |number: u32, name: String, slot: usize| match groups
        .iter_mut()
        .find(|it| it.number == number)
    {
        Some(group) => group.slots.push(slot),
        None => groups.push(Group { number, name, slots: vec![slot] }),
    };
    let mut next = 1;
    for (at, group) in opened.iter().enumerate() {
        match group {
            Opened::Unnamed => {
                add(next, next.to_string(), at + 1);
                next += 1;
            }
            Opened::Number(number) => add(*number, number.to_string(), at + 1),
            Opened::Name(_) => {}
        }
    }
    for (at, group) in opened.iter().enumerate() {
        let Opened::Name(name) = group else { continue };
        if let Some(known) = groups.iter_mut().find(|it| it.name == *name) {
            known.slots.push(at + 1);
            continue;
        }
        while groups.iter().any(|it| it.number == next) {
            next += 1;
        }
        groups.push(Group { number: next, name: name.clone(), slots: vec![at + 1] });
    }
    groups.sort_by_key(|it| it.number);
    groups
}

impl Translator<'_> {
    /// Reads a group after its opening parenthesis; false for options, which nothing may repeat.
    pub(super) fn group(&mut self) -> Result<bool, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::limit(format!(
                "regular expression nests more than {MAX_DEPTH} groups"
            )));
        }
        let options = self.options;
        let result = self.group_inside();
        self.depth -= 1;
        match result {
            // Options without a group stay on up to the end of the group around them.
            Ok(false) => Ok(false),
            other => {
                self.options = options;
                other
            }
        }
    }

    fn group_inside(&mut self) -> Result<bool, Fault> {
        if !self.cursor.take('?') {
            return if self.has(Options::EXPLICIT_CAPTURE) {
                self.close("(?:")
            } else {
                self.opened.push(Opened::Unnamed);
                self.close("(")
            };
        }
        for start in [":", "=", "!", ">", "<=", "<!"] {
            if self.cursor.take_text(start) {
                return self.close(&format!("(?{start}"));
            }
        }
        match self.cursor.peek() {
            Some(it @ ('<' | '\'')) => {
                self.cursor.next();
                self.named_group(if it == '<' { '>' } else { '\'' })
            }
            Some('(') => self.conditional(),
            _ => self.inline_options(),
        }
    }

    fn close(&mut self, open: &str) -> Result<bool, Fault> {
        self.out.push_str(open);
        self.alternatives()?;
        if !self.cursor.take(')') {
            return Err(self.cursor.error("Not enough )'s."));
        }
        self.out.push(')');
        Ok(true)
    }

    fn named_group(&mut self, close: char) -> Result<bool, Fault> {
        let name = self.cursor.word();
        if self.cursor.peek() == Some('-') {
            return Err(self
                .cursor
                .error("Balancing groups (?<name-other>...) are not supported by this gateway."));
        }
        let starts_with_digit = name.starts_with(|it: char| it.is_ascii_digit());
        let group = match name.parse::<u32>() {
            Ok(0) => None,
            Ok(number) => Some(Opened::Number(number)),
            Err(_) if name.is_empty() || starts_with_digit => None,
            Err(_) => Some(Opened::Name(name.to_owned())),
        };
        let Some(group) = group.filter(|_| self.cursor.take(close)) else {
            return Err(self
                .cursor
                .error("Invalid group name: Group names must begin with a word character."));
        };
        self.opened.push(group);
        self.close("(")
    }

    fn conditional(&mut self) -> Result<bool, Fault> {
        self.cursor.next();
        let name = self.cursor.word();
        if name.is_empty() || !self.cursor.take(')') {
            return Err(self
                .cursor
                .error("Conditions other than on a group are not supported by this gateway."));
        }
        let mut slot = 0;
        if let Some(groups) = self.groups {
            let by_number = name.parse::<u32>().ok();
            let is_it = |it: &&Group| Some(it.number) == by_number || it.name == name;
            let Some(group) = groups.iter().find(is_it) else {
                return Err(self
                    .cursor
                    .error(&format!("(?({name}) ) reference to undefined group.")));
            };
            slot = group.slots.last().copied().unwrap_or(0);
        }
        self.out.push_str(&format!("(?({slot})"));
        if self.alternatives()? > 1 {
            return Err(self.cursor.error("Too many | in (?()|)."));
        }
        if !self.cursor.take(')') {
            return Err(self.cursor.error("Not enough )'s."));
        }
        self.out.push(')');
        Ok(true)
    }

    fn inline_options(&mut self) -> Result<bool, Fault> {
        let (mut options, mut on) = (self.options, true);
        loop {
            match self.cursor.next() {
                Some('-') => on = false,
                Some('+') => on = true,
                Some(end @ (':' | ')')) => {
                    let letter = if options.has(Options::IGNORE_CASE) { "i" } else { "-i" };
                    self.options = options;
                    if end == ':' {
                        return self.close(&format!("(?{letter}:"));
                    }
                    self.out.push_str(&format!("(?{letter})"));
                    return Ok(false);
                }
                Some(it) => match Options::of_letter(it) {
                    Some(option) => options = options.with(option, on),
                    None => return Err(self.cursor.error("Unrecognized grouping construct.")),
                },
                None => return Err(self.cursor.error("Unrecognized grouping construct.")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Group;
    use crate::regex::Options;
    use crate::regex::translate::translate;

    fn groups(pattern: &str) -> String {
        let translated = translate(pattern, Options::NONE).unwrap();
        let show = |it: &Group| format!("{}={}{:?}", it.number, it.name, it.slots);
        translated.groups.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn unnamed_groups_are_numbered_before_named_ones() {
        assert_eq!(groups("(?<a>x)(y)"), "0=0[0] 1=1[2] 2=a[1]");
        assert_eq!(groups("(?<x>a)(?<x>b)"), "0=0[0] 1=x[1, 2]");
        assert_eq!(groups("(?<5>a)(?:b)(c)(?'n'd)"), "0=0[0] 1=1[2] 2=n[3] 5=5[1]");
        assert_eq!(groups("(?n)(a)(?<b>c)"), "0=0[0] 1=b[1]");
    }
}
