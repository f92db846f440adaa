//! Character classes: `[a-z-[aeiou]]`, `\w`, `\p{Lu}`, written for the engine.

use super::Fault;
use super::blocks;
use super::cursor::Cursor;
use super::escape::char_escape;

/// How deep subtractions nest.
const MAX_DEPTH: usize = 20;

/// What `\w`, `\d` and `\s` hold; without the brackets.
pub(super) fn shorthand(letter: char, ecma: bool) -> Option<&'static str> {
    Some(match (letter.to_ascii_lowercase(), ecma) {
        ('w', false) => r"\p{L}\p{Mn}\p{Nd}\p{Pc}",
        ('w', true) => "a-zA-Z0-9_",
        ('d', false) => r"\p{Nd}",
        ('d', true) => "0-9",
        ('s', false) => r"\x{9}-\x{d}\x{85}\p{Z}",
        ('s', true) => r"\x{9}-\x{d}\x{20}",
        _ => return None,
    })
}

/// A character as the engine reads it, in a class and outside of one.
pub(super) fn literal(out: &mut String, it: char) {
    if it.is_ascii_alphanumeric() || (!it.is_ascii() && it.is_alphabetic()) {
        out.push(it);
    } else {
        out.push_str(&format!(r"\x{{{:x}}}", u32::from(it)));
    }
}

/// `\p{Name}` after the `p`: what stands inside of a class.
pub(super) fn property(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    if cursor.next() != Some('{') {
        return Err(cursor.error("Malformed \\p{X} character escape."));
    }
    let mut name = String::new();
    loop {
        match cursor.next() {
            Some('}') => break,
            Some(it) if it.is_alphanumeric() || matches!(it, '-' | '_') => name.push(it),
            _ => return Err(cursor.error("Incomplete \\p{X} character escape.")),
        }
    }
    blocks::property(&name).ok_or_else(|| cursor.error(&format!("Unknown property '{name}'.")))
}

/// Reads a class after its `[` and writes it for the engine.
pub(super) fn class(cursor: &mut Cursor<'_>, ecma: bool, depth: usize) -> Result<String, Fault> {
    if depth > MAX_DEPTH {
        return Err(Fault::limit(format!(
            "regular expression subtracts more than {MAX_DEPTH} classes from each other"
        )));
    }
    let negated = cursor.take('^');
    let mut items = String::new();
    let mut subtracted = None;
    let mut first = true;
    loop {
        let Some(it) = cursor.next() else {
            return Err(cursor.error("Unterminated [] set."));
        };
        if it == ']' && !first {
            break;
        }
        if it == '-' && !first && cursor.peek() == Some('[') {
            cursor.next();
            subtracted = Some(class(cursor, ecma, depth + 1)?);
            if cursor.peek() != Some(']') {
                return Err(
                    cursor.error("A subtraction must be the last element in a character class.")
                );
            }
            continue;
        }
        first = false;
        let low = match item(cursor, it, ecma)? {
            Item::Char(low) => low,
            Item::Set(set) => {
                items.push_str(&set);
                continue;
            }
        };
        let is_range = cursor.peek() == Some('-') && cursor.peek_at(1).is_some_and(|it| it != ']');
        if !is_range {
            literal(&mut items, low);
            continue;
        }
        cursor.next();
        if cursor.peek() == Some('[') {
            // `a-[b]`: the letter, and a subtraction.
            literal(&mut items, low);
            cursor.next();
            subtracted = Some(class(cursor, ecma, depth + 1)?);
            if cursor.peek() != Some(']') {
                return Err(
                    cursor.error("A subtraction must be the last element in a character class.")
                );
            }
            continue;
        }
        let Some(next) = cursor.next() else {
            return Err(cursor.error("Unterminated [] set."));
        };
        match item(cursor, next, ecma)? {
            Item::Char(high) if high < low => {
                return Err(cursor.error("[x-y] range in reverse order."));
            }
            Item::Char(high) => {
                literal(&mut items, low);
                items.push('-');
                literal(&mut items, high);
            }
            Item::Set(_) => {
                return Err(cursor.error(&format!(
                    "Cannot include class \\{} in character range.",
                    cursor.previous().unwrap_or(next)
                )));
            }
        }
    }
    let hat = if negated { "^" } else { "" };
    Ok(match subtracted {
        None => format!("[{hat}{items}]"),
        Some(other) => format!("[[{hat}{items}]--{other}]"),
    })
}

enum Item {
    Char(char),
    Set(String),
}

fn item(cursor: &mut Cursor<'_>, it: char, ecma: bool) -> Result<Item, Fault> {
    if it != '\\' {
        return Ok(Item::Char(it));
    }
    let Some(letter) = cursor.peek() else {
        return Err(cursor.error("Illegal \\ at end of pattern."));
    };
    match letter {
        'w' | 'd' | 's' | 'W' | 'D' | 'S' => {
            cursor.next();
            let set = shorthand(letter, ecma).unwrap_or("");
            let hat = if letter.is_ascii_uppercase() { "^" } else { "" };
            Ok(Item::Set(format!("[{hat}{set}]")))
        }
        'p' | 'P' => {
            cursor.next();
            let set = property(cursor)?;
            let hat = if letter == 'P' { "^" } else { "" };
            Ok(Item::Set(format!("[{hat}{set}]")))
        }
        _ => char_escape(cursor).map(Item::Char),
    }
}

#[cfg(test)]
mod tests {
    use super::class;
    use crate::regex::cursor::Cursor;

    fn written(pattern: &str) -> String {
        let mut cursor = Cursor::new(pattern);
        match class(&mut cursor, false, 0) {
            Ok(text) => text,
            Err(fault) => fault.message,
        }
    }

    #[test]
    fn classes_are_written_for_the_engine() {
        let cases = [
            ("a-z]", "[a-z]"),
            ("^a]", "[^a]"),
            ("]a]", r"[\x{5d}a]"),
            ("a-]", r"[a\x{2d}]"),
            ("-a]", r"[\x{2d}a]"),
            (r"\d\x41]", r"[[\p{Nd}]A]"),
            (r"\b]", r"[\x{8}]"),
            ("a-z-[aeiou]]", "[[a-z]--[aeiou]]"),
            (r"\w-[\d]]", r"[[[\p{L}\p{Mn}\p{Nd}\p{Pc}]]--[[\p{Nd}]]]"),
            (r"\P{Lu}]", r"[[^\p{Lu}]]"),
            ("[:x]", r"[\x{5b}\x{3a}x]"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(written(pattern), expected, "[{pattern}");
        }
    }

    #[test]
    fn wrong_classes_are_refused() {
        assert!(written("a").contains("Unterminated [] set."));
        assert!(written("z-a]").contains("[x-y] range in reverse order."));
        assert!(written(r"\p{Xx}]").contains("Unknown property 'Xx'."));
        assert!(written("a-[b]c]").contains("A subtraction must be the last element"));
        assert!(written(&"a-[".repeat(100)).contains("subtracts more than"));
    }
}
