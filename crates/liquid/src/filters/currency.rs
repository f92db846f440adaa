//! `Currency`: an amount as a culture writes it, `en-US` if none is named.
//!
//! Symbols, separators and patterns are those of .NET on Windows, for the cultures below; another
//! one is a flaw.

use dotnet::text::number::format_decimal;
use dotnet::text::number::parse::{Styles, parse_decimal};
use rust_decimal::{Decimal, RoundingStrategy};

use super::{Args, optional};
use crate::error::Stop;
use crate::expr::Expr;
use crate::value::Value;

/// How a culture writes amounts. In the patterns `n` is the number and `$` the symbol.
struct Culture {
    name: &'static str,
    symbol: &'static str,
    digits: u32,
    point: &'static str,
    group: &'static str,
    positive: &'static str,
    negative: &'static str,
}

const fn culture(
    name: &'static str,
    symbol: &'static str,
    digits: u32,
    (point, group): (&'static str, &'static str),
    (positive, negative): (&'static str, &'static str),
) -> Culture {
    Culture { name, symbol, digits, point, group, positive, negative }
}

const ENGLISH: (&str, &str) = (".", ",");
const EUROPEAN: (&str, &str) = (",", ".");
const SPACED: (&str, &str) = (",", "\u{a0}");

/// The first is the default.
const CULTURES: &[Culture] = &[
    culture("en-US", "$", 2, ENGLISH, ("$n", "($n)")),
    culture("de-DE", "€", 2, EUROPEAN, ("n $", "-n $")),
    culture("en-AU", "$", 2, ENGLISH, ("$n", "-$n")),
    culture("en-CA", "$", 2, ENGLISH, ("$n", "-$n")),
    culture("en-GB", "£", 2, ENGLISH, ("$n", "-$n")),
    culture("en-IE", "€", 2, ENGLISH, ("$n", "-$n")),
    culture("es-ES", "€", 2, EUROPEAN, ("n $", "-n $")),
    culture("fr-FR", "€", 2, SPACED, ("n $", "-n $")),
    culture("it-IT", "€", 2, EUROPEAN, ("n $", "-n $")),
    culture("ja-JP", "¥", 0, ENGLISH, ("$n", "-$n")),
    culture("nl-NL", "€", 2, EUROPEAN, ("$ n", "$ -n")),
    culture("pl-PL", "zł", 2, SPACED, ("n $", "-n $")),
    culture("pt-BR", "R$", 2, EUROPEAN, ("$ n", "-$ n")),
    culture("sv-SE", "kr", 2, SPACED, ("n $", "-n $")),
    culture("zh-CN", "¥", 2, ENGLISH, ("$n", "$-n")),
];

fn find(name: &str) -> Result<&'static Culture, String> {
    let name = name.trim();
    let found = CULTURES.iter().find(|it| name.is_empty() || it.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let names: Vec<&str> = CULTURES.iter().map(|it| it.name).collect();
        format!("culture `{name}` is not known; these are: {}", names.join(", "))
    })
}

pub(super) fn check(args: &[Expr]) -> Result<(), String> {
    match args.first().and_then(Expr::as_literal) {
        Some(Value::Text(name)) => find(name.as_str()).map(|_| ()),
        _ => Ok(()),
    }
}

/// Writes an amount; what is no number stays as it is.
pub(super) fn currency(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let name = args.text(0)?;
    let culture = find(name.as_ref().map_or("", |it| it.as_str())).map_err(Stop::failed)?;
    let Some(text) = args.input_text()? else { return Ok(Value::Nil) };
    match parse_decimal(text.as_str(), Styles::NUMBER) {
        Ok(amount) => Ok(Value::from(culture.write(amount)?)),
        Err(_) => Ok(optional(Some(text))),
    }
}

impl Culture {
    fn write(&self, amount: Decimal) -> Result<String, Stop> {
        let amount =
            amount.round_dp_with_strategy(self.digits, RoundingStrategy::MidpointAwayFromZero);
        let is_negative = amount.is_sign_negative() && !amount.is_zero();
        let plain = format_decimal(amount.abs(), &format!("N{}", self.digits))?;
        let number: String = plain
            .chars()
            .map(|ch| match ch {
                ',' => self.group.to_owned(),
                '.' => self.point.to_owned(),
                digit => digit.to_string(),
            })
            .collect();
        let pattern = if is_negative { self.negative } else { self.positive };
        let mut out = String::new();
        for ch in pattern.chars() {
            match ch {
                'n' => out.push_str(&number),
                '$' => out.push_str(self.symbol),
                other => out.push(other),
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render};

    #[test]
    fn amounts_are_written_as_a_culture_does_it() {
        for (expression, expected) in [
            ("6.72 | Currency", "$6.72"),
            ("'6000' | Currency", "$6,000.00"),
            ("-1.005 | Currency", "($1.01)"),
            ("1234567.891 | Currency: 'de-DE'", "1.234.567,89 €"),
            ("-5 | Currency: 'en-gb'", "-£5.00"),
            ("1234.5 | Currency: 'fr-FR'", "1\u{a0}234,50 €"),
            ("1234.5 | Currency: 'ja-JP'", "¥1,235"),
            ("-3 | Currency: 'nl-NL'", "€ -3,00"),
            ("5 | Currency: ''", "$5.00"),
            ("'teststring' | Currency", "teststring"),
            ("nothing | Currency", ""),
        ] {
            assert_eq!(render(&format!("{{{{ {expression} }}}}")), expected, "{expression}");
        }
    }

    #[test]
    fn a_culture_that_is_not_known_is_a_flaw_or_a_failure() {
        let found = flaws("{{ 1 | Currency: 'xx-YY' }}");
        assert!(found[0].starts_with("7..15 culture `xx-YY` is not known"), "{found:?}");
        assert!(render("{% assign c = 'xx' %}{{ 1 | Currency: c }}").contains("is not known"));
    }
}
