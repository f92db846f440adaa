//! XSLT 1.0 as .NET's `XslCompiledTransform` does it.
//!
//! ```text
//! stylesheet text ─compile─▶ Stylesheet ─┐
//! document text ─parse─▶ Document ───────┴─run─▶ result tree ─write─▶ Output
//! ```
//!
//! Start with [`Stylesheet::compile`] and [`Stylesheet::transform`]. A stylesheet is compiled once,
//! with every problem and its place, and run by many threads. A run keeps its own stack, so that
//! neither deep documents nor deep recursion of templates need the thread's, and is bounded by
//! [`Limits`].
//!
//! Nothing outside of its arguments is ever read: `document()`, `xsl:include`, `xsl:import`, scripts
//! and external entities are refused.
//!
//! Sources: <https://www.w3.org/TR/1999/REC-xslt-19991116>,
//! <https://www.w3.org/TR/1999/REC-xpath-19991116>,
//! <https://learn.microsoft.com/dotnet/api/system.xml.xsl.xslcompiledtransform>. Where .NET differs
//! from the specification, .NET counts.

mod compile;
mod document;
mod limits;
mod names;
mod pattern;
mod run;
mod sheet;
mod write;
mod xpath;

pub use compile::Problem;
pub use limits::{Failure, Limits};
pub use sheet::{Encoding, Method};

/// A compiled stylesheet.
#[derive(Debug)]
pub struct Stylesheet {
    sheet: sheet::Sheet,
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What was written, in `encoding`.
    pub bytes: Vec<u8>,
    /// How it was written.
    pub method: Method,
    /// The encoding of `bytes`.
    pub encoding: Encoding,
    /// Texts of `xsl:message`, in order.
    pub messages: Vec<String>,
}

impl Stylesheet {
    /// Compiles a stylesheet.
    ///
    /// # Errors
    ///
    /// Every problem, in the order of the text; if it is no XML, that alone.
    pub fn compile(text: &str) -> Result<Self, Vec<Problem>> {
        compile::compile(text).map(|sheet| Self { sheet })
    }

    /// The parameters that the stylesheet declares, without namespace.
    pub fn params(&self) -> impl Iterator<Item = &str> {
        let params = self.sheet.globals.iter().filter(|it| it.is_param);
        params.map(|it| self.sheet.names.text(it.name.local))
    }

    /// `media-type` of `xsl:output`, if it is there.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        self.sheet.output.media_type.as_deref()
    }

    /// Transforms a document. `params` are names (without namespace) and texts; those that the
    /// stylesheet does not declare are passed over, as .NET does.
    ///
    /// # Errors
    ///
    /// The document is no XML, the stylesheet fails or ends the run, or a bound is exceeded.
    pub fn transform(
        &self,
        document: &str,
        params: &[(&str, &str)],
        limits: &Limits,
    ) -> Result<Output, Failure> {
        run::transform(&self.sheet, document, params, limits)
    }
}
