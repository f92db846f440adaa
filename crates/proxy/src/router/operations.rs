//! Finding an operation: one tree of segments per API, so that the cost of a request follows
//! from its path and not from the number of operations.
//!
//! Branches are tried in the order literal, mixed, `{x}`, `*`, segment by segment from the left;
//! where a branch ends without a fit the next one is tried.

use http::Method;
use pipeline::url::{Pair, cut, pairs};

use super::segment::{Mixed, Value};
use super::table::Table;
use super::template::{QueryRule, QueryValue, Segment, Template};

/// The operations of one API.
#[derive(Debug, Default)]
pub(super) struct Operations {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literals: Table<Node>,
    /// Those with more text first, else in the order of definition.
    mixed: Vec<(Mixed, Node)>,
    parameter: Option<Box<Node>>,
    /// Operations whose template ends here.
    ends: Vec<End>,
    /// Operations whose template goes on with a wildcard here.
    wildcards: Vec<End>,
}

/// An operation at the end of its path.
#[derive(Debug)]
struct End {
    number: usize,
    /// `None` for `*`, which is any.
    method: Option<Method>,
    /// Names of the parameters on the way here, then of the wildcard.
    names: Vec<String>,
    query: Vec<QueryRule>,
}

/// What is looked for.
struct Wanted<'a> {
    method: &'a Method,
    query: &'a str,
    /// The path below the API, for wildcards.
    path: &'a str,
}

/// What is left of a path: its segments from one on, without the slash at its end; `None` after
/// the last one.
type Rest<'a> = Option<&'a str>;

/// Where the values of parameters go.
trait Values<'a> {
    fn n(&self) -> usize;
    fn truncate(&mut self, n: usize);
    fn push(&mut self, value: Value<'a>);
}

impl<'a> Values<'a> for Vec<Value<'a>> {
    fn n(&self) -> usize {
        self.len()
    }

    fn truncate(&mut self, n: usize) {
        Vec::truncate(self, n);
    }

    fn push(&mut self, value: Value<'a>) {
        Vec::push(self, value);
    }
}

/// For those who need no values.
impl<'a> Values<'a> for () {
    fn n(&self) -> usize {
        0
    }

    fn truncate(&mut self, _: usize) {}

    fn push(&mut self, _: Value<'a>) {}
}

impl Operations {
    /// Adds an operation; the method `*` is any. Of equal ones the first counts.
    pub(super) fn add(&mut self, number: usize, method: &str, template: &str) {
        let template = Template::parse(template);
        let mut node = &mut self.root;
        for segment in template.segments {
            node = node.child(segment);
        }
        let mut names = template.names;
        let is_wildcard = template.wildcard.is_some();
        names.extend(template.wildcard);
        let end = End {
            number,
            method: if method == "*" { None } else { method.parse().ok() },
            names,
            query: template.query,
        };
        if end.method.is_none() && method != "*" {
            // No request can have a method that is not even a token.
            return;
        }
        let ends = if is_wildcard { &mut node.wildcards } else { &mut node.ends };
        // More required query parameters win, then a named method, then the definition's order.
        let rank = |it: &End| (std::cmp::Reverse(it.query.len()), it.method.is_none());
        let at = ends.partition_point(|it| rank(it) <= rank(&end));
        ends.insert(at, end);
    }

    /// The operation for a method, a path below the API and a query, all as received: its place
    /// in the order of definition.
    pub(super) fn find(&self, method: &Method, path: &str, query: &str) -> Option<usize> {
        let wanted = Wanted { method, query, path };
        self.root.find(&wanted, first(path), &mut ()).map(|it| it.number)
    }

    /// The parameters of the template of that operation, as received; none without an operation.
    pub(super) fn parameters(
        &self,
        method: &Method,
        path: &str,
        query: &str,
    ) -> Vec<(String, String)> {
        let wanted = Wanted { method, query, path };
        let mut values = Vec::new();
        let Some(end) = self.root.find(&wanted, first(path), &mut values) else {
            return Vec::new();
        };
        let names = end.names.iter().cloned();
        let mut parameters: Vec<(String, String)> =
            names.zip(values.into_iter().map(Value::into_owned)).collect();
        for rule in &end.query {
            if let QueryValue::Parameter(name) = &rule.value
                && let Some(pair) = pairs(query).find(|it| it.is_named(&rule.name))
            {
                parameters.push((name.clone(), pair.raw_value.to_owned()));
            }
        }
        parameters
    }
}

/// All segments of a path.
fn first(path: &str) -> Rest<'_> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    (!inner.is_empty()).then_some(inner)
}

