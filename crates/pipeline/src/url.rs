//! The URL that a request is going to: a base (the backend's), a path below it and a query.
//!
//! `set-backend-service` changes the base, `rewrite-uri` path and query, `set-query-parameter`
//! the query. Untouched text stays as it was received, byte for byte.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use expr::host::UrlView;
use http::uri::Authority;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in a query value that a policy sets: the unreserved characters of
/// RFC 3986, section 2.3.
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A base URL: of a backend, of an API's service, or of the gateway as the client wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: String,
    host: String,
    port: u16,
    path: String,
    query: String,
    /// Read once for all requests; none if the host cannot stand in a URI.
    uri_authority: Option<Authority>,
}

/// Why a text is no base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not an absolute URL with a host.
    #[error("not an absolute http or https URL")]
    NotAbsolute,
    /// A scheme the gateway does not call.
    #[error("the scheme `{0}` is not one that the gateway can call")]
    Scheme(String),
    /// User name and password stand in it.
    #[error("user name or password in the URL")]
    Credentials,
}

impl BaseUrl {
    /// Reads an absolute `http`, `https`, `ws` or `wss` URL. A fragment is dropped.
    ///
    /// # Errors
    ///
    /// The text is none.
    pub fn parse(text: &str) -> Result<BaseUrl, BaseUrlError> {
        let url = url::Url::parse(text.trim()).map_err(|_| BaseUrlError::NotAbsolute)?;
        if !matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
            return Err(BaseUrlError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        let host = url.host_str().ok_or(BaseUrlError::NotAbsolute)?.to_owned();
        let port = url.port_or_known_default().ok_or(BaseUrlError::NotAbsolute)?;
        Ok(BaseUrl {
            path: url.path().trim_end_matches('/').to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
            ..BaseUrl::origin(url.scheme(), &host, port)
        })
    }

    /// Scheme, host and port without a path: where the client sent its request.
    #[must_use]
    pub fn origin(scheme: &str, host: &str, port: u16) -> BaseUrl {
        let mut base = BaseUrl {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port,
            path: String::new(),
            query: String::new(),
            uri_authority: None,
        };
        base.uri_authority = base.authority().parse().ok();
        base
    }

    /// `http`, `https`, `ws` or `wss`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host, an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, given or known from the scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path without a slash at its end; empty for the root.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Host, and port unless it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let known = match self.scheme.as_str() {
            "http" | "ws" => 80,
            _ => 443,
        };
        if self.port == known { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// [`authority`](Self::authority) as a part of a URI; none if the host cannot stand in one.
    #[must_use]
    pub fn uri_authority(&self) -> Option<&Authority> {
        self.uri_authority.as_ref()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority(), self.path)?;
        if self.query.is_empty() { Ok(()) } else { write!(f, "?{}", self.query) }
    }
}

/// A base, the path below it, and a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestUrl {
    base: Arc<BaseUrl>,
    below: String,
    query: String,
    /// Both queries; kept only if the base has one, too.
    merged_query: Option<String>,
    /// Base path and path below it, joined.
    path: String,
    /// What expressions see; made when the first one looks.
    view: OnceLock<UrlView>,
}

impl RequestUrl {
    /// `below` is the path below the base (a leading slash may be missing), `query` the text
    /// after `?`, both still percent-encoded.
    #[must_use]
    pub fn new(base: Arc<BaseUrl>, below: &str, query: &str) -> RequestUrl {
        let mut url = RequestUrl {
            base,
            below: below.to_owned(),
            query: query.to_owned(),
            merged_query: None,
            path: String::new(),
            view: OnceLock::new(),
        };
        url.join();
        url
    }

    fn join(&mut self) {
        self.view = OnceLock::new();
        self.path.clear();
        self.path.push_str(&self.base.path);
        if !self.below.is_empty() && !self.below.starts_with('/') {
            self.path.push('/');
        }
        self.path.push_str(&self.below);
        if self.path.is_empty() {
            self.path.push('/');
        }
        self.merged_query = match (self.base.query.as_str(), self.query.as_str()) {
            ("", _) => None,
            (base, "") => Some(base.to_owned()),
            (base, own) => Some(format!("{base}&{own}")),
        };
    }

    /// The base.
    #[must_use]
    pub fn base(&self) -> &Arc<BaseUrl> {
        &self.base
    }

    /// Another base below the same path and query.
    pub fn set_base(&mut self, base: Arc<BaseUrl>) {
        self.base = base;
        self.join();
    }

