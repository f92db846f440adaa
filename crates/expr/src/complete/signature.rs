//! How members are called: signatures for lists and for the call that the cursor is in.

use std::fmt::Write as _;

use super::site;
use crate::Options;
use crate::bind::probe::{Listed, Site, constructors, members};
use crate::types::Type;
use clr::rows::{self, Constant, Member, MemberKind};
use csharp::Form;
use csharp::lexer::tokenize;
use csharp::token::{Keyword, Punct, Token, TokenKind};

/// The overloads of the call that the cursor is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatures {
    /// One for each overload, as C# writes it.
    pub overloads: Vec<String>,
    /// The argument that the cursor is in, counted from 0.
    pub argument: usize,
    /// The page in the documentation; may be empty.
    pub docs: String,
}

/// The signatures of the innermost call whose arguments the cursor is in; overloads that take too
/// few arguments come last.
#[must_use]
pub fn signatures(
    source: &str,
    form: Form,
    cursor: usize,
    options: &Options,
) -> Option<Signatures> {
    crate::catalog::load();
    let before = source.get(..cursor)?;
    let (tokens, _) = tokenize(before);
    let (open, argument) = innermost_call(&tokens)?;
    let name = skip_type_arguments(&tokens, open)?;
    let TokenKind::Identifier { text, .. } = &tokens.get(name)?.kind else { return None };
    let mut rows = match type_after_new(&tokens, name, before) {
        Some(of) => constructors(of, options),
        None => {
            let span = tokens.get(name)?.span.range();
            // Only what stands before the name matters, and what it is inside of.
            let head = before.get(..span.end)?;
            match site::find(head, form, &span, options)? {
                Site::Member { of, is_static } => {
                    let mut rows = members(of, is_static, options);
                    rows.retain(|it| it.member.name == &**text);
                    rows
                }
                _ => return None,
            }
        }
    };
    rows.retain(|it| !matches!(it.member.kind, MemberKind::Property | MemberKind::StaticProperty));
    rows.sort_by_key(|it| it.arguments() <= argument && !(it.arguments() == 0 && argument == 0));
    let docs = rows.first()?.docs_link();
    Some(Signatures { overloads: rows.iter().map(Listed::signature).collect(), argument, docs })
}

