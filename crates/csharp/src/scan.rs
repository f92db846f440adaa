//! Finding the end of a policy expression in raw text.
//!
//! ```text
//! ... value="@(context.Variables["a"].As<int>() > 3)" ...
//!            ^ start                                ^ end: just past the bracket that closes `@(`
//! ```
//!
//! Policy documents hold C# unescaped, so a quote or an angle bracket says nothing about where a
//! value ends; only C# lexical rules do. Start with [`expression_end`]. The scanner knows strings
//! (regular, verbatim, interpolated with nested holes), character literals, comments and brackets,
//! and nothing else of C#. It runs in linear time and keeps its state in a stack of its own, so
//! nesting cannot overflow the thread's.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-policy-expressions>
//! and the C# 7 lexical grammar.

/// The two forms of a policy expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// `@( E )`: one C# expression.
    Expression,
    /// `@{ S; ... }`: C# statements that return a value on every path.
    Statements,
}

/// A bracket or quote that is never closed, or closed by the wrong bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{opener}` is not closed")]
pub struct Unclosed {
    /// Byte offset of the bracket or quote left open.
    pub at: usize,
    /// The character that opens it, such as `(` or `"`; `*` for a block comment.
    pub opener: char,
    /// Byte offset of the innermost bracket that was open there; equals `at` if a bracket is
    /// what was left open.
    pub bracket: usize,
    /// Byte offset at which the scan gave up: the wrong closer, the line end or the text's end.
    pub stopped: usize,
}

/// What the scanner is inside of.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// A bracket, with the closer that ends it.
    Bracket { at: usize, closer: u8 },
    /// A hole `{...}` of the interpolated string that opened at `quote`.
    Hole { at: usize, quote: usize, verbatim: bool },
}

/// Returns the byte offset just past the bracket that closes the `@(` or `@{` at `start`.
///
/// `start` is the offset of the `@`. What stands after the closing bracket is not looked at.
///
/// # Errors
///
/// [`Unclosed`] if a bracket, string, character literal or block comment is left open, if a
/// bracket is closed by one of another kind, or if no `@(` or `@{` stands at `start`.
pub fn expression_end(text: &str, start: usize) -> Result<usize, Unclosed> {
    let nothing = Unclosed { at: start, opener: '@', bracket: start, stopped: start };
    let bytes = text.as_bytes();
    if bytes.get(start) != Some(&b'@') {
        return Err(nothing);
    }
    let closer = bytes.get(start + 1).copied().and_then(closer_of).filter(|it| *it != b']');
    let frame = Frame::Bracket { at: start + 1, closer: closer.ok_or(nothing)? };
    Scanner { bytes, at: start + 2, stack: vec![frame] }.run()
}

/// Returns the byte ranges of `code` that lie inside string and character literals, quotes
/// included. Holes of interpolated strings count as code, their strings again as literals.
///
/// An unclosed literal ends at the end of `code`.
pub fn literal_ranges(code: &str) -> Vec<std::ops::Range<usize>> {
    let mut scanner = Scanner { bytes: code.as_bytes(), at: 0, stack: Vec::new() };
    let mut ranges = Vec::new();
    while let Some(byte) = scanner.peek() {
        let start = scanner.at;
        let outcome = scanner.step(byte);
        if scanner.at == start {
            scanner.at += 1;
        }
        if outcome.is_err() {
            ranges.push(start..code.len());
            break;
        }
        // Code moves one byte at a time; what moves further is a literal, a comment or `::`.
        if scanner.at > start + 1 && byte != b'/' && byte != b':' {
            ranges.push(start..scanner.at.min(code.len()));
        }
    }
    ranges
}