    /// The path below the base, as received or rewritten.
    #[must_use]
    pub fn below(&self) -> &str {
        &self.below
    }

    /// Another path below the base, and another query.
    pub fn rewrite(&mut self, below: &str, query: &str) {
        below.clone_into(&mut self.below);
        query.clone_into(&mut self.query);
        self.join();
    }

    /// The whole path; starts with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole query without `?`: the base's own first.
    #[must_use]
    pub fn query(&self) -> &str {
        self.merged_query.as_deref().unwrap_or(&self.query)
    }

    /// The query without what the base brings.
    #[must_use]
    pub fn own_query(&self) -> &str {
        &self.query
    }

    /// Path and query, as they stand in a request line.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        match self.query() {
            "" => self.path.clone(),
            query => {
                // As long as it will be: its bytes become those of the request line.
                let mut text = String::with_capacity(self.path.len() + 1 + query.len());
                text.push_str(&self.path);
                text.push('?');
                text.push_str(query);
                text
            }
        }
    }

    /// The URL as expressions see it.
    #[must_use]
    pub fn view(&self) -> &UrlView {
        self.view.get_or_init(|| UrlView {
            scheme: self.base.scheme.clone(),
            host: self.base.host.clone(),
            port: self.base.port,
            path: self.path.clone(),
            query_string: match self.query() {
                "" => String::new(),
                query => format!("?{query}"),
            },
        })
    }

    /// Whether a parameter of that name is there; names compare without case.
    #[must_use]
    pub fn has_parameter(&self, name: &str) -> bool {
        pairs(self.query()).any(|it| it.is_named(name))
    }

    /// Removes the parameters of that name and sets these values where the first one stood, or
    /// at the end. What is not touched keeps its text and place; the spelling of a name that is
    /// there already is kept.
    pub fn set_parameter(&mut self, name: &str, values: &[String]) {
        let spelled = pairs(&self.query).find(|it| it.is_named(name)).map(|it| it.raw_name);
        let spelled = spelled.map_or_else(|| encode(name), str::to_owned);
        let mut new: Option<String> = Some(values.iter().fold(String::new(), |mut text, value| {
            push_pair(&mut text, &spelled, &encode(value));
            text
        }));
        let mut query = String::with_capacity(self.query.len());
        for pair in pairs(&self.query) {
            if pair.is_named(name) {
                if let Some(new) = new.take() {
                    push_segment(&mut query, &new);
                }
            } else {
                push_segment(&mut query, pair.segment);
            }
        }
        if let Some(new) = new {
            push_segment(&mut query, &new);
        }
        self.query = query;
        self.join();
    }

    /// Adds a parameter at the end.
    pub fn append_parameter(&mut self, name: &str, value: &str) {
        push_pair(&mut self.query, &encode(name), &encode(value));
        self.join();
    }
}

impl fmt::Display for RequestUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.base.scheme, self.base.authority(), self.path)?;
        if self.query().is_empty() { Ok(()) } else { write!(f, "?{}", self.query()) }
    }
}

/// One `name=value` of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The text between two `&`.
    pub segment: &'a str,
    /// The name, as written.
    pub raw_name: &'a str,
    /// The value, as written; empty without `=`.
    pub raw_value: &'a str,
}

impl<'a> Pair<'a> {
    /// The name, decoded.
    #[must_use]
    pub fn name(&self) -> Cow<'a, str> {
        decode(self.raw_name)
    }

    /// The value, decoded.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        decode(self.raw_value)
    }

    /// Whether the name is this one, without case.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        // Hardly any name is encoded; the others stand for themselves.
        if self.raw_name.bytes().any(|it| matches!(it, b'%' | b'+')) {
            return self.name().eq_ignore_ascii_case(name);
        }
        self.raw_name.eq_ignore_ascii_case(name)
    }
}

/// The parameters of a query, in order; empty segments are left out.
pub fn pairs(query: &str) -> impl Iterator<Item = Pair<'_>> {
    query.split('&').filter(|it| !it.is_empty()).map(|segment| {
        let (raw_name, raw_value) = segment.split_once('=').unwrap_or((segment, ""));
        Pair { segment, raw_name, raw_value }
    })
}

/// Decodes a name or value of a query: `+` is a space, `%xx` a byte. Bytes that are no UTF-8
/// become U+FFFD.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(text).decode_utf8_lossy()
}

/// Encodes a name or value of a query; everything but the unreserved characters.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, QUERY_VALUE).to_string()
}

