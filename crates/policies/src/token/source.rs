//! Where the token of a request is.

use http::HeaderName;
use http::header::AUTHORIZATION;
use pipeline::{
    Attr, CompileCx, Computed, Context, Diagnostic, Element, PolicyError, ValueType, codes, url,
};

use super::Rejection;

pub(crate) const HEADER_NAME: Attr = Attr::absent_by_default("header-name")
    .expressions()
    .excludes(&["query-parameter-name", "token-value"])
    .doc("Header that holds the token.")
    .of(ValueType::HeaderName);
pub(crate) const QUERY_NAME: Attr = Attr::absent_by_default("query-parameter-name")
    .expressions()
    .excludes(&["token-value"])
    .doc("Query parameter that holds the token.");
pub(crate) const TOKEN_VALUE: Attr =
    Attr::absent_by_default("token-value").expressions().doc("The token itself, without `Bearer`.");

/// Where the token is.
#[derive(Debug)]
pub(crate) struct TokenSource {
    place: Place,
    scheme: Scheme,
}

#[derive(Debug)]
enum Place {
    Header(Computed<HeaderName>),
    Query(Computed<String>),
    Value(Computed<String>),
}

/// What stands before the token in `Authorization`.
#[derive(Debug)]
pub(crate) enum Scheme {
    /// One word, or nothing.
    Any,
    /// This word, compared without case.
    Required(Computed<String>),
}

impl TokenSource {
    /// Reads the attribute that names the place; `default` counts if there is none.
    pub(crate) fn compile(
        cx: &mut CompileCx<'_>,
        element: Element<'_>,
        scheme: Scheme,
        default: Option<HeaderName>,
    ) -> Result<Self, Diagnostic> {
        let place = if let Some(name) = cx.attr_if(element, &QUERY_NAME)? {
            Place::Query(name)
        } else if let Some(value) = cx.attr_if(element, &TOKEN_VALUE)? {
            Place::Value(value)
        } else if let Some(name) = cx.attr_if(element, &HEADER_NAME)? {
            Place::Header(name)
        } else if let Some(name) = default {
            Place::Header(Computed::literal(name))
        } else {
            let message = format!("`{}` does not say where the token is", element.name());
            let help = "add `header-name`, `query-parameter-name` or `token-value`";
            return Err(cx.refuse(element, codes::ONE_OF_ATTRIBUTES, message).help(help));
        };
        Ok(Self { place, scheme })
    }

    /// The token of this request; the inner error says why there is none.
    pub(super) fn find(&self, context: &Context) -> Result<Result<String, Rejection>, PolicyError> {
        let text = match &self.place {
            Place::Value(value) => value.get(context)?,
            Place::Query(name) => {
                let name = name.get(context)?;
                let query = context.request.url.query();
                let values = url::pairs(query).filter(|it| it.is_named(&name));
                match only(values.map(|it| it.value().into_owned())) {
                    Ok(text) => text,
                    Err(rejection) => return Ok(Err(rejection)),
                }
            }
            Place::Header(name) => {
                let name = name.get(context)?;
                let values = context.request.headers.get_all(&name).iter();
                // Bytes that are no text cannot be a token either.
                let values = values.map(|it| it.to_str().unwrap_or("\u{fffd}").to_owned());
                let text = match only(values) {
                    Ok(text) => text,
                    Err(rejection) => return Ok(Err(rejection)),
                };
                match name == AUTHORIZATION {
                    true => match self.without_scheme(&text, context)? {
                        Ok(token) => token.to_owned(),
                        Err(rejection) => return Ok(Err(rejection)),
                    },
                    false => text,
                }
            }
        };
        let token = text.trim();
        Ok(if token.is_empty() { Err(Rejection::NotPresent) } else { Ok(token.to_owned()) })
    }