impl Node {
    fn child(&mut self, segment: Segment) -> &mut Node {
        match segment {
            Segment::Literal(text) => self.literals.entry(text),
            Segment::Parameter => self.parameter.get_or_insert_default(),
            Segment::Mixed(mixed) => {
                let known = self.mixed.iter().position(|(it, _)| *it == mixed);
                let at = known.unwrap_or_else(|| {
                    let text = |it: &Mixed| std::cmp::Reverse(it.n_text_bytes());
                    let at = self.mixed.partition_point(|(it, _)| text(it) <= text(&mixed));
                    self.mixed.insert(at, (mixed, Node::default()));
                    at
                });
                #[expect(clippy::indexing_slicing, reason = "the place was found or just made")]
                &mut self.mixed[at].1
            }
        }
    }

    fn find<'a>(
        &self,
        wanted: &Wanted<'a>,
        rest: Rest<'a>,
        values: &mut impl Values<'a>,
    ) -> Option<&End> {
        let n_values = values.n();
        let found = match rest {
            None => wanted.first(&self.ends),
            Some(rest) => self.find_below(rest, wanted, values),
        };
        if found.is_some() {
            return found;
        }
        values.truncate(n_values);
        let end = wanted.first(&self.wildcards)?;
        values.push(wanted.rest(rest).into());
        Some(end)
    }

    fn find_below<'a>(
        &self,
        rest: &'a str,
        wanted: &Wanted<'a>,
        values: &mut impl Values<'a>,
    ) -> Option<&End> {
        let n_values = values.n();
        let (segment, rest) = cut(rest, b'/');
        if let Some(node) = self.literals.get(segment)
            && let Some(end) = node.find(wanted, rest, values)
        {
            return Some(end);
        }
        for (mixed, node) in &self.mixed {
            values.truncate(n_values);
            if let Some(found) = mixed.matches(segment) {
                found.into_iter().for_each(|it| values.push(it));
                if let Some(end) = node.find(wanted, rest, values) {
                    return Some(end);
                }
            }
        }
        values.truncate(n_values);
        let node = self.parameter.as_ref().filter(|_| !segment.is_empty())?;
        values.push(segment.into());
        node.find(wanted, rest, values)
    }
}

