//! The dictionaries of `context`: headers, query, matched parameters, variables, certificates.
//!
//! They are read from the host directly; nothing is copied before an item is asked for. Names of
//! headers, query and matched parameters compare without case, names of variables with case.

use dotnet::Str;

use crate::cx::EvalCx;
use crate::exception::Exception;
use crate::host::{HeadersView, HostRef, UrlView};
use crate::types::Type;
use crate::value::KeyValuePair;
use crate::value::sequence::Items;
use crate::value::{Cursor, Value};

/// The headers that a part of `context` is.
fn headers<'h>(of: HostRef, cx: &EvalCx<'h>) -> Option<&'h dyn HeadersView> {
    match of {
        HostRef::RequestHeaders => Some(cx.host().request().headers()),
        HostRef::ResponseHeaders => cx.host().response().map(|it| it.headers()),
        _ => None,
    }
}

/// The URL whose query a part of `context` is.
fn queried<'h>(of: HostRef, cx: &EvalCx<'h>) -> Option<&'h UrlView> {
    match of {
        HostRef::UrlQuery => Some(cx.host().request().url()),
        HostRef::OriginalUrlQuery => Some(cx.host().request().original_url()),
        _ => None,
    }
}

/// How many entries there are, if the part is a dictionary.
pub fn count(of: HostRef, cx: &EvalCx<'_>) -> Option<usize> {
    match of {
        HostRef::Variables => Some(cx.host().variables().len()),
        HostRef::MatchedParameters => Some(cx.host().request().matched_parameters().len()),
        _ => grouped(of, cx).map(|it| it.len()),
    }
}

/// Is there an entry of the name, if the part is a dictionary?
pub fn contains(of: HostRef, name: &str, cx: &EvalCx<'_>) -> Option<bool> {
    if let Some(headers) = headers(of, cx) {
        return Some(headers.contains(name));
    }
    if let Some(url) = queried(of, cx) {
        return Some(url.query_pairs().any(|(own, _)| own.eq_ignore_ascii_case(name)));
    }
    match of {
        HostRef::Variables => Some(cx.host().variables().contains(name)),
        HostRef::MatchedParameters => Some(matched(name, cx).is_some()),
        _ => None,
    }
}

fn matched<'h>(name: &str, cx: &EvalCx<'h>) -> Option<&'h str> {
    let all = cx.host().request().matched_parameters();
    all.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The value of an entry.
///
/// # Errors
///
/// If reading it fails.
pub fn lookup(of: HostRef, name: &str, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
    if let Some(headers) = headers(of, cx) {
        let mut values: Vec<Value> = Vec::new();
        headers.each(name, &mut |it| values.push(it.into()));
        return Ok(strings(values));
    }
    if let Some(url) = queried(of, cx) {
        return Ok(strings(url.query_values(name).into_iter().map(Value::from).collect()));
    }
    match of {
        HostRef::Variables => Ok(cx.host().variables().get(name).cloned()),
        HostRef::MatchedParameters => Ok(matched(name, cx).map(Value::from)),
        _ => {
            let entries = entries(of, cx)?.unwrap_or_default();
            Ok(entries.into_iter().find(|(own, _)| own == name).map(|(_, value)| value))
        }
    }
}

fn strings(values: Vec<Value>) -> Option<Value> {
    (!values.is_empty()).then(|| Value::array(Type::String, values))
}

/// All values of a header or query parameter, joined with commas; no array is made.
pub fn joined(of: HostRef, name: &str, cx: &EvalCx<'_>) -> Option<Str> {
    if let Some(headers) = headers(of, cx) {
        // Nearly always there is one value: it is copied once.
        let (mut first, mut all): (Option<Str>, Option<String>) = (None, None);
        headers.each(name, &mut |it| match (&first, &mut all) {
            (None, _) => first = Some(it.into()),
            (Some(_), Some(all)) => {
                all.push(',');
                all.push_str(it);
            }
            (Some(first), None) => all = Some(format!("{},{it}", first.as_str())),
        });
        return all.map(Str::from).or(first);
    }
    let values = queried(of, cx)?.query_values(name);
    (!values.is_empty()).then(|| values.join(",").into())
}

