//! Attribute values and text: where they end, and how they are decoded.
//!
//! In strict XML the next quote or `<` ends a value. In the raw dialect an expression ends where
//! its bracket is closed, by the rules of C#, and a literal attribute ends at the first quote after
//! which the tag can go on.

use csharp::scan;

use crate::entity::{self, Place};
use crate::parse::Parser;
use crate::parse::tag::{holds_markup, name_len};
use crate::text::starts_expression;
use crate::tree::{Node, Quote, TextNode};
use crate::{Diagnostic, Related, SourceText, Span, codes};

impl Parser<'_> {
    /// A value of strict XML, after its opening quote.
    pub(super) fn strict_value(&mut self, name: &str, quote: Quote) -> SourceText {
        let start = self.at;
        let end = self.find(mark(quote), start).unwrap_or(self.text.len());
        let source = self.slice(start, end);
        if end == self.text.len() || source.contains('<') || entity::has_bare_ampersand(source) {
            self.value_not_closed(name, start);
        }
        self.at = (end + 1).min(self.text.len());
        let place = if starts_expression(source) { Place::Text } else { Place::Attribute };
        entity::decode(source, start, place)
    }

    /// A value of the raw dialect, after its opening quote.
    pub(super) fn raw_value(&mut self, name: &str, quote: Quote) -> SourceText {
        let start = self.at;
        if starts_expression(self.rest(start)) {
            return self.raw_expression(name, quote);
        }
        let Some(end) = self.literal_end(start, quote) else {
            return self.recover(name, quote);
        };
        let source = self.slice(start, end);
        if let Some(angle) = source.find('<') {
            if source.contains(mark(quote)) {
                return self.recover(name, quote);
            }
            let message = format!("`<` in the value of attribute `{name}`");
            self.problem(
                Diagnostic::error(
                    codes::ANGLE_IN_VALUE,
                    Span::at(start + angle).to(Span::at(start + angle + 1)),
                    message,
                )
                .label("write `&lt;`, or close the value before it"),
            );
        }
        self.at = end + 1;
        entity::decode(source, start, Place::Attribute)
    }

    fn raw_expression(&mut self, name: &str, quote: Quote) -> SourceText {
        let start = self.at;
        let at = self.skip_space(start);
        let problem = match scan::expression_end(self.text, at) {
            Ok(end) => {
                let quote_at = self.skip_space(end);
                if self.rest(quote_at).starts_with(mark(quote)) {
                    self.at = quote_at + 1;
                    return self.raw_code(start, quote_at);
                }
                self.spend(end - start);
                self.text_after(quote_at)
            }
            Err(open) => {
                self.spend(open.stopped.saturating_sub(start));
                self.not_closed_expression(name, open)
            }
        };
        let Some(end) = self.literal_end(start, quote) else {
            self.problem(problem);
            return self.recover_silently(quote);
        };
        let source = self.slice(start, end);
        self.at = end + 1;
        let decoded = entity::decode(source, start, Place::Text);
        if entity::has_reference(source) && is_one_expression(decoded.as_str()) {
            self.warn_entities(start, source);
        } else {
            self.problem(problem);
        }
        decoded
    }

    /// An unescaped expression; references outside of its literals are decoded with a warning.
    fn raw_code(&mut self, start: usize, end: usize) -> SourceText {
        let source = self.slice(start, end);
        match entity::decode_code(source, start) {
            Some(decoded) => {
                self.warn_entities(start, source);
                decoded
            }
            None => entity::plain(source, start),
        }
    }

    fn warn_entities(&mut self, start: usize, source: &str) {
        let at = start + source.find('&').unwrap_or(0);
        let message = "escaped characters in an expression of an unescaped document";
        self.problem(
            Diagnostic::warning(codes::ENTITIES_IN_EXPRESSION, at..at + 1, message)
                .label("read as the character it stands for")
                .in_expression(),
        );
    }

    /// The quote that closes the literal that starts at `start`: the first after which the tag can
    /// go on.
    fn literal_end(&mut self, start: usize, quote: Quote) -> Option<usize> {
        let mut from = start;
        while let Some(at) = self.find(mark(quote), from) {
            if self.tag_goes_on(at + 1) {
                return Some(at);
            }
            from = at + 1;
        }
        self.spend(self.text.len() - start);
        None
    }

    /// Whether `>`, `/>`, or white space and then one of these or an attribute stands at `at`.
    fn tag_goes_on(&self, at: usize) -> bool {
        let next = self.skip_space(at);
        let rest = self.rest(next);
        if rest.starts_with('>') || rest.starts_with("/>") {
            return true;
        }
        let len = name_len(rest);
        if next == at || len == 0 {
            return false;
        }
        let equals = self.skip_space(next + len);
        if self.byte(equals) != Some(b'=') {
            return false;
        }
        let value = self.rest(self.skip_space(equals + 1));
        value.starts_with(['"', '\'']) || value.starts_with("{{")
    }

    /// Reports a literal that is not closed and finds a place to read on.
    fn recover(&mut self, name: &str, quote: Quote) -> SourceText {
        self.value_not_closed(name, self.at);
        self.recover_silently(quote)
    }

    fn recover_silently(&mut self, quote: Quote) -> SourceText {
        let start = self.at;
        let rest = self.rest(start);
        let len = rest.find(['\n', '\r', '>', '<']).unwrap_or(rest.len());
        let line = self.slice(start, start + len);
        let end = start + line.rfind(mark(quote)).unwrap_or(line.trim_end_matches('/').len());
        self.at = end + usize::from(self.rest(end).starts_with(mark(quote)));
        entity::decode(self.slice(start, end), start, Place::Attribute)
    }

    fn value_not_closed(&mut self, name: &str, start: usize) {
        let message = format!("value of attribute `{name}` is not closed");
        self.problem(
            Diagnostic::error(
                codes::VALUE_NOT_CLOSED,
                Span::new(start.saturating_sub(1), start),
                message,
            )
            .label("no quote follows after which the tag goes on"),
        );
    }

    fn not_closed_expression(&self, place: &str, open: scan::Unclosed) -> Diagnostic {
        let what = match open.opener {
            '*' => "`/*` is left open".to_owned(),
            it => format!("`{it}` is left open"),
        };
        let message = format!("expression in `{place}` is not closed: {what}");
        let end = open.at + self.rest(open.at).chars().next().map_or(0, char::len_utf8);
        let problem = Diagnostic::error(codes::EXPRESSION_NOT_CLOSED, open.at..end, message)
            .label("opened here")
            .help("brackets, strings and comments are read by the rules of C#")
            .in_expression();
        if open.bracket == open.at {
            return problem;
        }
        let message =
            "this bracket is still open there, and may be what lacks its partner".to_owned();
        let span = Span::new(open.bracket, open.bracket + 1);
        problem.related(Related { file: None, span, message })
    }

    fn text_after(&self, at: usize) -> Diagnostic {
        let end = at + self.rest(at).find(['\n', '\r', '"', '\'', '<']).unwrap_or(1).max(1);
        let end = self.text.ceil_char_boundary(end.min(self.text.len()));
        Diagnostic::error(codes::TEXT_AFTER_EXPRESSION, at..end, "text after policy expression")
            .label("the expression is closed before this")
            .help("a value is a literal or one expression as a whole; check the brackets")
    }

    /// Text up to the next `<`, or one expression.
    pub(super) fn text_node(&mut self) {
        let start = self.at;
        let is_first = self.stack.last().is_some_and(|it| !it.has_content);
        if !self.is_strict() && is_first && starts_expression(self.rest(start)) {
            return self.text_expression();
        }
        // The first character may be a `<` that starts no tag.
        let first = self.rest(start).chars().next().map_or(1, char::len_utf8);
        let end = self.find("<", start + first).unwrap_or(self.text.len());
        let source = self.slice(start, end);
        if source.starts_with('<') {
            let message = "`<` starts no tag";
            self.problem(
                Diagnostic::error(codes::STRAY_ANGLE, start..start + 1, message)
                    .label("write `&lt;` for the character"),
            );
        }
        if self.is_strict() && entity::has_bare_ampersand(source) {
            self.problem(Diagnostic::error(
                codes::STRAY_ANGLE,
                start..end,
                "bare `&` in strict XML",
            ));
        }
        if self.stack.is_empty() && !source.trim().is_empty() {
            let lead = source.len() - source.trim_start().len();
            self.text_outside(Span::new(start + lead, start + lead + source.trim().len()));
        }
        self.at = end;
        let value = entity::decode(source, start, Place::Text);
        self.push(Node::Text(TextNode { value, span: Span::new(start, end) }));
    }

    fn text_expression(&mut self) {
        let start = self.at;
        let at = self.skip_space(start);
        let name = self.stack.last().map(|it| it.element.name.clone()).unwrap_or_default();
        let found = scan::expression_end(self.text, at);
        let end = match found {
            Ok(end) => self.skip_space(end),
            Err(open) => {
                self.spend(open.stopped.saturating_sub(start));
                self.find("<", start).unwrap_or(self.text.len())
            }
        };
        if found.is_ok() && (self.rest(end).starts_with('<') || end == self.text.len()) {
            let value = self.raw_code(start, end);
            self.at = end;
            return self.push(Node::Text(TextNode { value, span: Span::new(start, end) }));
        }
        let next = self.find("<", end).unwrap_or(self.text.len());
        let source = self.slice(start, next);
        let value = entity::decode(source, start, Place::Text);
        if entity::has_reference(source) && is_one_expression(value.as_str()) {
            self.warn_entities(start, source);
        } else {
            let problem = match found {
                Ok(_) => self.text_after(end),
                Err(open) => self.not_closed_expression(&name, open),
            };
            self.problem(problem);
        }
        self.at = next;
        self.push(Node::Text(TextNode { value, span: Span::new(start, next) }));
    }

    /// In an element whose content is text, tags included: takes the content as one text, unless
    /// it is an expression or holds no markup.
    pub(super) fn markup_content(&mut self) {
        let start = self.at;
        if self.no_markup_end {
            return;
        }
        let Some((end, true)) = self.markup_end(start) else { return };
        let span = Span::new(start, end);
        let value = self.markup(span);
        self.at = end;
        self.push(Node::Text(TextNode { value, span }));
    }

    /// Where the content at `start` ends, and whether it holds tags. `None` if it is an
    /// expression or has no end.
    fn markup_end(&mut self, start: usize) -> Option<(usize, bool)> {
        let name =
            self.stack.last().map(|it| it.element.name.clone()).filter(|it| holds_markup(it))?;
        let closer = format!("</{name}");
        let (mut at, mut has_markup, mut is_blank) = (start, false, true);
        loop {
            if is_blank && starts_expression(self.rest(at)) {
                return None;
            }
            let Some(angle) = self.find("<", at) else {
                self.no_markup_end = true;
                return None;
            };
            is_blank &= self.slice(at, angle).trim().is_empty();
            let rest = self.rest(angle);
            let skip = |closer: &str| rest.find(closer).map(|it| angle + it + closer.len());
            if rest.starts_with("<!--") {
                at = skip("-->").unwrap_or(self.text.len());
            } else if rest.starts_with("<![CDATA[") {
                is_blank = false;
                at = skip("]]>").unwrap_or(self.text.len());
            } else if rest.strip_prefix(&closer).is_some_and(|it| it.trim_start().starts_with('>'))
            {
                return Some((angle, has_markup));
            } else {
                (is_blank, has_markup) = (false, true);
                at = angle + 1;
            }
        }
    }
}

