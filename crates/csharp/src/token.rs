//! Tokens of C# 7: what the lexer hands to the parser.
//!
//! Source: C# 7 language specification, 6.4.

use super::ast::{Literal, Span};

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// What a token is.
///
/// An interpolated string is several tokens: `InterpolationStart`, then texts and holes (`HoleStart`,
/// the tokens of the expression, `HoleFormat` at most once, `HoleEnd`), then `InterpolationEnd`.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    /// A name; contextual words (`var`, `when`, `from`) too. Text without `@`, escapes decoded.
    Identifier {
        /// The name.
        text: Box<str>,
        /// Whether it was written with `@`, which makes it no contextual word.
        verbatim: bool,
    },
    /// A reserved word.
    Keyword(Keyword),
    /// A literal, except `true`, `false` and `null`, which are keywords.
    Literal(Literal),
    /// An operator or a bracket.
    Punct(Punct),
    /// `$"` or `$@"`.
    InterpolationStart,
    /// Text between holes.
    InterpolationText(Literal),
    /// `{` of a hole.
    HoleStart,
    /// `:` and what follows up to the `}` of a hole.
    HoleFormat(Box<str>),
    /// `}` of a hole.
    HoleEnd,
    /// The closing quote of an interpolated string.
    InterpolationEnd,
    /// What is no token; the problem is already reported.
    Unknown,
    /// The end of the source.
    End,
}

macro_rules! words {
    ($($name:ident $text:literal)*) => {
        /// A reserved word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is the word of the same name")]
        pub enum Keyword { $($name),* }

        impl Keyword {
            /// The keyword that is written so.
            pub fn from_text(text: &str) -> Option<Keyword> {
                match text { $($text => Some(Keyword::$name),)* _ => None }
            }

            /// As it is written.
            pub fn text(self) -> &'static str {
                match self { $(Keyword::$name => $text),* }
            }
        }
    };
}

words! {
    Abstract "abstract" As "as" Base "base" Bool "bool" Break "break" Byte "byte" Case "case" Catch "catch"
    Char "char" Checked "checked" Class "class" Const "const" Continue "continue" Decimal "decimal"
    Default "default" Delegate "delegate" Do "do" Double "double" Else "else" Enum "enum" Event "event"
    Explicit "explicit" Extern "extern" False "false" Finally "finally" Fixed "fixed" Float "float" For "for"
    Foreach "foreach" Goto "goto" If "if" Implicit "implicit" In "in" Int "int" Interface "interface"
    Internal "internal" Is "is" Lock "lock" Long "long" Namespace "namespace" New "new" Null "null"
    Object "object" Operator "operator" Out "out" Override "override" Params "params" Private "private"
    Protected "protected" Public "public" Readonly "readonly" Ref "ref" Return "return" Sbyte "sbyte"
    Sealed "sealed" Short "short" Sizeof "sizeof" Stackalloc "stackalloc" Static "static" String "string"
    Struct "struct" Switch "switch" This "this" Throw "throw" True "true" Try "try" Typeof "typeof"
    Uint "uint" Ulong "ulong" Unchecked "unchecked" Unsafe "unsafe" Ushort "ushort" Using "using"
    Virtual "virtual" Void "void" Volatile "volatile" While "while"
}

macro_rules! puncts {
    ($($name:ident $text:literal)*) => {
        /// An operator or a bracket. `>>` is two `Greater`, so that type arguments can close.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is the text beside it in the table")]
        pub enum Punct { $($name),* }

        impl Punct {
            /// Every operator and bracket, longest text first among those that begin alike.
            pub const ALL: &[Punct] = &[$(Punct::$name),*];

            /// As it is written.
            pub fn text(self) -> &'static str {
                match self { $(Punct::$name => $text),* }
            }
        }
    };
}

puncts! {
    CoalesceAssign "??=" ShiftLeftAssign "<<=" Range ".."
    Arrow "=>" Equal "==" NotEqual "!=" LessEqual "<=" AndAlso "&&" OrElse "||" Coalesce "??"
    Increment "++" Decrement "--" AddAssign "+=" SubtractAssign "-=" MultiplyAssign "*=" DivideAssign "/="
    RemainderAssign "%=" AndAssign "&=" OrAssign "|=" XorAssign "^=" ShiftLeft "<<" PointerAccess "->"
    DoubleColon "::"
    OpenBrace "{" CloseBrace "}" OpenParen "(" CloseParen ")" OpenBracket "[" CloseBracket "]"
    Dot "." Comma "," Colon ":" Semicolon ";" Plus "+" Minus "-" Star "*" Slash "/" Percent "%"
    Ampersand "&" Bar "|" Caret "^" Bang "!" Tilde "~" Assign "=" Less "<" Greater ">" Question "?"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_by_its_text() {
        for word in ["as", "foreach", "volatile"] {
            assert_eq!(Keyword::from_text(word).map(Keyword::text), Some(word));
        }
        assert_eq!(Keyword::from_text("var"), None);
    }

    #[test]
    fn a_longer_operator_comes_before_its_beginning() {
        for (index, longer) in Punct::ALL.iter().enumerate() {
            for shorter in &Punct::ALL[..index] {
                assert!(!longer.text().starts_with(shorter.text()), "{longer:?} after {shorter:?}");
            }
        }
    }
}
