//! Words and signs of an expression (XPath 1.0, section 3.7).

use crate::names::{is_part, is_space, is_start};

/// One word or sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Number(f64),
    Literal(&'a str),
    /// Prefix and local name.
    Name(&'a str, &'a str),
    /// `p:*`
    Space(&'a str),
    /// `*` as a name test.
    Star,
    /// `$p:name`
    Variable(&'a str, &'a str),
    /// Everything else, the operators that are names included.
    Sign(&'static str),
    End,
}

/// A token and where it begins.
pub(super) type Placed<'a> = (Token<'a>, usize);

const SIGNS: [&str; 22] = [
    "//", "::", "!=", "<=", ">=", "..", "/", "|", "+", "-", "=", "<", ">", "(", ")", "[", "]", ",",
    "@", ".", "*", "$",
];
const WORDS: [&str; 4] = ["and", "or", "mod", "div"];

/// Cuts an expression into tokens; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Placed<'_>>, (usize, String)> {
    let mut tokens: Vec<Placed<'_>> = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or("");
        let skipped = rest.len() - rest.trim_start_matches(is_space).len();
        at += skipped;
        let rest = rest.get(skipped..).unwrap_or("");
        let Some(first) = rest.chars().next() else { break };
        let (token, n_bytes) =
            token(rest, first, after_operand(&tokens)).map_err(|message| (at, message))?;
        tokens.push((token, at));
        at += n_bytes;
    }
    tokens.push((Token::End, text.len()));
    Ok(tokens)
}

/// Is what comes next an operator, because an operand came before?
fn after_operand(tokens: &[Placed<'_>]) -> bool {
    match tokens.last() {
        None => false,
        Some((Token::Sign(sign), _)) => matches!(*sign, ")" | "]" | "." | ".."),
        Some(_) => true,
    }
}

fn token(rest: &str, first: char, is_operator: bool) -> Result<(Token<'_>, usize), String> {
    let bytes = rest.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    if first.is_ascii_digit() || (first == '.' && is_digit(1)) {
        return Ok(number(rest));
    }
    if first == '"' || first == '\'' {
        let inner = rest.get(1..).unwrap_or("");
        let Some(length) = inner.find(first) else {
            return Err("the text is not closed".to_owned());
        };
        return Ok((Token::Literal(inner.get(..length).unwrap_or("")), length + 2));
    }
    if first == '$' {
        let (prefix, local, n_bytes) = name(rest.get(1..).unwrap_or(""));
        if local.is_empty() {
            return Err("`$` needs the name of a variable".to_owned());
        }
        return Ok((Token::Variable(prefix, local), n_bytes + 1));
    }
    if is_start(first) {
        if is_operator {
            let end = rest.find(|it| !is_part(it)).unwrap_or(rest.len());
            let word = rest.get(..end).unwrap_or("");
            return match WORDS.iter().find(|it| **it == word) {
                Some(word) => Ok((Token::Sign(word), end)),
                None => Err(format!("expected an operator, found `{word}`")),
            };
        }
        let (prefix, local, n_bytes) = name(rest);
        if prefix.is_empty() && rest.get(n_bytes..).is_some_and(|it| it.starts_with(":*")) {
            return Ok((Token::Space(local), n_bytes + 2));
        }
        return Ok((Token::Name(prefix, local), n_bytes));
    }
    match SIGNS.iter().find(|it| rest.starts_with(**it)) {
        Some(&"*") if !is_operator => Ok((Token::Star, 1)),
        Some(sign) => Ok((Token::Sign(sign), sign.len())),
        None => Err(format!("`{first}` may not stand here")),
    }
}

fn number(rest: &str) -> (Token<'_>, usize) {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|it: char| it.is_ascii_digit()).len();
    let mut n_bytes = digits(rest);
    if rest.as_bytes().get(n_bytes) == Some(&b'.') {
        n_bytes += 1;
        n_bytes += digits(rest.get(n_bytes..).unwrap_or(""));
    }
    let value = rest.get(..n_bytes).and_then(|it| it.parse().ok()).unwrap_or(f64::NAN);
    (Token::Number(value), n_bytes)
}

/// Prefix and local name at the beginning of a text, and their length. `a::b` is a name alone.
fn name(rest: &str) -> (&str, &str, usize) {
    let part = |text: &str| match text.chars().next() {
        Some(it) if is_start(it) => text.find(|it| !is_part(it)).unwrap_or(text.len()),
        _ => 0,
    };
    let first = part(rest);
    let after = rest.get(first..).unwrap_or("");
    let second = after.strip_prefix(':').map_or(0, part);
    let word = rest.get(..first).unwrap_or("");
    if first == 0 || second == 0 {
        return ("", word, first);
    }
    (word, after.get(1..=second).unwrap_or(""), first + 1 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        let word = |(it, _): &Placed<'_>| match it {
            Token::Number(it) => it.to_string(),
            Token::Literal(it) => format!("'{it}'"),
            Token::Name(prefix, local) => format!("{prefix}:{local}"),
            Token::Space(prefix) => format!("{prefix}:*"),
            Token::Star => "star".to_owned(),
            Token::Variable(_, local) => format!("${local}"),
            Token::Sign(sign) => format!("[{sign}]"),
            Token::End => String::new(),
        };
        match tokens(text) {
            Ok(all) => all.iter().map(word).collect::<Vec<_>>().join(" ").trim_end().to_owned(),
            Err((at, message)) => format!("{at}: {message}"),
        }
    }

    #[test]
    fn words_that_are_operators_are_told_from_names() {
        for (text, expected) in [
            ("a * b", ":a [*] :b"),
            ("* * *", "star [*] star"),
            ("div div mod", ":div [div] :mod"),
            ("a and-b", "2: expected an operator, found `and-b`"),
            ("@* | p:* | a:b", "[@] star [|] p:* [|] a:b"),
            ("child::a[1]", ":child [::] :a [[] 1 []]"),
            (".5 + 1. + 2.50", "0.5 [+] 1 [+] 2.5"),
            ("'a\"' = \"b\"", "'a\"' [=] 'b'"),
            ("$p:v-1 -1", "$v-1 [-] 1"),
            ("../..//.", "[..] [/] [..] [//] [.]"),
            ("'x", "0: the text is not closed"),
            ("a ! b", "2: `!` may not stand here"),
            ("$1", "0: `$` needs the name of a variable"),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
