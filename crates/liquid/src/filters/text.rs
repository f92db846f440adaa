//! Filters on texts. Positions count UTF-16 units, as in .NET.

use dotnet::Str;
use dotnet::text::chars;
use dotnet::text::compare::{Comparison, replace};
use dotnet::text::split::{self as pieces, Separators};

use super::{Args, optional};
use crate::error::Stop;
use crate::value::Value;

fn is_blank(text: &Str) -> bool {
    text.as_str().chars().all(char::is_whitespace)
}

/// Changes a text that is there.
fn change(mut args: Args<'_, '_>, with: impl FnOnce(Str) -> Str) -> Result<Value, Stop> {
    Ok(optional(args.input_text()?.map(with)))
}

fn each_unit(text: &Str, with: fn(u16) -> u16) -> Str {
    Str::from_units(&text.units().iter().map(|it| with(*it)).collect::<Vec<_>>())
}

pub(super) fn append(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let tail = args.text(0)?.unwrap_or(Str::EMPTY);
    change(args, |it| it.concat(&tail))
}

pub(super) fn prepend(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let head = args.text(0)?.unwrap_or(Str::EMPTY);
    change(args, |it| head.concat(&it))
}

pub(super) fn upcase(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| match it.as_ascii() {
        Some(text) => text.to_ascii_uppercase().into(),
        None => each_unit(&it, chars::to_upper),
    })
}

pub(super) fn downcase(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| match it.as_ascii() {
        Some(text) => text.to_ascii_lowercase().into(),
        None => each_unit(&it, chars::to_lower),
    })
}

/// `TextInfo.ToTitleCase`: each word begins with a capital and goes on in lower case, unless all
/// of it is in upper case.
pub(super) fn capitalize(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| Str::from_units(&title_case(&it.units())))
}

fn title_case(units: &[u16]) -> Vec<u16> {
    let mut out = Vec::with_capacity(units.len());
    let mut rest = units.iter().copied().peekable();
    while let Some(first) = rest.next() {
        if !chars::is_letter(first) {
            out.push(first);
            continue;
        }
        out.push(chars::to_upper(first));
        let mut word: Vec<u16> = Vec::new();
        let mut has_lower = chars::is_lower(first);
        while let Some(unit) = rest.next_if(|it| *it == u16::from(b'\'') || is_of_word(*it)) {
            word.push(unit);
            has_lower |= chars::is_lower(unit);
            if unit == u16::from(b'\'') {
                // What follows an apostrophe is never a word in upper case of its own.
                flush(&mut word, has_lower, &mut out);
                has_lower = true;
            }
        }
        flush(&mut word, has_lower, &mut out);
    }
    out
}

fn flush(word: &mut Vec<u16>, has_lower: bool, out: &mut Vec<u16>) {
    let lower = |it: u16| if has_lower { chars::to_lower(it) } else { it };
    out.extend(word.drain(..).map(lower));
}

fn is_of_word(unit: u16) -> bool {
    let separates = chars::is_white_space(unit)
        || chars::is_punctuation(unit)
        || chars::is_symbol(unit)
        || chars::is_separator(unit)
        || chars::is_control(unit);
    !separates
}

pub(super) fn strip(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| pieces::trim(&it, &[], true, true))
}

pub(super) fn lstrip(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| pieces::trim(&it, &[], true, false))
}

pub(super) fn rstrip(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| pieces::trim(&it, &[], false, true))
}

pub(super) fn strip_newlines(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| it.as_str().replace("\r\n", "").replace('\n', "").into())
}

pub(super) fn newline_to_br(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| {
        let mut out = String::with_capacity(it.as_str().len());
        for line in it.as_str().split_inclusive('\n') {
            let text = line.strip_suffix('\n').map(|it| it.strip_suffix('\r').unwrap_or(it));
            match text {
                Some(text) => {
                    out.push_str(text);
                    out.push_str("<br />");
                    out.push_str(line.get(text.len()..).unwrap_or_default());
                }
                None => out.push_str(line),
            }
        }
        out.into()
    })
}

