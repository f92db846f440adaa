//! A compiled stylesheet: what the compiler makes and a run reads.

use std::collections::HashMap;
use std::sync::Arc;

use crate::document::Keeps;
use crate::names::{Atom, Key, Name, Names};
use crate::pattern::{Pattern, Rules};
use crate::xpath::{Expr, Spaces};

/// The whole stylesheet.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) names: Arc<Names>,
    pub(crate) templates: Vec<Template>,
    /// Rules by mode; the mode without a name has the empty key.
    pub(crate) modes: HashMap<Key, Rules>,
    pub(crate) globals: Vec<Global>,
    pub(crate) keys: HashMap<Key, Vec<KeyRule>>,
    pub(crate) formats: HashMap<Key, DecimalFormat>,
    pub(crate) sets: Vec<AttributeSet>,
    pub(crate) keeps: Option<Keeps>,
    pub(crate) output: Output,
}

/// A list of instructions.
pub(crate) type Body = Vec<Op>;

/// A template, or the content of a global variable: its instructions and how many variables
/// they have.
#[derive(Debug, Default)]
pub(crate) struct Template {
    pub(crate) body: Body,
    pub(crate) n_variables: usize,
}

/// A variable or parameter of the stylesheet.
#[derive(Debug)]
pub(crate) struct Global {
    pub(crate) name: Key,
    /// Byte of the stylesheet.
    pub(crate) at: usize,
    pub(crate) is_param: bool,
    pub(crate) binding: Binding,
    pub(crate) n_variables: usize,
}

/// `xsl:key`.
#[derive(Debug)]
pub(crate) struct KeyRule {
    pub(crate) pattern: Pattern,
    pub(crate) used: Expr,
}

/// `xsl:attribute-set`, all of one name together.
#[derive(Debug, Default)]
pub(crate) struct AttributeSet {
    pub(crate) uses: Vec<usize>,
    pub(crate) template: Template,
}

/// `xsl:decimal-format` (XSLT 1.0, section 12.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DecimalFormat {
    pub(crate) decimal: char,
    pub(crate) grouping: char,
    pub(crate) percent: char,
    pub(crate) per_mille: char,
    pub(crate) zero: char,
    pub(crate) digit: char,
    pub(crate) separator: char,
    pub(crate) minus: char,
    pub(crate) infinity: String,
    pub(crate) nan: String,
}

impl Default for DecimalFormat {
    fn default() -> Self {
        Self {
            decimal: '.',
            grouping: ',',
            percent: '%',
            per_mille: '\u{2030}',
            zero: '0',
            digit: '#',
            separator: ';',
            minus: '-',
            infinity: "Infinity".to_owned(),
            nan: "NaN".to_owned(),
        }
    }
}

/// How the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// As XML.
    Xml,
    /// As HTML 4.
    Html,
    /// Its text alone.
    Text,
}

/// The encodings that a result can be written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, without a byte order mark.
    #[default]
    Utf8,
    /// UTF-16, little endian, with a byte order mark.
    Utf16,
    /// ISO 8859-1.
    Latin1,
    /// US-ASCII.
    Ascii,
}

impl Encoding {
    /// The encoding of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Self::Utf8,
            "utf-16" | "utf-16le" | "unicode" => Self::Utf16,
            "iso-8859-1" | "latin1" => Self::Latin1,
            "us-ascii" | "ascii" => Self::Ascii,
            _ => return None,
        })
    }

    /// Its name in declarations and media types.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Latin1 => "iso-8859-1",
            Self::Ascii => "us-ascii",
        }
    }
}

/// `xsl:output` (XSLT 1.0, section 16).
#[derive(Clone, Debug, Default)]
pub(crate) struct Output {
    pub(crate) method: Option<Method>,
    pub(crate) encoding: Encoding,
    pub(crate) omits_declaration: bool,
    pub(crate) standalone: Option<bool>,
    pub(crate) public: Option<String>,
    pub(crate) system: Option<String>,
    pub(crate) cdata: Vec<Key>,
    pub(crate) indent: Option<bool>,
    pub(crate) media_type: Option<String>,
}

