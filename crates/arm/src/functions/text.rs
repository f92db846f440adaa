//! Functions of texts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::{Arguments, Function, MANY, MAX_BYTES, display, row, too_large};
use crate::fault::Fault;

/// What `uriComponent` leaves as it is: the unreserved characters of RFC 3986.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How wide a field of `format` and `padLeft` may be.
const WIDTH: usize = 100_000;

pub(super) const ALL: &[Function] = &[
    row("base64", 1, 1, |it| Ok(STANDARD.encode(it.text(0)?).into())),
    row("base64ToJson", 1, 1, |it| parsed(it, &decoded(it, it.text(0)?)?)),
    row("base64ToString", 1, 1, |it| Ok(decoded(it, it.text(0)?)?.into())),
    row("dataUri", 1, 1, |it| {
        Ok(format!("data:text/plain;charset=utf8;base64,{}", STANDARD.encode(it.text(0)?)).into())
    }),
    row("dataUriToString", 1, 1, data_uri_to_string),
    row("endsWith", 2, 2, |it| {
        Ok(it.text(0)?.to_lowercase().ends_with(&it.text(1)?.to_lowercase()).into())
    }),
    row("format", 1, MANY, format_text),
    row("indexOf", 2, 2, |it| index(it, |text, part| text.find(part))),
    row("join", 2, 2, |it| {
        let (parts, with) = (it.array(0)?, it.text(1)?);
        fits(parts.len(), with.len())?;
        Ok(parts.iter().map(display).collect::<Vec<_>>().join(with).into())
    }),
    row("json", 1, 1, |it| parsed(it, it.text(0)?)),
    row("lastIndexOf", 2, 2, |it| index(it, |text, part| text.rfind(part))),
    row("padLeft", 2, 3, pad_left),
    row("replace", 3, 3, |it| {
        let (text, old, new) = (it.text(0)?, it.text(1)?, it.text(2)?);
        fits(text.matches(old).count(), new.len())?;
        Ok(text.replace(old, new).into())
    }),
    row("split", 2, 2, split),
    row("startsWith", 2, 2, |it| {
        Ok(it.text(0)?.to_lowercase().starts_with(&it.text(1)?.to_lowercase()).into())
    }),
    row("string", 1, 1, |it| Ok(display(it.get(0)).into())),
    row("substring", 2, 3, substring),
    row("toLower", 1, 1, |it| Ok(it.text(0)?.to_lowercase().into())),
    row("toUpper", 1, 1, |it| Ok(it.text(0)?.to_uppercase().into())),
    row("trim", 1, 1, |it| Ok(it.text(0)?.trim().into())),
    row("uri", 2, 2, uri),
    row("uriComponent", 1, 1, |it| {
        Ok(utf8_percent_encode(it.text(0)?, COMPONENT).to_string().into())
    }),
    row("uriComponentToString", 1, 1, |it| {
        Ok(percent_decode_str(it.text(0)?).decode_utf8_lossy().into_owned().into())
    }),
];

/// Refuses a text in which `n` times `bytes` would stand, if that is too large.
fn fits(n: usize, bytes: usize) -> Result<(), Fault> {
    if n.saturating_mul(bytes) > MAX_BYTES { Err(too_large()) } else { Ok(()) }
}

fn decoded(it: &Arguments<'_>, text: &str) -> Result<String, Fault> {
    let bytes = STANDARD.decode(text).map_err(|_| it.wrong("the text is no Base64"))?;
    String::from_utf8(bytes).map_err(|_| it.wrong("what is encoded is no UTF-8"))
}

fn parsed(it: &Arguments<'_>, text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text).map_err(|problem| it.wrong(&format!("not valid JSON: {problem}")))
}

fn data_uri_to_string(it: &Arguments<'_>) -> Result<Value, Fault> {
    let content = it.text(0)?.strip_prefix("data:").and_then(|it| it.split_once(','));
    let (head, data) = content.ok_or_else(|| it.wrong("the text is no data URI"))?;
    if head.ends_with(";base64") {
        return Ok(decoded(it, data)?.into());
    }
    Ok(percent_decode_str(data).decode_utf8_lossy().into_owned().into())
}

/// Composite formatting: `{0}`, `{0,5}`, `{0:D3}`, `{{`.
fn format_text(it: &Arguments<'_>) -> Result<Value, Fault> {
    let mut text = String::new();
    let mut rest = it.text(0)?;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            text.extend(rest.chars().next());
            rest = after;
            continue;
        }
        let hole = rest.strip_prefix('{').and_then(|it| it.split_once('}'));
        let (hole, after) = hole.ok_or_else(|| it.wrong("a brace stands alone in the format"))?;
        text.push_str(&filled(it, hole)?);
        fits(1, text.len())?;
        rest = after;
    }
    text.push_str(rest);
    Ok(text.into())
}