/// Removes what stands between `<` and the next `>` on the same line.
pub(super) fn strip_html(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| {
        let mut out = String::with_capacity(it.as_str().len());
        let mut rest = it.as_str();
        while let Some(at) = rest.find('<') {
            let (before, tag) = rest.split_at(at);
            out.push_str(before);
            rest = match tag.find(['>', '\n']) {
                Some(end) if tag.get(end..end + 1) == Some(">") => {
                    tag.get(end + 1..).unwrap_or_default()
                }
                Some(end) => {
                    let (kept, behind) = tag.split_at(end);
                    out.push_str(kept);
                    behind
                }
                None => {
                    out.push_str(tag);
                    ""
                }
            };
        }
        out.push_str(rest);
        out.into()
    })
}

pub(super) fn remove(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let what = args.text(0)?.filter(|it| !it.is_empty());
    change(args, |it| match what {
        Some(what) => replace(&it, &what, &Str::EMPTY, Comparison::Ordinal),
        None => it,
    })
}

/// The other text for what is blank or nothing.
pub(super) fn default(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    if matches!(args.input, Value::List(_) | Value::Hash(_)) {
        return Ok(args.input);
    }
    let other = args.text(0)?;
    let text = args.input_text()?.filter(|it| !is_blank(it));
    Ok(optional(text.or(other)))
}

pub(super) fn truncate(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let length = args.int(0, 50)?;
    let tail = if args.rest.len() > 1 { args.text(1)? } else { Some("...".into()) };
    let tail = tail.unwrap_or(Str::EMPTY);
    change(args, |it| match usize::try_from(length) {
        _ if it.is_empty() => it,
        Err(_) => tail,
        Ok(length) if it.len() > length => {
            let kept = it.slice(0..length.saturating_sub(tail.len()));
            kept.unwrap_or(Str::EMPTY).concat(&tail)
        }
        Ok(_) => it,
    })
}

pub(super) fn truncate_words(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let count = args.int(0, 15)?;
    let tail = if args.rest.len() > 1 { args.text(1)? } else { Some("...".into()) };
    let tail = tail.unwrap_or(Str::EMPTY);
    change(args, |it| match usize::try_from(count) {
        _ if it.is_empty() => it,
        Err(_) | Ok(0) => tail,
        Ok(count) => match it.as_str().match_indices(' ').nth(count - 1) {
            Some((at, _)) => Str::from(it.as_str().get(..at).unwrap_or_default()).concat(&tail),
            None => it,
        },
    })
}

/// Pieces between a text, empty ones left out.
pub(super) fn split(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let by = args.text(0)?.unwrap_or(Str::EMPTY);
    let Some(text) = args.input_text()? else { return Ok(Value::list([Value::Nil])) };
    if is_blank(&text) {
        return Ok(Value::list([Value::Text(text)]));
    }
    // Without a text to split by, .NET splits at white space if there is no separator at all, and
    // nowhere if there is an empty one.
    let separators = Separators::Texts(vec![by]);
    let found = pieces::split(&text, &separators, usize::MAX, true);
    args.cx.budget.steps(found.len() as u64)?;
    args.cx.budget.makes(found.len().saturating_mul(32))?;
    Ok(Value::list(found.into_iter().map(Value::Text)))
}

/// A part of a text or a list; a position below zero counts from the end.
pub(super) fn slice(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let (start, count) = (i64::from(args.int(0, 0)?), i64::from(args.int(1, 1)?));
    let list = match &args.input {
        it @ (Value::List(_) | Value::Range(..)) => Some(it.clone()),
        _ => None,
    };
    let text = if list.is_some() { None } else { args.input_text()? };
    let length = list.as_ref().and_then(Value::len).or(text.as_ref().map(Str::len));
    let Some(length) = length.and_then(|it| i64::try_from(it).ok()) else { return Ok(Value::Nil) };
    if start > length {
        return Ok(Value::Nil);
    }
    let from = if start < 0 { start + length } else { start };
    let count = if from < 0 { (count + from).max(0) } else { count.max(0) };
    let from = from.max(0);
    let to = from.saturating_add(count).min(length);
    let at = |it: i64| usize::try_from(it).unwrap_or(0);
    Ok(match (list, text) {
        (Some(list), _) => {
            args.cx.budget.steps(at(to - from) as u64)?;
            Value::list((at(from)..at(to)).filter_map(|it| list.item(it)))
        }
        (None, text) => optional(text.and_then(|it| it.slice(at(from)..at(to)))),
    })
}

