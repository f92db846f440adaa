//! Patterns: XML Schema's regular expressions, run by .NET's rules as Azure does.
//!
//! A pattern matches a whole value; `^` and `$` are letters like others; `\i` and `\c` are those of
//! names. What .NET would read in another way is refused.
//!
//! Source: XML Schema part 2, second edition, appendix F.

use regex::{Budget, Options, Regex, Text};

/// Steps for one value.
const MAX_STEPS: u64 = 1_000_000;
const NAME_START: &str = r"_:\p{L}";
const NAME_PART: &str = r"\-._:\p{L}\p{N}\p{M}";

/// A pattern.
#[derive(Debug)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern. The error says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let translated = translate(text)?;
        let units: Vec<u16> = format!(r"\A(?:{translated})\z").encode_utf16().collect();
        let compiled = Regex::new(&units, Options::CULTURE_INVARIANT);
        compiled.map(Self).map_err(|error| format!("pattern `{text}` is not supported: {error}"))
    }

    /// Whether a value has the form. The error is a sentence that follows a name.
    pub(crate) fn matches(&self, value: &str) -> Result<bool, String> {
        let units: Vec<u16> = value.encode_utf16().collect();
        let mut budget = Budget::new(MAX_STEPS);
        let found = self.0.is_match(Text::Units(&units), 0, &mut budget);
        found.map_err(|_| "takes too long to compare with the form that it has to have".to_owned())
    }
}

fn translate(text: &str) -> Result<String, String> {
    let refused = |what: &str| Err(format!("pattern `{text}` is not supported: {what}"));
    let mut translated = String::with_capacity(text.len() + 16);
    let mut depth = 0_usize;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('i') if depth > 0 => translated.push_str(NAME_START),
                Some('c') if depth > 0 => translated.push_str(NAME_PART),
                Some('i') => translated.push_str(&format!("[{NAME_START}]")),
                Some('c') => translated.push_str(&format!("[{NAME_PART}]")),
                Some('I') if depth == 0 => translated.push_str(&format!("[^{NAME_START}]")),
                Some('C') if depth == 0 => translated.push_str(&format!("[^{NAME_PART}]")),
                Some(it) if "nrt\\|.?*+(){}-[]^sSdDwWpP".contains(it) => {
                    translated.push('\\');
                    translated.push(it);
                }
                Some('$') => translated.push_str(r"\$"),
                Some(it) => return refused(&format!(r"`\{it}`")),
                None => return refused("a backslash at the end"),
            },
            '[' => {
                depth += 1;
                translated.push('[');
                if letters.next_if_eq(&'^').is_some() {
                    translated.push('^');
                }
            }
            ']' => {
                depth = depth.saturating_sub(1);
                translated.push(']');
            }
            '^' if depth == 0 => translated.push_str(r"\^"),
            '$' if depth == 0 => translated.push_str(r"\$"),
            '(' if depth == 0 => match letters.peek() {
                Some('?') => return refused("`(?`"),
                _ => translated.push_str("(?:"),
            },
            '?' | '*' | '+' | '}' if depth == 0 => {
                translated.push(letter);
                // What .NET reads as lazy is an error there.
                if letters.peek().is_some_and(|it| "?*+".contains(*it)) {
                    return refused("a quantifier after a quantifier");
                }
            }
            _ => translated.push(letter),
        }
    }
    Ok(translated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_a_whole_value() {
        for (pattern, good, bad) in [
            ("[A-Z]{2}\\d{3}", &["AB123"][..], &["AB1234", "xAB123", "AB123\n"][..]),
            ("a|b", &["a", "b"], &["ab", ""]),
            ("\\i\\c*", &["a-1", "_x"], &["1a", "-"]),
            ("[\\i-[:]][\\c-[:]]*", &["a1"], &["a:b"]),
            ("[^a]b", &["xb"], &["ab"]),
            ("$5\\.00^", &["$5.00^"], &["5.00"]),
            ("[a-z-[aeiou]]+", &["xyz"], &["abc"]),
            ("\\p{Lu}(\\.\\p{Lu})*", &["A.B"], &["a"]),
            ("", &[""], &["a"]),
        ] {
            let it = Pattern::new(pattern).unwrap();
            good.iter().for_each(|text| assert_eq!(it.matches(text), Ok(true), "{pattern} {text}"));
            bad.iter().for_each(|text| assert_eq!(it.matches(text), Ok(false), "{pattern} {text}"));
        }
    }

    #[test]
    fn what_is_read_in_another_way_is_refused() {
        for pattern in ["(?i)a", "a*?", "a++", "\\b", "\\1", "a\\", "(", "[a"] {
            assert!(Pattern::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_explodes_is_cut_off() {
        let it = Pattern::new("(.*,){11}").unwrap();
        assert!(it.matches(&format!("{}!", "ab,a".repeat(200))).is_err());
    }
}
