//! Interpolated strings: `$"a{value,alignment:format}b"`.
//!
//! Source: C# 7 language specification, 12.8.3.

use super::{Parser, expr};
use crate::ast::{Expr, ExprKind, InterpolatedPart};
use crate::token::{Punct, TokenKind};

impl Parser<'_> {
    pub(super) fn interpolated(&mut self) -> Expr {
        let start = self.span();
        self.advance();
        let mut parts = Vec::new();
        loop {
            match self.kind() {
                TokenKind::InterpolationText(text) => {
                    parts.push(InterpolatedPart::Text(text.clone()));
                    self.advance();
                }
                TokenKind::HoleStart => parts.push(self.hole()),
                TokenKind::InterpolationEnd => {
                    self.advance();
                    break;
                }
                _ => {
                    self.expected("the end of the interpolated string");
                    break;
                }
            }
            if self.recovering {
                break;
            }
        }
        expr(ExprKind::Interpolated(parts), self.span_from(start))
    }

    fn hole(&mut self) -> InterpolatedPart {
        self.advance();
        let value = self.expression();
        let alignment = self.eat(Punct::Comma).then(|| self.expression());
        let mut format = None;
        if let TokenKind::HoleFormat(text) = self.kind() {
            let text = text.clone();
            if text.is_empty() {
                let (message, label) =
                    ("the format after `:` is empty", "nothing stands behind it");
                let help = Some("leave the `:` out for the usual form");
                self.report("PC0301", self.span(), message.to_owned(), label, help);
            }
            format = Some(text);
            self.advance();
        }
        if *self.kind() == TokenKind::HoleEnd {
            self.advance();
        } else {
            self.expected("`}`");
        }
        InterpolatedPart::Hole { value, alignment, format }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print, problem};

    #[test]
    fn interpolated_strings_have_holes_with_alignment_and_format() {
        assert_eq!(print("$\"a{b,-3:x}c{ $\"{d}\" }\""), "$\"a{b,(- 3):x}c{$\"{d}\"}\"");
        assert!(problem("$\"{a ? b : c}\"").starts_with("expected `:`"));
        assert_eq!(problem("$\"{a:}\""), "the format after `:` is empty");
    }
}