#[cfg(test)]
mod tests {
    use crate::template::test::{render, render_with};
    use crate::value::Value;

    #[test]
    fn texts_are_changed() {
        for (expression, expected) in [
            ("'a' | Append: 'b' | Prepend: 1", "1ab"),
            ("nothing | Append: 'b'", ""),
            ("'aß é' | Upcase", "Aß É"),
            ("'AÉ' | Downcase", "aé"),
            ("'hello wORLD NASA' | Capitalize", "Hello World NASA"),
            ("\"don't 1st a-b\" | Capitalize", "Don't 1St A-B"),
            ("'  a ' | Strip | Append: '|'", "a|"),
            ("'  a ' | Lstrip | Append: '|'", "a |"),
            ("'  a ' | Rstrip | Append: '|'", "  a|"),
            ("'<b class=1>x</b> < y' | StripHtml", "x < y"),
            ("'a-b-c' | Remove: '-'", "abc"),
            ("'a.b.c' | Remove: '.'", "abc"),
            ("'a' | Remove: nil", "a"),
            ("nothing | Default: 'x'", "x"),
            ("' ' | Default: 'x'", "x"),
            ("0 | Default: 'x'", "0"),
            ("false | Default: 'x'", "False"),
            ("nothing | Default: nothing", ""),
            ("true | Upcase", "TRUE"),
        ] {
            assert_eq!(render(&format!("{{{{ {expression} }}}}")), expected, "{expression}");
        }
    }

    #[test]
    fn texts_are_cut() {
        for (expression, expected) in [
            ("'abcdefgh' | Truncate: 5", "ab..."),
            ("'abcdefgh' | Truncate: 5, '-'", "abcd-"),
            ("'abcdefgh' | Truncate: 2", "..."),
            ("'abcdefgh' | Truncate: -1", "..."),
            ("'abc' | Truncate", "abc"),
            ("'a b c d' | TruncateWords: 2", "a b..."),
            ("'a b c d' | TruncateWords: 2, ''", "a b"),
            ("'a b' | TruncateWords: 2", "a b"),
            ("'a b' | TruncateWords: 0", "..."),
            ("'hello' | Slice: 1", "e"),
            ("'hello' | Slice: 1, 3", "ell"),
            ("'hello' | Slice: -3, 2", "ll"),
            ("'hello' | Slice: -9, 5", "h"),
            ("'hello' | Slice: 5, 2", ""),
            ("'hello' | Slice: 6", ""),
            ("'a😀b' | Slice: 3", "b"),
            ("'a,b,,c' | Split: ',' | Join: ';'", "a;b;c"),
            ("'a' | Split: '' | Size", "1"),
            ("'a b' | Split: ' ' | Slice: 1, 9 | Join", "b"),
        ] {
            assert_eq!(render(&format!("{{{{ {expression} }}}}")), expected, "{expression}");
        }
    }

    #[test]
    fn line_breaks_are_marked_or_removed() {
        let given = [("t", Value::from("a\r\nb\nc"))];
        assert_eq!(render_with("{{ t | NewlineToBr }}", &given), "a<br />\r\nb<br />\nc");
        assert_eq!(render_with("{{ t | StripNewlines }}", &given), "abc");
        let html = [("t", Value::from("<a\nb><i>"))];
        assert_eq!(render_with("{{ t | StripHtml }}", &html), "<a\nb>");
    }
}