    /// The token as it stands in the request, if finding it takes neither an expression nor a
    /// decision: [`find`](Self::find) would give the same text. `None` says nothing.
    pub(super) fn glance<'a>(&self, context: &'a Context) -> Option<&'a [u8]> {
        let Place::Header(name) = &self.place else { return None };
        let name = name.as_literal()?;
        let mut values = context.request.headers.get_all(name).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        let mut token = value.as_bytes().trim_ascii();
        if *name == AUTHORIZATION
            && let Some(space) = token.iter().position(|it| *it == b' ')
        {
            let (scheme, rest) = token.split_at(space);
            token = rest.trim_ascii();
            if let Scheme::Required(required) = &self.scheme
                && !required.as_literal()?.trim().as_bytes().eq_ignore_ascii_case(scheme)
            {
                return None;
            }
        } else if *name == AUTHORIZATION && matches!(self.scheme, Scheme::Required(_)) {
            return None;
        }
        (!token.is_empty()).then_some(token)
    }

    fn without_scheme<'a>(
        &self,
        text: &'a str,
        context: &Context,
    ) -> Result<Result<&'a str, Rejection>, PolicyError> {
        let text = text.trim();
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        let required = match &self.scheme {
            Scheme::Any => return Ok(Ok(if rest.is_empty() { text } else { rest })),
            Scheme::Required(scheme) => scheme.get(context)?,
        };
        Ok(match first.eq_ignore_ascii_case(required.trim()) {
            true => Ok(rest),
            false => Err(Rejection::Scheme(required)),
        })
    }
}

/// The only value that is not empty.
fn only(values: impl Iterator<Item = String>) -> Result<String, Rejection> {
    let mut values = values.filter(|it| !it.trim().is_empty());
    match (values.next(), values.next()) {
        (None, _) => Err(Rejection::NotPresent),
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(Rejection::Several),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_sees_what_is_found_or_nothing() {
        let literal = |text: &str| Scheme::Required(Computed::literal(text.to_owned()));
        let header = |name: &'static str| Computed::literal(HeaderName::from_static(name));
        for (name, scheme, values, expected) in [
            ("authorization", Scheme::Any, &["Bearer a.b.c"][..], Some("a.b.c")),
            ("authorization", Scheme::Any, &["  a.b.c "], Some("a.b.c")),
            ("authorization", Scheme::Any, &["Any   a.b.c x"], Some("a.b.c x")),
            ("authorization", literal("bearer"), &["BEARER  a.b.c"], Some("a.b.c")),
            ("authorization", literal(" Bearer "), &["Bearer a"], Some("a")),
            ("authorization", literal("Bearer"), &["Basic a"], None),
            ("authorization", literal("Bearer"), &["Bearer"], None),
            ("authorization", literal("Bearer"), &["Bearer\ta"], None),
            ("authorization", Scheme::Any, &["a", "b"], None),
            ("authorization", Scheme::Any, &["", "b"], None),
            ("authorization", Scheme::Any, &[" "], None),
            ("authorization", Scheme::Any, &[], None),
            ("x-token", literal("Bearer"), &["a.b.c"], Some("a.b.c")),
            ("x-token", Scheme::Any, &["Bearer a"], Some("Bearer a")),
        ] {
            let source = TokenSource { place: Place::Header(header(name)), scheme };
            let nothing = r#"<set-variable name="x" value="y" />"#;
            let mut context = crate::test_support::Trial::inbound(nothing).run("").context;
            for value in values {
                context.request.headers.append(name, value.parse().unwrap());
            }
            let seen = source.glance(&context).map(|it| String::from_utf8_lossy(it).into_owned());
            assert_eq!(seen.as_deref(), expected, "{values:?}");
            if seen.is_some() {
                assert_eq!(source.find(&context).unwrap().ok(), seen, "{values:?}");
            }
        }
    }

    #[test]
    fn one_value_that_is_not_empty_counts() {
        let found = |it: &[&str]| only(it.iter().map(|it| (*it).to_owned()));

        assert_eq!(found(&["", "a", " "]).unwrap(), "a");
        assert_eq!(found(&[]).unwrap_err(), Rejection::NotPresent);
        assert_eq!(found(&[" "]).unwrap_err(), Rejection::NotPresent);
        assert_eq!(found(&["a", "a"]).unwrap_err(), Rejection::Several);
    }
}
