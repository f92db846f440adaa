//! Query options: `$filter=…&$top=3`.
//!
//! Source: OData Version 4.01, part 2, section 5.

use crate::expression::{self, Reader};
use crate::path::Resource;
use crate::{Place, Version, Violation, decoded};

/// Options within options of `$expand`.
const MAX_DEPTH: usize = 16;

/// Checks one option's value.
type Check = fn(&str, usize) -> Result<(), String>;

/// System query options, and how their values are checked.
const SYSTEM: &[(&str, Check)] = &[
    ("$apply", |it, _| transformations(it)),
    ("$compute", |it, _| items(it, computed)),
    ("$count", |it, _| boolean(it)),
    ("$deltatoken", |it, _| filled(it)),
    ("$expand", expand),
    ("$filter", |it, _| expression::check(it)),
    ("$format", |it, _| filled(it)),
    ("$id", |it, _| filled(it)),
    ("$index", |it, _| integer(it.strip_prefix('-').unwrap_or(it))),
    ("$orderby", |it, _| items(it, ordered)),
    ("$schemaversion", |it, _| filled(it)),
    ("$search", |it, _| search(it)),
    ("$select", select),
    ("$skip", |it, _| integer(it)),
    ("$skiptoken", |it, _| filled(it)),
    ("$top", |it, _| integer(it)),
];
/// Those that stand inside of `$expand` only.
const NESTED: &[(&str, Check)] =
    &[("$levels", |it, _| if it == "max" { Ok(()) } else { integer(it) })];

/// Everything that is wrong with a query, as received.
pub(crate) fn check(query: &str, resource: &Resource, version: Version) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for part in query.split('&').filter(|it| !it.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        // A blank may be written as a plus sign.
        let text = |it: &str| decoded(&it.replace('+', " "));
        let Some((name, value)) = text(name).zip(text(value)) else {
            let place = Place::Option(name.to_owned());
            let problem = "it is no text in UTF-8".to_owned();
            found.push(Violation { place, problem });
            continue;
        };
        let name = canonical(&name, version);
        let told = |problem| Violation { place: Place::Option(name.clone()), problem };
        if seen.contains(&name) && name.starts_with(['$', '@']) {
            found.push(told("it stands more than once".to_owned()));
            continue;
        }
        if let Err(problem) = one(&name, &value, resource) {
            found.push(told(problem));
        }
        seen.push(name);
    }
    found
}

/// The name with its `$` and in lower case, where the version does not insist.
fn canonical(name: &str, version: Version) -> String {
    if !version.is_relaxed() {
        return name.to_owned();
    }
    let lower = name.to_lowercase();
    let known =
        SYSTEM.iter().find(|(it, _)| lower == *it || Some(lower.as_str()) == it.strip_prefix('$'));
    known.map_or_else(|| name.to_owned(), |(it, _)| (*it).to_owned())
}

fn one(name: &str, value: &str, resource: &Resource) -> Result<(), String> {
    if name.starts_with('@') {
        let is_name =
            name.len() > 1 && name.chars().skip(1).all(|it| it.is_alphanumeric() || it == '_');
        return if is_name {
            expression::check(value)
        } else {
            Err("it is no parameter".to_owned())
        };
    }
    if !name.starts_with('$') {
        return Ok(());
    }
    if let Some(last @ ("$metadata" | "$batch")) = resource.last.as_deref()
        && !matches!(name, "$format" | "$schemaversion")
    {
        return Err(format!("it cannot be used with `{last}`"));
    }
    match SYSTEM.iter().find(|(it, _)| *it == name) {
        Some((_, check)) => check(value, 0),
        None => Err("it is no system query option".to_owned()),
    }
}

fn filled(text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err("it has no value".to_owned()) } else { Ok(()) }
}

fn boolean(text: &str) -> Result<(), String> {
    let is_one = matches!(text, "true" | "false");
    if is_one { Ok(()) } else { Err(format!("`{text}` is not `true` or `false`")) }
}

fn integer(text: &str) -> Result<(), String> {
    let is_one = !text.is_empty() && text.len() <= 19 && text.chars().all(|it| it.is_ascii_digit());
    if is_one { Ok(()) } else { Err(format!("`{text}` is no whole number")) }
}

/// Items with commas.
fn items(text: &str, item: fn(&mut Reader) -> Result<(), String>) -> Result<(), String> {
    let mut reader = Reader::new(text)?;
    loop {
        item(&mut reader)?;
        if !reader.sign(',') {
            return reader.end();
        }
    }
}

fn ordered(reader: &mut Reader) -> Result<(), String> {
    reader.expression()?;
    reader.word(&["asc", "desc"]);
    Ok(())
}

fn computed(reader: &mut Reader) -> Result<(), String> {
    reader.expression()?;
    let is_named = reader.word(&["as"]) && reader.name().is_some();
    if is_named { Ok(()) } else { Err("`as` and a name are missing".to_owned()) }
}

/// Transformations with slashes: what is in their parentheses is looked at as far as those are
/// closed.
fn transformations(text: &str) -> Result<(), String> {
    for part in split(text, '/')? {
        let part = part.trim();
        let name = part.split('(').next().unwrap_or_default();
        let is_name = name.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '.'));
        if name.is_empty() || !is_name || !(part == "identity" || part.ends_with(')')) {
            return Err(format!("`{part}` is no transformation"));
        }
    }
    Ok(())
}

fn select(text: &str, depth: usize) -> Result<(), String> {
    nested_items(text, depth, "*")
}

fn expand(text: &str, depth: usize) -> Result<(), String> {
    nested_items(text, depth, "*")
}