/// Reports the expressions of a strict document that are not closed or have text after them.
pub(super) fn check_expressions(nodes: &[Node]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for element in nodes.iter().filter_map(Node::as_element) {
        for attribute in &element.attributes {
            problems.extend(check_expression(&attribute.value, &attribute.name));
        }
        problems.extend(check_expression(&element.text(), &element.name));
        problems.extend(check_expressions(&element.children));
    }
    problems
}

fn check_expression(value: &SourceText, place: &str) -> Option<Diagnostic> {
    if !value.starts_expression() {
        return None;
    }
    let text = value.trimmed();
    match scan::expression_end(text.as_str(), 0) {
        Ok(end) if end == text.as_str().len() => None,
        Ok(end) => {
            let span = text.span_of(end..text.as_str().len());
            let message = "text after policy expression";
            Some(
                Diagnostic::error(codes::TEXT_AFTER_EXPRESSION, span, message)
                    .label("the expression is closed before this")
                    .help("a value is a literal or one expression as a whole; check the brackets"),
            )
        }
        Err(open) => {
            let span = text.span_of(open.at..open.at + 1);
            let message =
                format!("expression in `{place}` is not closed: `{}` is left open", open.opener);
            Some(
                Diagnostic::error(codes::EXPRESSION_NOT_CLOSED, span, message)
                    .label("opened here")
                    .help("brackets, strings and comments are read by the rules of C#")
                    .in_expression(),
            )
        }
    }
}

