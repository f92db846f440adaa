//! The URL that a request is going to: a base (the backend's), a path below it and a query.
//!
//! `set-backend-service` changes the base, `rewrite-uri` path and query, `set-query-parameter`
//! the query. Untouched text stays as it was received, byte for byte, and is not even copied: what
//! the client sent is shared with its request line.

use std::fmt;
use std::sync::{Arc, OnceLock};

use expr::host::UrlView;
use http::uri::PathAndQuery;

use crate::query_text::QueryText;
use crate::url::{BaseUrl, pairs};

/// A base, the path below it, and a query.
#[derive(Clone, Debug)]
pub struct RequestUrl {
    base: Arc<BaseUrl>,
    own: Own,
    /// Path and query as a whole; made when somebody looks and they are not there in one piece.
    whole: OnceLock<Box<Whole>>,
    /// What expressions see; made when the first one looks.
    view: OnceLock<Box<UrlView>>,
}

/// What is not the base's.
#[derive(Clone, Debug)]
enum Own {
    /// As received; the path below the base begins at this byte of the path.
    Received {
        target: PathAndQuery,
        start: usize,
    },
    Given {
        below: String,
        query: String,
    },
}

/// The base's and the own, joined.
#[derive(Clone, Debug)]
struct Whole {
    path: String,
    query: String,
}

impl RequestUrl {
    /// `below` is the path below the base (a leading slash may be missing), `query` the text
    /// after `?`, both still percent-encoded.
    #[must_use]
    pub fn new(base: Arc<BaseUrl>, below: &str, query: &str) -> RequestUrl {
        RequestUrl::of(base, Own::Given { below: below.to_owned(), query: query.to_owned() })
    }

    /// The target of a request line. What stands before the byte `start` of its path belongs to
    /// somebody else, such as the API; the rest is the path below the base.
    #[must_use]
    pub fn received(base: Arc<BaseUrl>, target: PathAndQuery, start: usize) -> RequestUrl {
        RequestUrl::of(base, Own::Received { target, start })
    }

    fn of(base: Arc<BaseUrl>, own: Own) -> RequestUrl {
        RequestUrl { base, own, whole: OnceLock::new(), view: OnceLock::new() }
    }

    fn forget(&mut self) {
        self.whole = OnceLock::new();
        self.view = OnceLock::new();
    }

    /// The base.
    #[must_use]
    pub fn base(&self) -> &Arc<BaseUrl> {
        &self.base
    }

    /// Another base below the same path and query.
    pub fn set_base(&mut self, base: Arc<BaseUrl>) {
        self.base = base;
        self.forget();
    }

    /// The path below the base, as received or rewritten.
    #[must_use]
    pub fn below(&self) -> &str {
        match &self.own {
            Own::Received { target, start } => target.path().get(*start..).unwrap_or_default(),
            Own::Given { below, .. } => below,
        }
    }

    /// Another path below the base, and another query.
    pub fn rewrite(&mut self, below: &str, query: &str) {
        self.own = Own::Given { below: below.to_owned(), query: query.to_owned() };
        self.forget();
    }

    fn set_query(&mut self, query: String) {
        self.own = Own::Given { below: self.below().to_owned(), query };
        self.forget();
    }

