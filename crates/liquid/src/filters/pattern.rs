//! Filters that take a regular expression of .NET: `Replace`, `ReplaceFirst`, `RemoveFirst`.
//!
//! DotLiquid 2.0 hands the text to `Regex.Replace`, and templates that Azure generates rely on it:
//! `Replace: '([^\\](\\\\)*)"', '$1\"'`. A point matches any character; `Remove` takes plain text.

use std::sync::Arc;

use dotnet::Str;
use dotnet::regex::{Match, Options, Regex};

use super::{Args, optional};
use crate::error::Stop;
use crate::value::Value;

/// Steps of a search; those with a pattern of the request's may run into the bound of backtracking.
const KNOWN_STEPS: u64 = 20;
const UNKNOWN_STEPS: u64 = 10_000;

/// Replaces all matches; `$1` in the replacement is the first group.
pub(super) fn replace(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let with = args.text(1)?.unwrap_or(Str::EMPTY);
    let (Some(text), Some(regex)) = prepare(&mut args)? else { return Ok(args.input) };
    let most = args.cx.budget.output_bytes.saturating_mul(2);
    let replaced = regex.replace(&text, &with, None, None, most)?;
    replaced.map(Value::Text).ok_or(Stop::Work)
}

/// Replaces the first match by the text as it is.
pub(super) fn replace_first(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let with = args.text(1)?.unwrap_or(Str::EMPTY);
    first(args, with)
}

pub(super) fn remove_first(args: Args<'_, '_>) -> Result<Value, Stop> {
    first(args, Str::EMPTY)
}

fn first(mut args: Args<'_, '_>, with: Str) -> Result<Value, Stop> {
    let (Some(text), Some(regex)) = prepare(&mut args)? else { return Ok(args.input) };
    let found = regex.find_all(&text, None, Some(1))?;
    Ok(Value::Text(Match::splice(&text, &found, &[with])))
}

/// The text and the pattern. Without one of them the input stays as it is: a text if it was not
/// nothing.
fn prepare(args: &mut Args<'_, '_>) -> Result<(Option<Str>, Option<Arc<Regex>>), Stop> {
    let text = args.input_text()?;
    args.input = optional(text.clone());
    let pattern = args.text(0)?.filter(|it| !it.is_empty());
    let (Some(text), Some(pattern)) = (text.filter(|it| !it.is_empty()), pattern) else {
        return Ok((None, None));
    };
    args.cx.budget.steps(KNOWN_STEPS + (text.len() / 64) as u64)?;
    let regex = match args.pattern {
        Some(regex) => Arc::clone(regex),
        None => {
            args.cx.budget.steps(UNKNOWN_STEPS)?;
            Arc::new(Regex::new(&pattern, Options::NONE)?)
        }
    };
    Ok((Some(text), Some(regex)))
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render};

    #[test]
    fn matches_are_replaced() {
        for (expression, expected) in [
            ("'a-b-c' | Replace: '-', '+'", "a+b+c"),
            ("'a-b-c' | Replace: '-'", "abc"),
            ("'a.b' | Replace: '.', 'x'", "xxx"),
            ("'a.b' | Replace: '\\.', 'x'", "axb"),
            ("'a1b2' | Replace: '([a-z])(\\d)', '$2$1'", "1a2b"),
            ("'a1b2' | ReplaceFirst: '\\d', '$0'", "a$0b2"),
            ("'a1b2' | RemoveFirst: '\\d'", "ab2"),
            ("'abc' | Replace: '', 'x'", "abc"),
            ("nothing | Replace: 'a', 'b'", ""),
            ("12 | Replace: '1', 'x'", "x2"),
            ("'a-b' | Replace: nothing, 'x'", "a-b"),
        ] {
            assert_eq!(render(&format!("{{{{ {expression} }}}}")), expected, "{expression}");
        }
        let dynamic = "{% assign p = '[ab]' %}{{ 'abc' | Replace: p, '' }}";
        assert_eq!(render(dynamic), "c");
    }

    #[test]
    fn quotes_are_escaped_as_generated_templates_do() {
        let template =
            r#"{% capture t %}say "x"{% endcapture %}{{ t | Replace: '([^\\](\\\\)*)"', '$1\"' }}"#;
        assert_eq!(render(template), r#"say \"x\""#);
    }

    #[test]
    fn a_pattern_that_is_none_is_a_flaw_or_a_failure() {
        let found = flaws("{{ 'a' | Replace: '(' }}");
        assert!(found.len() == 1 && found[0].starts_with("18..21 Invalid pattern"), "{found:?}");
        let text = render("{% assign p = '(' %}{{ 'a' | Replace: p }}");
        assert!(text.starts_with("! line 1, column 30: Invalid pattern"), "{text}");
    }

    #[test]
    fn unknown_patterns_are_few() {
        let template =
            "{% assign p = 'a' %}{% for i in (1..200) %}{{ 'a' | Replace: p }}{% endfor %}";
        assert!(render(template).contains("more steps than allowed"));
        let known = "{% for i in (1..200) %}{{ 'a' | Replace: 'a' }}{% endfor %}";
        assert_eq!(render(known), "");
    }
}