fn is_one_expression(text: &str) -> bool {
    let text = text.trim();
    scan::expression_end(text, 0) == Ok(text.len())
}

fn mark(quote: Quote) -> &'static str {
    if quote == Quote::Single { "'" } else { "\"" }
}

#[cfg(test)]
mod tests {
    use crate::{Document, Format, parse};

    fn read(text: &str) -> (Document, Vec<String>) {
        let (document, problems) = parse(text);
        assert_eq!(document.to_source(), text);
        (document, problems.iter().map(|it| it.code.to_string()).collect())
    }

    /// The value of attribute `a` or, without one, the text of the root.
    fn value(text: &str) -> String {
        let (document, problems) = read(text);
        assert_eq!(problems, [""; 0], "{text}");
        let root = document.root().unwrap();
        root.attribute("a").map_or_else(|| root.text(), |it| it.value.clone()).as_str().to_owned()
    }

    #[test]
    fn both_spellings_give_the_same_value() {
        let code = r#"@(a.As<JObject>() && b == "x")"#;
        for text in [
            format!("<x a=\"{code}\"/>"),
            format!("<x a='{code}'/>"),
            format!("<x>{code}</x>"),
            format!("<x><![CDATA[{code}]]></x>"),
            "<x a=\"@(a.As&lt;JObject&gt;() &amp;&amp; b == &quot;x&quot;)\"/>".to_owned(),
            "<x>@(a.As&lt;JObject>() &amp;&amp; b == \"x\")</x>".to_owned(),
        ] {
            assert_eq!(value(&text), code, "{text}");
        }
    }