fn push_pair(query: &mut String, name: &str, value: &str) {
    push_segment(query, &format!("{name}={value}"));
}

fn push_segment(query: &mut String, segment: &str) {
    if !segment.is_empty() {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(segment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str, below: &str, query: &str) -> RequestUrl {
        RequestUrl::new(Arc::new(BaseUrl::parse(base).unwrap()), below, query)
    }

    #[test]
    fn base_and_path_are_joined_by_exactly_one_slash() {
        let joined = |base, below| url(base, below, "").to_string();

        assert_eq!(joined("https://h/openai", "/x"), "https://h/openai/x");
        assert_eq!(joined("https://h/openai/", "/x"), "https://h/openai/x");
        assert_eq!(joined("https://h/openai/", "x/"), "https://h/openai/x/");
        assert_eq!(joined("https://h", ""), "https://h/");
        assert_eq!(joined("https://h/a", ""), "https://h/a");
        assert_eq!(joined("http://h:8080", "/x"), "http://h:8080/x");
    }

    #[test]
    fn a_query_of_the_base_is_kept_and_merged() {
        let mut it = url("https://h/a?k=1", "/x", "b=2");
        assert_eq!(it.path_and_query(), "/a/x?k=1&b=2");

        it.set_base(Arc::new(BaseUrl::parse("https://other").unwrap()));
        assert_eq!(it.to_string(), "https://other/x?b=2");
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        let error = |text| BaseUrl::parse(text).unwrap_err();

        assert_eq!(error("orders"), BaseUrlError::NotAbsolute);
        assert_eq!(error("fabric:/app"), BaseUrlError::Scheme("fabric".to_owned()));
        assert_eq!(error("https://u:p@h/"), BaseUrlError::Credentials);
    }

    #[test]
    fn setting_a_parameter_leaves_the_others_untouched() {
        let set = |query, values: &[&str]| {
            let mut it = url("https://h", "/", query);
            let values: Vec<String> = values.iter().map(|&it| it.to_owned()).collect();
            it.set_parameter("b", &values);
            it.own_query().to_owned()
        };

        assert_eq!(set("a=%7e&b=1&c=+", &["2"]), "a=%7e&b=2&c=+");
        assert_eq!(set("a=1&B=1&c=2&b=3", &["x y", "&"]), "a=1&B=x%20y&B=%26&c=2");
        assert_eq!(set("a=1&b=1", &[]), "a=1");
        assert_eq!(set("", &["1"]), "b=1");
        assert_eq!(set("a", &["1"]), "a&b=1");
    }

    #[test]
    fn a_parameter_is_appended_at_the_end() {
        let mut it = url("https://h", "/", "a=1");
        it.append_parameter("a", "ü");

        assert_eq!(it.own_query(), "a=1&a=%C3%BC");
        assert!(it.has_parameter("A") && !it.has_parameter("b"));
    }

    #[test]
    fn expressions_see_every_change() {
        let mut it = url("https://h:8443/a", "/x", "b=2");
        assert_eq!(it.view().to_string(), "https://h:8443/a/x?b=2");

        it.rewrite("/y", "");
        assert_eq!(it.view().to_string(), "https://h:8443/a/y");
        it.append_parameter("c", "3");
        assert_eq!(it.view().query_string, "?c=3");
    }

    #[test]
    fn names_and_values_are_decoded() {
        let all: Vec<_> = pairs("a+b=c%20d&&x&=y").map(|it| (it.name(), it.value())).collect();

        assert_eq!(all.len(), 3);
        assert_eq!(all[0], ("a b".into(), "c d".into()));
        assert_eq!(all[1], ("x".into(), "".into()));
        assert_eq!(all[2], ("".into(), "y".into()));
    }

    proptest::proptest! {
        #[test]
        fn setting_a_parameter_changes_no_other(query in "[a-c=&%+]{0,24}", value in ".{0,8}") {
            let mut it = url("https://h", "/", &query);
            let others = |it: &RequestUrl| -> Vec<String> {
                let others = pairs(it.own_query()).filter(|pair| !pair.is_named("b"));
                others.map(|pair| pair.segment.to_owned()).collect()
            };
            let before = others(&it);
            it.set_parameter("b", std::slice::from_ref(&value));

            proptest::prop_assert_eq!(others(&it), before);
            let set: Vec<_> = pairs(it.own_query()).filter(|pair| pair.is_named("b")).collect();
            proptest::prop_assert_eq!(set.len(), 1);
            proptest::prop_assert_eq!(set[0].value(), value);
        }
    }
}