/// What stands for a hole: `index[,width][:format]`.
fn filled(it: &Arguments<'_>, hole: &str) -> Result<String, Fault> {
    let wrong = || it.wrong(&format!("`{{{hole}}}` is no hole of a format"));
    let (place, style) = hole.split_once(':').unwrap_or((hole, ""));
    let (index, width) = place.split_once(',').unwrap_or((place, "0"));
    let index: usize = index.trim().parse().map_err(|_| wrong())?;
    let width: isize = width.trim().parse().map_err(|_| wrong())?;
    if !it.has(index + 1) || width.unsigned_abs() > WIDTH {
        return Err(wrong());
    }
    let value = it.get(index + 1);
    let text = if style.is_empty() { display(value) } else { styled(it, value, style)? };
    let wide = width.unsigned_abs();
    Ok(if width < 0 { format!("{text:<wide$}") } else { format!("{text:>wide$}") })
}

/// An integer with leading zeros (`D3`) or in base 16 (`x4`).
fn styled(it: &Arguments<'_>, value: &Value, style: &str) -> Result<String, Fault> {
    let wrong = || it.wrong(&format!("format `{style}` is not supported; `D3` and `X4` are"));
    let Some(number) = value.as_i64() else { return Ok(display(value)) };
    let mut letters = style.chars();
    let letter = letters.next().unwrap_or_default();
    let digits = letters.as_str();
    let n_digits = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| wrong())? };
    if n_digits > 99 {
        return Err(wrong());
    }
    match letter {
        'd' | 'D' => {
            let sign = if number < 0 { "-" } else { "" };
            Ok(format!("{sign}{:0n_digits$}", number.unsigned_abs()))
        }
        'x' => Ok(format!("{number:0n_digits$x}")),
        'X' => Ok(format!("{number:0n_digits$X}")),
        _ => Err(wrong()),
    }
}

/// Where a part stands, without regard to case; -1 if nowhere.
fn index(it: &Arguments<'_>, find: fn(&str, &str) -> Option<usize>) -> Result<Value, Fault> {
    let text = it.text(0)?.to_lowercase();
    let at = find(&text, &it.text(1)?.to_lowercase());
    let units = at.and_then(|at| text.get(..at)).map(|it| it.encode_utf16().count());
    Ok(units.map_or_else(|| (-1).into(), Value::from))
}

fn pad_left(it: &Arguments<'_>) -> Result<Value, Fault> {
    let text = display(it.get(0));
    let width = usize::try_from(it.integer(1)?).ok().filter(|it| *it <= WIDTH);
    let width = width.ok_or_else(|| it.wrong(&format!("expected a width from 0 to {WIDTH}")))?;
    let with = if it.has(2) { it.text(2)? } else { " " };
    let mut letters = with.chars();
    let (Some(with), None) = (letters.next(), letters.next()) else {
        return Err(it.wrong("expected one character to fill with"));
    };
    let missing = width.saturating_sub(text.chars().count());
    Ok(format!("{}{text}", with.to_string().repeat(missing)).into())
}

fn split(it: &Arguments<'_>) -> Result<Value, Fault> {
    let separators: Vec<&str> = match it.get(1) {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => vec![it.text(1)?],
    };
    let mut parts = vec![it.text(0)?];
    for separator in separators.into_iter().filter(|it| !it.is_empty()) {
        parts = parts.into_iter().flat_map(|it| it.split(separator)).collect();
    }
    Ok(parts.into_iter().map(Value::from).collect())
}

fn substring(it: &Arguments<'_>) -> Result<Value, Fault> {
    let units: Vec<u16> = it.text(0)?.encode_utf16().collect();
    let start = usize::try_from(it.integer(1)?).ok();
    let end = match (start, it.has(2)) {
        (Some(start), true) => {
            usize::try_from(it.integer(2)?).ok().and_then(|n| start.checked_add(n))
        }
        _ => Some(units.len()),
    };
    let part = start.zip(end).and_then(|(start, end)| units.get(start..end));
    let part = part.ok_or_else(|| it.wrong("the part is outside of the text"))?;
    Ok(String::from_utf16_lossy(part).into())
}

fn uri(it: &Arguments<'_>) -> Result<Value, Fault> {
    let base = Url::parse(it.text(0)?).map_err(|_| it.expected(0, "an absolute URI"))?;
    let joined = base.join(it.text(1)?).map_err(|_| it.expected(1, "a relative URI"))?;
    Ok(String::from(joined).into())
}