/// `a/b($filter=…;$select=…),c`.
fn nested_items(text: &str, depth: usize, star: &str) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
    }
    for item in split(text, ',')? {
        let item = item.trim();
        let (path, options) = item.split_once('(').unwrap_or((item, ""));
        let is_segment = |it: &str| {
            let is_part = |it: char| it.is_alphanumeric() || matches!(it, '_' | '.' | '@' | '#');
            it == star
                || matches!(it, "$count" | "$ref" | "$value")
                || !it.is_empty() && it.chars().all(is_part)
        };
        if !path.split('/').all(is_segment) {
            return Err(format!("`{path}` is no path"));
        }
        if item.contains('(') {
            let options = options.strip_suffix(')').ok_or("a parenthesis is not closed")?;
            nested_options(options, depth)?;
        }
    }
    Ok(())
}

fn nested_options(text: &str, depth: usize) -> Result<(), String> {
    for option in split(text, ';')? {
        let (name, value) = option.trim().split_once('=').unwrap_or((option.trim(), ""));
        let mut known = SYSTEM.iter().chain(NESTED);
        let (_, check) = known
            .find(|(it, _)| *it == name)
            .ok_or_else(|| format!("`{name}` is no option of an expansion"))?;
        check(value, depth + 1).map_err(|problem| format!("{name}: {problem}"))?;
    }
    Ok(())
}

/// Splits outside of quotes and parentheses.
fn split(text: &str, sign: char) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(it), _) if it == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.checked_sub(1).ok_or("`)` is not expected")?,
            (None, _) if letter == sign && depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    if quote.is_some() {
        return Err("a quotation does not end".to_owned());
    }
    if depth > 0 {
        return Err("a parenthesis is not closed".to_owned());
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts)
}

/// Words and phrases with `NOT`, `AND`, `OR` and parentheses.
fn search(text: &str) -> Result<(), String> {
    filled(text)?;
    split(text, '\0')?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_operator = |it: &str| matches!(it, "AND" | "OR");
    let is_cut_off = words.first().is_some_and(|it| is_operator(it))
        || words.last().is_some_and(|it| is_operator(it) || *it == "NOT");
    let are_neighbours = words.windows(2).any(|pair| match pair {
        [a, b] => (is_operator(a) || *a == "NOT") && is_operator(b),
        _ => false,
    });
    if is_cut_off || are_neighbours { Err("an operand is missing".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(query: &str, version: Version) -> Vec<String> {
        let found = check(query, &Resource::default(), version);
        found.iter().map(|it| format!("{}: {}", it.place, it.problem)).collect()
    }

    #[test]
    fn options_of_the_specification_are_right() {
        for query in [
            "",
            "$filter=Name%20eq%20'a%26b'&$top=0&$skip=10&$count=true",
            "$orderby=Name+desc,length(Name),Address/City asc",
            "$select=Name,Address/City,Ns.Type/*,*,Trips($top=1)",
            "$expand=Trips($filter=Cost gt 3;$expand=Guests($levels=max);$select=Name),Friends/$ref",
            "$expand=*",
            "$search=(mountain OR \"big bike\") AND NOT clothing",
            "$compute=Price mul Qty as Total,1 as One",
            "$apply=filter(a eq 1)/groupby((Name),aggregate(Cost with sum as Sum))",
            "$format=json&$skiptoken=x&$index=-1&$schemaversion=*&$id=People(1)&$deltatoken=3",
            "custom=1&custom=2&subscription-key=x",
            "$filter=Name eq @p&@p='x'",
        ] {
            assert_eq!(shown(query, Version::V4_0), [""; 0], "{query}");
        }
        assert_eq!(shown("top=1&FILTER=a eq 1", Version::V4_01), [""; 0]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (query, expected) in [
            ("$flter=1", "$flter: it is no system query option"),
            ("$Top=1", "$Top: it is no system query option"),
            ("$top=-1", "$top: `-1` is no whole number"),
            ("$top=", "$top: `` is no whole number"),
            ("$count=yes", "$count: `yes` is not `true` or `false`"),
            ("$top=1&$top=2", "$top: it stands more than once"),
            ("$filter=a eq", "$filter: an expression is missing at the end"),
            ("$filter=%FF", "$filter: it is no text in UTF-8"),
            ("$orderby=a up", "$orderby: `up` is not expected"),
            ("$select=a b", "$select: `a b` is no path"),
            ("$expand=a($top=x)", "$expand: $top: `x` is no whole number"),
            ("$expand=a($foo=1)", "$expand: `$foo` is no option of an expansion"),
            ("$expand=a($top=1", "$expand: a parenthesis is not closed"),
            ("$search=", "$search: it has no value"),
            ("$search=a AND", "$search: an operand is missing"),
            ("$compute=a", "$compute: `as` and a name are missing"),
            ("$apply=1x y", "$apply: `1x y` is no transformation"),
            ("@=1", "@: it is no parameter"),
            ("@p=", "@p: an expression is missing at the end"),
        ] {
            assert_eq!(shown(query, Version::V4_0), [expected], "{query}");
        }
        let deep = format!("$expand={}a{}", "a($expand=".repeat(1000), ")".repeat(1000));
        assert_eq!(shown(&deep, Version::V4_0).len(), 1);
    }

    #[test]
    fn metadata_takes_hardly_any_option() {
        let resource = Resource { last: Some("$metadata".to_owned()) };
        assert!(check("$format=json", &resource, Version::V4_0).is_empty());
        assert_eq!(check("$top=1", &resource, Version::V4_0).len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn no_query_makes_it_panic(query in ".{0,80}") {
            let _ = check(&query, &Resource::default(), Version::V4_01);
        }
    }
}