/// Names with all their values, in the order in which names first occur.
fn grouped(of: HostRef, cx: &EvalCx<'_>) -> Option<Vec<(String, Vec<Value>)>> {
    let mut all: Vec<(String, Vec<Value>)> = Vec::new();
    let mut add = |name: &str, value: &str| match all
        .iter_mut()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
    {
        Some((_, values)) => values.push(value.into()),
        None => all.push((name.to_owned(), vec![value.into()])),
    };
    if let Some(headers) = headers(of, cx) {
        headers.all(&mut add);
    } else {
        queried(of, cx)?.query_pairs().for_each(|(name, value)| add(&name, &value));
    }
    Some(all)
}

/// Names and values, if the part is a dictionary.
fn entries(of: HostRef, cx: &mut EvalCx<'_>) -> Result<Option<Vec<(String, Value)>>, Exception> {
    if let Some(all) = grouped(of, cx) {
        let array = |values| Value::array(Type::String, values);
        return Ok(Some(all.into_iter().map(|(name, it)| (name, array(it))).collect()));
    }
    Ok(match of {
        HostRef::Variables => {
            let all = cx.host().variables().iter();
            Some(all.map(|(name, value)| (name.to_owned(), value.clone())).collect())
        }
        HostRef::MatchedParameters => {
            let all = cx.host().request().matched_parameters().iter();
            Some(all.map(|(name, value)| (name.clone(), value.as_str().into())).collect())
        }
        HostRef::Certificates => Some(cx.host().deployment().certificates.clone()),
        _ => None,
    })
}

/// Enumerates a dictionary of `context` as pairs.
///
/// # Errors
///
/// If reading it fails.
pub fn cursor(of: HostRef, cx: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
    let Some(entries) = entries(of, cx)? else { return Ok(None) };
    cx.allocate(entries.len() * 4 * size_of::<Value>())?;
    let value = of.static_type().argument(1).unwrap_or(Type::Object);
    let pair = |(name, it): (String, Value)| {
        Value::object(KeyValuePair::new([Type::String, value], name.into(), it))
    };
    Ok(Some(Box::new(Items::new(entries.into_iter().map(pair).collect()))))
}

#[cfg(test)]
mod tests {
    use dotnet::Runtime;

    use super::*;
    use crate::Limits;
    use crate::host::EmptyHost;

    fn with_filled(f: impl FnOnce(&mut EvalCx<'_>)) {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut host = EmptyHost {
            url: UrlView::parse("https://localhost/?tag=red&n=1&TAG=blue").unwrap(),
            headers: vec![
                header("Accept", "text/a"),
                header("X-Count", "1"),
                header("accept", "b"),
            ],
            ..EmptyHost::default()
        };
        host.variables.set("maxAge", Value::from(5));
        f(&mut EvalCx::new(&host, Runtime::Modern, Limits::default()));
    }

    #[test]
    fn names_of_headers_and_query_compare_without_case() {
        with_filled(|cx| {
            assert_eq!(contains(HostRef::RequestHeaders, "x-COUNT", cx), Some(true));
            assert_eq!(contains(HostRef::UrlQuery, "tAG", cx), Some(true));
            assert_eq!(contains(HostRef::Variables, "MAXAGE", cx), Some(false));
            assert_eq!(joined(HostRef::RequestHeaders, "accept", cx).unwrap(), "text/a,b");
            assert_eq!(joined(HostRef::UrlQuery, "tag", cx).unwrap(), "red,blue");
            assert_eq!(joined(HostRef::UrlQuery, "none", cx), None);
        });
    }

    #[test]
    fn entries_are_grouped_by_name() {
        with_filled(|cx| {
            assert_eq!(count(HostRef::UrlQuery, cx), Some(2));
            let mut cursor = cursor(HostRef::RequestHeaders, cx).unwrap().unwrap();
            let mut lengths = Vec::new();
            while let Some(item) = cursor.next(cx).unwrap() {
                let pair = item.as_object::<KeyValuePair>().unwrap();
                lengths
                    .push((pair.key.to_text().into_owned(), pair.value.collect(cx).unwrap().len()));
            }
            assert_eq!(lengths, [("Accept".to_owned(), 2), ("X-Count".to_owned(), 1)]);
        });
    }

    #[test]
    fn a_missing_entry_is_none() {
        with_filled(|cx| {
            assert!(lookup(HostRef::RequestHeaders, "nope", cx).unwrap().is_none());
            assert!(lookup(HostRef::Variables, "maxAge", cx).unwrap().is_some());
            assert!(super::cursor(HostRef::Request, cx).unwrap().is_none());
        });
    }
}