fn closer_of(opener: u8) -> Option<u8> {
    match opener {
        b'(' => Some(b')'),
        b'[' => Some(b']'),
        b'{' => Some(b'}'),
        _ => None,
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Frame>,
}

impl Scanner<'_> {
    fn run(mut self) -> Result<usize, Unclosed> {
        while let Some(byte) = self.peek() {
            self.step(byte)?;
            if self.stack.is_empty() {
                return Ok(self.at);
            }
        }
        let (at, opener) = self.innermost();
        Err(Unclosed { at, opener, bracket: at, stopped: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn ahead(&self, n: usize) -> Option<u8> {
        self.bytes.get(self.at + n).copied()
    }

    /// The innermost open bracket and its character.
    fn innermost(&self) -> (usize, char) {
        let at = match self.stack.last() {
            Some(Frame::Bracket { at, .. } | Frame::Hole { at, .. }) => *at,
            None => self.at,
        };
        (at, char::from(self.bytes.get(at).copied().unwrap_or(b'@')))
    }

    fn unclosed(&self, at: usize, opener: char) -> Unclosed {
        let stopped = self.at.min(self.bytes.len());
        Unclosed { at, opener, bracket: self.innermost().0, stopped }
    }

    /// Moves past one character of code, or one whole literal or comment.
    fn step(&mut self, byte: u8) -> Result<(), Unclosed> {
        match (byte, self.ahead(1), self.ahead(2)) {
            (b'/', Some(b'/'), _) => self.line_comment(),
            (b'/', Some(b'*'), _) => return self.block_comment(),
            (b'"', ..) => return self.regular(b'"', '"'),
            (b'\'', ..) => return self.regular(b'\'', '\''),
            (b'@', Some(b'"'), _) => return self.verbatim(),
            (b'$', Some(b'"'), _) => return self.interpolated(1, false),
            (b'@', Some(b'$'), Some(b'"')) | (b'$', Some(b'@'), Some(b'"')) => {
                return self.interpolated(2, true);
            }
            (b'(' | b'[' | b'{', ..) => {
                if let Some(closer) = closer_of(byte) {
                    self.stack.push(Frame::Bracket { at: self.at, closer });
                }
                self.at += 1;
            }
            (b')' | b']' | b'}', ..) => return self.close(byte),
            (b':', Some(b':'), _) => self.at += 2,
            (b':', ..) => return self.colon(),
            _ => self.at += 1,
        }
        Ok(())
    }

    fn close(&mut self, byte: u8) -> Result<(), Unclosed> {
        match self.stack.last().copied() {
            Some(Frame::Bracket { closer, .. }) if closer == byte => {
                self.stack.pop();
                self.at += 1;
                Ok(())
            }
            Some(Frame::Hole { quote, verbatim, .. }) if byte == b'}' => {
                self.stack.pop();
                self.at += 1;
                self.interpolated_text(quote, verbatim)
            }
            Some(_) => {
                let (at, opener) = self.innermost();
                Err(Unclosed { at, opener, bracket: at, stopped: self.at })
            }
            None => {
                self.at += 1;
                Ok(())
            }
        }
    }

    /// A `:` directly inside a hole starts its format text, which runs to the closing brace.
    fn colon(&mut self) -> Result<(), Unclosed> {
        self.at += 1;
        let Some(Frame::Hole { quote, verbatim, .. }) = self.stack.last().copied() else {
            return Ok(());
        };
        while let Some(byte) = self.peek() {
            match byte {
                b'}' => return Ok(()),
                b'\\' if !verbatim => self.at += 2,
                b'"' => return Err(self.unclosed(quote, '"')),
                b'\n' | b'\r' if !verbatim => return Err(self.unclosed(quote, '"')),
                _ => self.at += 1,
            }
        }
        Err(self.unclosed(quote, '"'))
    }

    fn line_comment(&mut self) {
        while self.peek().is_some_and(|it| it != b'\n' && it != b'\r') {
            self.at += 1;
        }
    }

    fn block_comment(&mut self) -> Result<(), Unclosed> {
        let start = self.at;
        self.at += 2;
        while let Some(byte) = self.peek() {
            if byte == b'*' && self.ahead(1) == Some(b'/') {
                self.at += 2;
                return Ok(());
            }
            self.at += 1;
        }
        Err(self.unclosed(start, '*'))
    }

    /// A regular string or a character literal: `\` escapes one character, no line break.
    fn regular(&mut self, quote: u8, opener: char) -> Result<(), Unclosed> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' | b'\r' => break,
                b'\\' if self.ahead(1).is_some_and(|it| it != b'\n' && it != b'\r') => self.at += 2,
                _ => {
                    self.at += 1;
                    if byte == quote {
                        return Ok(());
                    }
                }
            }
        }
        Err(self.unclosed(start, opener))
    }

    fn verbatim(&mut self) -> Result<(), Unclosed> {
        let start = self.at + 1;
        self.at += 2;
        while let Some(byte) = self.peek() {
            match (byte, self.ahead(1)) {
                (b'"', Some(b'"')) => self.at += 2,
                (b'"', _) => {
                    self.at += 1;
                    return Ok(());
                }
                _ => self.at += 1,
            }
        }
        Err(self.unclosed(start, '"'))
    }

    fn interpolated(&mut self, prefix: usize, verbatim: bool) -> Result<(), Unclosed> {
        let quote = self.at + prefix;
        self.at = quote + 1;
        self.interpolated_text(quote, verbatim)
    }

    /// The text of an interpolated string up to its end or its next hole.
    fn interpolated_text(&mut self, quote: usize, verbatim: bool) -> Result<(), Unclosed> {
        while let Some(byte) = self.peek() {
            match (byte, self.ahead(1)) {
                (b'{', Some(b'{')) | (b'}', Some(b'}')) => self.at += 2,
                (b'{', _) => {
                    self.stack.push(Frame::Hole { at: self.at, quote, verbatim });
                    self.at += 1;
                    return Ok(());
                }
                (b'"', Some(b'"')) if verbatim => self.at += 2,
                (b'"', _) => {
                    self.at += 1;
                    return Ok(());
                }
                (b'\\', Some(_)) if !verbatim => self.at += 2,
                (b'\n' | b'\r', _) if !verbatim => break,
                _ => self.at += 1,
            }
        }
        Err(self.unclosed(quote, '"'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scans from the start; returns the expression and what stands after it.
    fn split(text: &str) -> (&str, &str) {
        text.split_at(expression_end(text, 0).unwrap())
    }

    #[test]
    fn an_expression_ends_where_its_bracket_is_closed() {
        for (text, rest) in [
            ("@(1)", ""),
            ("@(1) tail", " tail"),
            ("@{ return (1 + a[2]); }\" />", "\" />"),
            (r#"@(context.Variables["a)"])" x"#, "\" x"),
            ("@(a.As<JObject>() > 3)</value>", "</value>"),
            ("@(')' + '\\'' + '\"')z", "z"),
            ("@(\"\\\")\")z", "z"),
            ("@(@\"a\"\")\\\")z", "z"),
            ("@{ // don't \" )\n return 1; }z", "z"),
            ("@{ /* \" } */ return 1; }z", "z"),
            ("@(@class)z", "z"),
            ("@(a ? b : c)z", "z"),
            ("@(global::System.Guid.NewGuid())z", "z"),
            ("@({{flag}} && true)z", "z"),
            ("@(\"\u{e9})\")\u{e9}", "\u{e9}"),
        ] {
            assert_eq!(split(text).1, rest, "{text}");
        }
    }

    #[test]
    fn holes_of_interpolated_strings_are_code() {
        for text in [
            r#"@($"token={(string)context.Variables["token"]}")"#,
            r#"@($"{{literal}} {a} }}")"#,
            r#"@($@"c:\{a[")"]} ""x"" {b}")"#,
            r#"@(@$"c:\{a}")"#,
            r#"@($"{$"{$"{x}"}"}")"#,
            r#"@($"{now:yyyy-MM-dd'T'HH:mm:ss} {(a ? "}" : b)}")"#,
            r#"@($"{x:a\:b}")"#,
            "@($@\"a\n{b:x\ny}\n\")",
        ] {
            assert_eq!(split(&format!("{text}|\"")).0, text);
        }
    }

    #[test]
    fn what_is_left_open_is_named_with_its_place() {
        let unclosed = |text: &str| {
            let error = expression_end(text, 0).unwrap_err();
            (error.at, error.opener, error.bracket)
        };
        assert_eq!(unclosed("@(a(b"), (3, '(', 3));
        assert_eq!(unclosed("@(a[b)"), (3, '[', 3));
        assert_eq!(unclosed("@{ \"abc\n }"), (3, '"', 1));
        assert_eq!(unclosed("@{ @\"abc }"), (4, '"', 1));
        assert_eq!(unclosed("@{ 'a\n }"), (3, '\'', 1));
        assert_eq!(unclosed("@{ /* }"), (3, '*', 1));
        assert_eq!(unclosed("@($\"{a\")"), (6, '"', 4));
        assert_eq!(unclosed("@($\"{a:b\")"), (3, '"', 4));
        assert_eq!(unclosed("@[1]"), (0, '@', 0));
        assert_eq!(unclosed("x"), (0, '@', 0));
        assert_eq!(unclosed(""), (0, '@', 0));
    }

    #[test]
    fn deep_nesting_needs_no_thread_stack() {
        let text = format!("@({}{})", "(".repeat(200_000), ")".repeat(200_000));
        assert_eq!(expression_end(&text, 0), Ok(text.len()));
        let holes = format!("@({}", "$\"{".repeat(200_000));
        assert!(expression_end(&holes, 0).is_err());
    }

    #[test]
    fn literals_are_told_from_code_and_comments() {
        let code = r#"a &amp; "b" /* "c" */ 'd' $"e{f + "g"}h" // "i""#;
        let literals: Vec<&str> =
            literal_ranges(code).into_iter().filter_map(|it| code.get(it)).collect();
        assert_eq!(literals, ["\"b\"", "'d'", "$\"e{", "\"g\"", "}h\""]);
    }
}