    /// The whole path; starts with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        let below = self.below();
        if self.base.path().is_empty() && below.starts_with('/') {
            return below;
        }
        &self.whole().path
    }

    /// The whole query without `?`: the base's own first.
    #[must_use]
    pub fn query(&self) -> &str {
        if self.base.query().is_empty() {
            return self.own_query();
        }
        &self.whole().query
    }

    /// The query without what the base brings.
    #[must_use]
    pub fn own_query(&self) -> &str {
        match &self.own {
            Own::Received { target, .. } => target.query().unwrap_or_default(),
            Own::Given { query, .. } => query,
        }
    }

    fn whole(&self) -> &Whole {
        self.whole.get_or_init(|| {
            let mut whole = Whole { path: String::new(), query: String::new() };
            self.push_path(&mut whole.path);
            push_segment(&mut whole.query, self.base.query());
            push_segment(&mut whole.query, self.own_query());
            Box::new(whole)
        })
    }

    fn push_path(&self, text: &mut String) {
        let below = self.below();
        text.push_str(self.base.path());
        if !below.is_empty() && !below.starts_with('/') {
            text.push('/');
        }
        text.push_str(below);
        if text.is_empty() {
            text.push('/');
        }
    }

    /// Path and query, as they stand in a request line.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        let queries = [self.base.query(), self.own_query()];
        // As long as it will be: its bytes become those of the request line.
        let n_separators = queries.iter().filter(|it| !it.is_empty()).count();
        let below = self.below();
        let needs_slash = if below.is_empty() { self.base.path() } else { below };
        let n_slashes = usize::from(!needs_slash.starts_with('/'));
        let n_queries = queries.iter().map(|it| it.len()).sum::<usize>();
        let n_bytes = self.base.path().len() + n_slashes + below.len() + n_separators + n_queries;
        let mut text = String::with_capacity(n_bytes);
        self.push_path(&mut text);
        let mut separator = '?';
        for query in queries.into_iter().filter(|it| !it.is_empty()) {
            text.push(separator);
            text.push_str(query);
            separator = '&';
        }
        text
    }

    /// The URL as expressions see it.
    #[must_use]
    pub fn view(&self) -> &UrlView {
        self.view.get_or_init(|| {
            Box::new(UrlView {
                scheme: self.base.scheme().to_owned(),
                host: self.base.host().to_owned(),
                port: self.base.port(),
                path: self.path().to_owned(),
                query_string: match self.query() {
                    "" => String::new(),
                    query => format!("?{query}"),
                },
            })
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
    pub fn set_parameter<'a>(
        &mut self,
        name: &QueryText,
        values: impl Iterator<Item = &'a QueryText> + Clone,
    ) {
        let own = self.own_query();
        let n_new: usize = values.clone().map(|it| it.written().len() + 2).sum();
        let n_names = values.clone().count() * name.written().len();
        let mut query = String::with_capacity(own.len() + n_new + n_names);
        let mut spelled = None;
        for pair in pairs(own) {
            if !pair.is_named(name.text()) {
                push_segment(&mut query, pair.segment);
            } else if spelled.is_none() {
                spelled = Some(pair.raw_name);
                values.clone().for_each(|it| push_pair(&mut query, pair.raw_name, it));
            }
        }
        if spelled.is_none() {
            values.for_each(|it| push_pair(&mut query, name.written(), it));
        }
        if query != own {
            self.set_query(query);
        }
    }

    /// Removes the parameters of that name.
    pub fn remove_parameter(&mut self, name: &str) {
        if pairs(self.own_query()).any(|it| it.is_named(name)) {
            self.set_parameter(&QueryText::new(name), std::iter::empty());
        }
    }

    /// Adds a parameter at the end.
    pub fn append_parameter(&mut self, name: &QueryText, value: &QueryText) {
        let own = self.own_query();
        let n_bytes = own.len() + name.written().len() + value.written().len() + 2;
        let mut query = String::with_capacity(n_bytes);
        query.push_str(own);
        push_pair(&mut query, name.written(), value);
        self.set_query(query);
    }
}

/// What was made from the rest does not count.
impl PartialEq for RequestUrl {
    fn eq(&self, other: &RequestUrl) -> bool {
        self.base == other.base
            && self.below() == other.below()
            && self.own_query() == other.own_query()
    }
}

impl Eq for RequestUrl {}

impl fmt::Display for RequestUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.base.scheme(), self.base.authority(), self.path())?;
        if self.query().is_empty() { Ok(()) } else { write!(f, "?{}", self.query()) }
    }
}

fn push_pair(query: &mut String, name: &str, value: &QueryText) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    query.push_str(value.written());
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
    fn a_target_is_shared_and_begins_below_the_api() {
        let received = |base: &str, target: &str, start| {
            let base = Arc::new(BaseUrl::parse(base).unwrap());
            RequestUrl::received(base, target.parse().unwrap(), start)
        };
        let mut it = received("https://h/openai?k=1", "/api/x/?a=b&c", 4);
        assert_eq!((it.below(), it.own_query(), it.path()), ("/x/", "a=b&c", "/openai/x/"));
        assert_eq!(it, url("https://h/openai?k=1", "/x/", "a=b&c"));
        assert_eq!(it.path_and_query(), "/openai/x/?k=1&a=b&c");
        it.append_parameter(&QueryText::new("d"), &QueryText::new("1"));
        assert_eq!(it.path_and_query(), "/openai/x/?k=1&a=b&c&d=1");

        assert_eq!(received("https://h", "/api", 4).path_and_query(), "/");
        assert_eq!(received("https://h", "/api?q", 0).to_string(), "https://h/api?q");
        assert_eq!(received("https://h", "*", 0).path(), "/*");
        assert_eq!(received("https://h", "/api", 9).below(), "");
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
    fn setting_a_parameter_leaves_the_others_untouched() {
        let set = |query, values: &[&str]| {
            let mut it = url("https://h", "/", query);
            let values: Vec<QueryText> = values.iter().map(|&it| QueryText::new(it)).collect();
            it.set_parameter(&QueryText::new("b"), values.iter());
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
        it.append_parameter(&QueryText::new("a"), &QueryText::new("ü"));

        assert_eq!(it.own_query(), "a=1&a=%C3%BC");
        assert!(it.has_parameter("A") && !it.has_parameter("b"));
    }

    #[test]
    fn expressions_see_every_change() {
        let mut it = url("https://h:8443/a", "/x", "b=2");
        assert_eq!(it.view().to_string(), "https://h:8443/a/x?b=2");

        it.rewrite("/y", "");
        assert_eq!(it.view().to_string(), "https://h:8443/a/y");
        it.append_parameter(&QueryText::new("c"), &QueryText::new("3"));
        assert_eq!(it.view().query_string, "?c=3");
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
            it.set_parameter(&QueryText::new("b"), std::iter::once(&QueryText::new(&value)));

            proptest::prop_assert_eq!(others(&it), before);
            let set: Vec<_> = pairs(it.own_query()).filter(|pair| pair.is_named("b")).collect();
            proptest::prop_assert_eq!(set.len(), 1);
            proptest::prop_assert_eq!(set[0].value(), value);
        }
    }
}