/// The token that opens the innermost argument list, and the number of commas behind it.
fn innermost_call(tokens: &[Token]) -> Option<(usize, usize)> {
    let (mut depth, mut commas) = (0_usize, 0);
    for (index, token) in tokens.iter().enumerate().rev() {
        match token.kind {
            TokenKind::Punct(Punct::CloseParen | Punct::CloseBracket | Punct::CloseBrace)
            | TokenKind::HoleEnd => depth += 1,
            TokenKind::Punct(Punct::OpenParen) if depth == 0 => return Some((index, commas)),
            TokenKind::Punct(Punct::OpenBracket | Punct::OpenBrace) | TokenKind::HoleStart
                if depth == 0 =>
            {
                // Inside of an indexer, an initialiser or a block: that is no argument list.
                return None;
            }
            TokenKind::Punct(Punct::OpenParen | Punct::OpenBracket | Punct::OpenBrace)
            | TokenKind::HoleStart => depth -= 1,
            TokenKind::Punct(Punct::Comma) if depth == 0 => commas += 1,
            TokenKind::Punct(Punct::Semicolon) if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The name before an opening bracket, over `<...>`.
fn skip_type_arguments(tokens: &[Token], open: usize) -> Option<usize> {
    let mut at = open.checked_sub(1)?;
    if tokens.get(at)?.kind != TokenKind::Punct(Punct::Greater) {
        return Some(at);
    }
    let mut depth = 0_usize;
    loop {
        match tokens.get(at)?.kind {
            TokenKind::Punct(Punct::Greater) => depth += 1,
            TokenKind::Punct(Punct::Less) => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at = at.checked_sub(1)?;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The type of `new A.B(`; the name is its last part.
fn type_after_new(tokens: &[Token], name: usize, source: &str) -> Option<Type> {
    let mut first = name;
    while first >= 2 && tokens.get(first - 1)?.kind == TokenKind::Punct(Punct::Dot) {
        first -= 2;
    }
    let is_new = tokens.get(first.checked_sub(1)?)?.kind == TokenKind::Keyword(Keyword::New);
    if !is_new {
        return None;
    }
    let written =
        source.get(tokens.get(first)?.span.range().start..tokens.get(name)?.span.range().end)?;
    let generics = [0, 1, 2].into_iter().find_map(|n| rows::find_type(written, n))?;
    Some(generics.own_type())
}

impl Listed {
    /// What it returns, as far as the object says.
    pub(super) fn returns(&self) -> Type {
        self.closed(self.member.returns)
    }

    fn closed(&self, of: Type) -> Type {
        of.substitute(self.of_type, &[self.of_method])
    }

    /// Parameters without the object of an extension method.
    fn parameters(&self) -> impl Iterator<Item = (usize, Type)> {
        let skip = usize::from(self.member.kind == MemberKind::Extension);
        self.member.params.iter().copied().enumerate().skip(skip)
    }

    /// The most arguments that it takes.
    fn arguments(&self) -> usize {
        if self.parameters().any(|(_, it)| matches!(it, Type::Params(_))) {
            return usize::MAX;
        }
        self.parameters().count()
    }

    /// Can it only be called with empty brackets?
    pub(super) fn takes_nothing(&self) -> bool {
        self.parameters().next().is_none()
    }

    /// Can its type arguments not be inferred?
    pub(super) fn needs_type_arguments(&self) -> bool {
        let arity = self.member.generic_arity();
        let mentioned = |n: usize| self.member.params.iter().any(|it| mentions(*it, n));
        (0..arity).any(|n| !mentioned(n))
    }

    /// As C# would write it, with the types that are known.
    pub(crate) fn signature(&self) -> String {
        let mut text = String::new();
        if self.member.kind != MemberKind::Constructor {
            let _ = write!(text, "{} {}", self.returns(), self.member.name);
        } else {
            let _ = write!(text, "new {}", self.returns());
        }
        let open: Vec<String> = (0..self.member.generic_arity())
            .filter(|n| !(*n == 0 && self.of_method.is_some()))
            .map(|n| Type::MethodArg(u8::try_from(n).unwrap_or(u8::MAX)).to_string())
            .collect();
        if !open.is_empty() {
            let _ = write!(text, "<{}>", open.join(", "));
        }
        let parameters: Vec<String> =
            self.parameters().map(|(at, ty)| parameter(self.member, at, self.closed(ty))).collect();
        let _ = write!(text, "({})", parameters.join(", "));
        text
    }

    /// Its page in the documentation.
    pub(crate) fn docs_link(&self) -> String {
        rows::owner(self.member).map_or(String::new(), |it| it.member_link(self.member))
    }
}

/// The signature of a row as it stands, type parameters open.
pub(crate) fn signature_of(member: &'static Member) -> String {
    Listed { member, of_type: &[], of_method: None }.signature()
}

/// One parameter: type, name, default.
fn parameter(member: &Member, at: usize, ty: Type) -> String {
    let mut text = ty.to_string();
    let name = member.parameter_name(at);
    if !name.is_empty() {
        let _ = write!(text, " {name}");
    }
    let first_default = member.params.len() - member.defaults.len().min(member.params.len());
    let default = at.checked_sub(first_default).and_then(|it| member.defaults.get(it));
    if let Some(default) = default {
        let _ = write!(text, " = {}", default_text(*default, ty));
    }
    text
}

fn default_text(default: Constant, ty: Type) -> String {
    match default {
        Constant::Default if ty.accepts_null() => "null".to_owned(),
        Constant::Default if ty == Type::Bool => "false".to_owned(),
        Constant::Default if ty.is_numeric() => "0".to_owned(),
        Constant::Default => "default".to_owned(),
        Constant::Bool(it) => it.to_string(),
        Constant::Text(it) => format!("\"{it}\""),
        Constant::Char(it) => {
            format!("'{}'", char::from_u32(u32::from(it)).unwrap_or('?').escape_default())
        }
        other => other.value(ty).to_text().into_owned(),
    }
}

/// Does the n-th type parameter of a method occur in a type?
fn mentions(of: Type, n: usize) -> bool {
    match of {
        Type::MethodArg(own) => usize::from(own) == n,
        Type::Nullable(it) | Type::Array(it) | Type::Out(it) | Type::Params(it) => mentions(*it, n),
        Type::Named(_, all) | Type::Func(all) => all.iter().any(|it| mentions(*it, n)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_end(source: &str) -> Option<(usize, String)> {
        let form = if source.contains(';') { Form::Statements } else { Form::Expression };
        let found = signatures(source, form, source.len(), &Options::default())?;
        Some((found.argument, found.overloads.first()?.clone()))
    }

    #[test]
    fn the_call_around_the_cursor_is_found() {
        let cases = [
            ("\"a\".Substring(1, ", 1, "string Substring(int startIndex, int length)"),
            ("Math.Max(Math.Abs(-1), ", 1, "Max("),
            ("context.Request.Body.As<JObject>(", 0, "T As<T>(bool preserveContent = false)"),
            ("new Random(", 0, "new Random("),
            ("new[] { \"a\" }.Select(", 0, "Select<TResult>(Func<string,TResult>"),
            (
                "; return context.Variables.GetValueOrDefault<string>(\"a\", ",
                1,
                "GetValueOrDefault",
            ),
        ];
        for (source, argument, expected) in cases {
            let (found, signature) = at_end(source).unwrap_or_else(|| panic!("{source}"));
            assert_eq!(found, argument, "{source}");
            assert!(signature.contains(expected), "{source}: {signature}");
        }
    }

    #[test]
    fn there_is_no_signature_outside_of_a_call() {
        for source in ["", "1 + 2", "(1 + ", "f(", "\"a\"[", "new[] { ", "\"a\".Trim()", "if ("] {
            assert_eq!(at_end(source), None, "{source}");
        }
    }
}