impl<'a> Wanted<'a> {
    fn first<'n>(&self, ends: &'n [End]) -> Option<&'n End> {
        ends.iter().find(|it| {
            it.method.as_ref().is_none_or(|method| method == self.method)
                && it.query.iter().all(|rule| self.has(rule))
        })
    }

    fn has(&self, rule: &QueryRule) -> bool {
        let fits = |pair: &Pair<'_>| match &rule.value {
            QueryValue::Parameter(_) => true,
            QueryValue::Literal(wanted) => wanted.is_empty() || pair.value() == *wanted,
        };
        pairs(self.query).any(|it| it.is_named(&rule.name) && fits(&it))
    }

    /// The path from a segment on, its slashes as received.
    fn rest(&self, rest: Rest<'_>) -> &'a str {
        let Some(rest) = rest else { return "" };
        let n_after = usize::from(self.path.ends_with('/'));
        let start = self.path.len().saturating_sub(n_after + rest.len());
        self.path.get(start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use proptest::prelude::*;

    use super::Operations;

    fn operations(list: &[&str]) -> Operations {
        let mut operations = Operations::default();
        for (number, it) in list.iter().enumerate() {
            let (method, template) = it.split_once(' ').unwrap();
            operations.add(number, method, template);
        }
        operations
    }

    /// The template that a request matches, with its parameters.
    fn find(list: &[&str], request: &str) -> String {
        let (method, url) = request.split_once(' ').unwrap();
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let method: Method = method.parse().unwrap();
        let operations = operations(list);
        let Some(found) = operations.find(&method, path, query) else {
            return "none".to_owned();
        };
        let parameters: Vec<String> = operations
            .parameters(&method, path, query)
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("{} [{}]", list[found], parameters.join(" "))
    }

    #[test]
    fn literal_before_mixed_before_parameter_before_wildcard() {
        let list =
            &["GET /*", "GET /{x}", "GET /{x}.json", "GET /a.json", "GET /a/{y}", "GET /{x}/b"];
        for (request, expected) in [
            ("GET /a.json", "GET /a.json []"),
            ("GET /b.json", "GET /{x}.json [x=b]"),
            ("GET /b", "GET /{x} [x=b]"),
            ("GET /a/b", "GET /a/{y} [y=b]"),
            ("GET /c/b", "GET /{x}/b [x=c]"),
            ("GET /c/d/e", "GET /* [*=c/d/e]"),
            ("GET /", "GET /* [*=]"),
        ] {
            assert_eq!(find(list, request), expected, "{request}");
        }
    }

    #[test]
    fn a_branch_that_ends_without_a_fit_is_left_again() {
        let list = &["GET /a/b/c", "GET /{x}/b/d", "POST /a/b/d", "GET /a/*"];
        assert_eq!(find(list, "GET /a/b/d"), "GET /a/* [*=b/d]");
        let list = &["GET /a/b/c", "GET /{x}/b/d", "POST /a/b/d"];
        assert_eq!(find(list, "GET /a/b/d"), "GET /{x}/b/d [x=a]");
    }

    #[test]
    fn the_method_must_be_equal_and_a_star_is_any() {
        let list = &["* /a", "GET /a", "GET /b"];
        for (request, expected) in [
            ("GET /a", "GET /a []"),
            ("PATCH /a", "* /a []"),
            ("HEAD /b", "none"),
            ("get /b", "none"),
        ] {
            assert_eq!(find(list, request), expected, "{request}");
        }
    }

    #[test]
    fn query_parameters_of_the_template_must_be_there() {
        let list = &["GET /a", "GET /a?id={id}", "GET /a?id={id}&kind=full", "GET /a?flag="];
        for (request, expected) in [
            ("GET /a", "GET /a []"),
            ("GET /a?x=1", "GET /a []"),
            ("GET /a?ID=7%20", "GET /a?id={id} [id=7%20]"),
            ("GET /a?kind=full&id=7", "GET /a?id={id}&kind=full [id=7]"),
            ("GET /a?kind=Full&id=7", "GET /a?id={id} [id=7]"),
            ("GET /a?flag=on", "GET /a?flag= []"),
        ] {
            assert_eq!(find(list, request), expected, "{request}");
        }
    }

    #[test]
    fn segments_decode_on_their_own_and_values_stay_as_received() {
        let list = &["GET /a b/{x}", "GET /files/*"];
        for (request, expected) in [
            ("GET /A%20b/p%2Fq", "GET /a b/{x} [x=p%2Fq]"),
            ("GET /files/a//b%20/", "GET /files/* [*=a//b%20/]"),
            ("GET /files", "GET /files/* [*=]"),
            ("GET /files/", "GET /files/* [*=]"),
        ] {
            assert_eq!(find(list, request), expected, "{request}");
        }
    }

    #[test]
    fn a_slash_at_the_end_makes_no_difference_and_a_parameter_is_never_empty() {
        let list = &["GET /a/{x}", "GET /b/", "GET /"];
        for (request, expected) in [
            ("GET /a/1/", "GET /a/{x} [x=1]"),
            ("GET /b", "GET /b/ []"),
            ("GET /", "GET / []"),
            ("GET /a//", "none"),
        ] {
            assert_eq!(find(list, request), expected, "{request}");
        }
    }

    #[test]
    fn of_equal_operations_the_first_counts() {
        let list = &["GET /a/{x}", "GET /a/{y}"];
        assert_eq!(find(list, "GET /a/1"), "GET /a/{x} [x=1]");
    }

    /// The rank of a template for a path, segment by segment; `None` if it does not fit.
    fn rank(template: &str, path: &str) -> Option<Vec<u8>> {
        let (template, path) = (template.trim_matches('/'), path.trim_matches('/'));
        let mut segments = path.split('/').filter(|it| !it.is_empty());
        let mut rank = Vec::new();
        for text in template.split('/').filter(|it| !it.is_empty()) {
            if text == "*" {
                rank.push(3);
                return Some(rank);
            }
            let segment = segments.next()?;
            let prefix = text.strip_suffix("{x}");
            rank.push(match prefix {
                None => (text == segment).then_some(0)?,
                Some("") => 2,
                Some(prefix) => {
                    let fits = segment.starts_with(prefix) && segment.len() > prefix.len();
                    fits.then_some(1)?
                }
            });
        }
        segments.next().is_none().then_some(rank)
    }

    proptest! {
        #[test]
        fn the_tree_agrees_with_trying_every_template(
            templates in prop::collection::vec("(/(a|b|ab|a\\{x\\}|\\{x\\})){0,3}(/\\*)?", 1..12),
            path in "(/(a|b|ab|aa)){0,4}",
        ) {
            let best = templates
                .iter()
                .enumerate()
                .filter_map(|(number, it)| Some((rank(it, &path)?, number)))
                .min();
            let mut operations = Operations::default();
            for (number, template) in templates.iter().enumerate() {
                operations.add(number, "GET", template);
            }
            let found = operations.find(&Method::GET, &path, "");
            prop_assert_eq!(found, best.map(|(_, number)| number));
        }
    }
}