/// One instruction and the byte of the stylesheet where it stands.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) at: usize,
    pub(crate) what: What,
}

/// What an instruction does.
#[derive(Debug)]
pub(crate) enum What {
    /// Text, and whether it is written as it is.
    Text(Arc<str>, bool),
    ValueOf(Expr, bool),
    CopyOf(Expr),
    Literal(Box<Literal>),
    Element(Box<Element>),
    Attribute(NameSource, Body),
    Comment(Body),
    Instruction(Avt, Body),
    Copy(Vec<usize>, Body),
    If(Expr, Body),
    Choose(Vec<(Expr, Body)>, Body),
    ForEach(Box<ForEach>),
    Apply(Box<Apply>),
    /// `xsl:apply-imports`: nothing is ever imported, so the built-in rule.
    ApplyImports,
    Call(usize, Vec<Argument>),
    Variable(u32, Binding),
    Param(u32, Key, Binding),
    Number(Box<Numbering>),
    /// `xsl:message`, and whether it ends the run.
    Message(Body, bool),
    /// What this processor cannot do: an error when it is reached.
    Unsupported(Arc<str>),
}

/// A literal result element.
#[derive(Debug)]
pub(crate) struct Literal {
    pub(crate) name: Name,
    pub(crate) declared: Vec<(Atom, Atom)>,
    pub(crate) sets: Vec<usize>,
    pub(crate) attributes: Vec<(Name, Avt)>,
    pub(crate) body: Body,
}

/// `xsl:element`.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: NameSource,
    pub(crate) sets: Vec<usize>,
    pub(crate) body: Body,
}

/// The name of an element or attribute that is made.
#[derive(Debug)]
pub(crate) enum NameSource {
    Fixed(Name),
    Computed { name: Avt, space: Option<Avt>, spaces: Spaces },
}

/// `xsl:for-each`.
#[derive(Debug)]
pub(crate) struct ForEach {
    pub(crate) select: Expr,
    pub(crate) sorts: Vec<Sort>,
    pub(crate) body: Body,
}

/// `xsl:apply-templates`.
#[derive(Debug)]
pub(crate) struct Apply {
    /// The children, if there is none.
    pub(crate) select: Option<Expr>,
    pub(crate) mode: Key,
    pub(crate) sorts: Vec<Sort>,
    pub(crate) arguments: Vec<Argument>,
}

/// `xsl:sort`.
#[derive(Debug)]
pub(crate) struct Sort {
    pub(crate) select: Expr,
    pub(crate) data_type: Option<Avt>,
    pub(crate) order: Option<Avt>,
    pub(crate) case_order: Option<Avt>,
}

/// `xsl:with-param`.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: Key,
    pub(crate) binding: Binding,
}

/// Where a variable has its value from.
#[derive(Debug)]
pub(crate) enum Binding {
    Select(Expr),
    Content(Body),
    /// The empty string.
    Empty,
}

/// `xsl:number`.
#[derive(Debug)]
pub(crate) struct Numbering {
    pub(crate) value: Option<Expr>,
    pub(crate) level: Level,
    pub(crate) count: Option<Vec<Pattern>>,
    pub(crate) from: Option<Vec<Pattern>>,
    pub(crate) format: Avt,
    pub(crate) separator: Option<Avt>,
    pub(crate) size: Option<Avt>,
}

/// `level` of `xsl:number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Single,
    Multiple,
    Any,
}

/// An attribute value template.
#[derive(Clone, Debug)]
pub(crate) struct Avt(pub(crate) Vec<Part>);

/// A part of an attribute value template.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(Arc<str>),
    Expr(Expr),
}

impl Avt {
    pub(crate) fn fixed(text: &str) -> Self {
        Self(vec![Part::Text(Arc::from(text))])
    }

    /// The text, if there is no expression in it.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}