    #[test]
    fn references_in_unescaped_expressions_stay() {
        assert_eq!(value("<x a=\"@(f(\"&lt;\"))\"/>"), "@(f(\"&lt;\"))");
        assert_eq!(value("<x a=\"a&lt;b\" b=\"@(\"\")\"/>"), "a<b");
    }

    #[test]
    fn a_mixed_expression_is_decoded_with_a_warning() {
        for (text, expected) in [
            ("<x a=\"@(p[\"q\"] &amp;&amp; r)\"/>", "@(p[\"q\"] && r)"),
            ("<x a=\"@(p == &quot;)&quot;)\" b=\"@(\"\")\"/>", "@(p == \")\")"),
            ("<x a=\"\" b=\"@(\"\")\">@(p &gt; q)</x>", ""),
        ] {
            let (document, problems) = read(text);
            assert_eq!(problems, ["PC0118"], "{text}");
            assert_eq!(document.format(), Format::RawXml);
            assert_eq!(document.root().unwrap().attribute("a").unwrap().value.as_str(), expected);
        }
    }

    #[test]
    fn literal_quotes_and_ampersands_are_content() {
        for (text, expected) in [
            (
                "<x a=\"C=US, O=\"Contoso, Inc.\", CN=*.b.c\"/>",
                "C=US, O=\"Contoso, Inc.\", CN=*.b.c",
            ),
            ("<x a=\"/v2/{n}&{o}?City=city&State=state\" />", "/v2/{n}&{o}?City=city&State=state"),
            ("<x a=\"1\" b={{c}}></x>", "1"),
            ("<x a=\"l1\r\nl2\"/>", "l1 l2"),
        ] {
            assert_eq!(value(text), expected);
        }
    }

    #[test]
    fn quotes_in_comments_do_not_matter() {
        let code = "@{ // don't say \"\n return 1; /* \" */ }";
        assert_eq!(value(&format!("<x a=\"{code}\"/>")), code);
        assert_eq!(value(&format!("<x>\r\n{code}\r\n</x>")).trim(), code);
    }

    #[test]
    fn comments_around_an_expression_are_ignored() {
        assert_eq!(value("<x><!-- <y> -->\n@(a < b)\n<!-- z --></x>").trim(), "@(a < b)");
        assert_eq!(value("<set-body><!-- c -->@(a.As<b>())</set-body>"), "@(a.As<b>())");
    }

    #[test]
    fn text_may_start_with_any_character() {
        assert_eq!(value("<x>\u{2026}</x>"), "\u{2026}");
        assert_eq!(value("<x>\u{a0}@(a < b)</x>"), "\u{a0}@(a < b)");
    }

    #[test]
    fn an_at_sign_before_anything_else_is_a_literal() {
        assert_eq!(value("<x a=\"@familyId\"/>"), "@familyId");
        assert_eq!(value("<x a=\"Bearer @(b)\"/>"), "Bearer @(b)");
        assert_eq!(value("<x a=\"@* | node()\"/>"), "@* | node()");
    }

    #[test]
    fn unclosed_values_are_told_at_their_opener() {
        for (text, expected) in [
            ("<x a=\"1><y b=\"2\"/></x>", vec!["PC0108"]),
            ("<x a=\"@(f(1)\" b=\"2\"/>", vec!["PC0109"]),
            ("<x a=\"@(1) + 2\" />", vec!["PC0110"]),
            ("<x>@(1) + 2</x>", vec!["PC0110"]),
            ("<x>@((1)</x>", vec!["PC0109"]),
            ("<x a=\"@((1)\"/>", vec!["PC0109"]),
            ("<x>a < b</x>", vec!["PC0112"]),
            ("<x a=\"a<b\"/>", vec!["PC0120"]),
        ] {
            assert_eq!(read(text).1, expected, "{text}");
        }
    }

    #[test]
    fn json_in_set_body_is_text_and_decoded() {
        assert_eq!(value("<set-body>{ \"a\": \"&lt;\" }</set-body>"), "{ \"a\": \"<\" }");
        assert_eq!(value("<set-body><![CDATA[<a>]]></set-body>"), "<a>");
        assert_eq!(
            value("<set-body>{% if a < b %}1{% endif %}</set-body>"),
            "{% if a < b %}1{% endif %}"
        );
    }
}
