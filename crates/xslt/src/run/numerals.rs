//! `xsl:number`: how numbers are written (XSLT 1.0, section 7.7.1).

/// Separators between groups of digits.
pub(super) struct Grouping {
    pub(super) separator: String,
    pub(super) size: usize,
}

/// Greatest number in Roman numerals.
const ROMAN_MAX: usize = 4999;

/// Writes a list of numbers, at least 1 each, in a format such as `1.a)`.
pub(super) fn formatted(numbers: &[usize], format: &str, grouping: Option<&Grouping>) -> String {
    let pieces = pieces(format);
    let is_word = |it: &&str| it.starts_with(char::is_alphanumeric);
    let words: Vec<&str> = pieces.iter().copied().filter(is_word).collect();
    let first = pieces.first().filter(|it| !is_word(it)).copied().unwrap_or("");
    let last = pieces.last().filter(|it| !is_word(it)).copied().unwrap_or("");
    // What stands between the words, each before its word; the last one is used again.
    let between: Vec<&str> = pieces
        .iter()
        .enumerate()
        .filter(|(at, it)| *at > 0 && *at + 1 < pieces.len() && !is_word(it))
        .map(|(_, it)| *it)
        .collect();
    let mut out = String::from(first);
    for (at, number) in numbers.iter().enumerate() {
        if at > 0 {
            out.push_str(between.get(at - 1).or(between.last()).copied().unwrap_or("."));
        }
        let word = words.get(at).or(words.last()).copied().unwrap_or("1");
        out.push_str(&one(*number, word, grouping));
    }
    out.push_str(last);
    out
}

/// Runs of letters and digits, and what stands between them.
fn pieces(format: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let is_word = first.is_alphanumeric();
        let end = rest.find(|it: char| it.is_alphanumeric() != is_word).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn one(number: usize, word: &str, grouping: Option<&Grouping>) -> String {
    match word {
        "a" => letters(number, b'a'),
        "A" => letters(number, b'A'),
        "i" if number <= ROMAN_MAX => roman(number).to_lowercase(),
        "I" if number <= ROMAN_MAX => roman(number),
        _ => {
            let n_digits = word.chars().count();
            let is_padded = word.ends_with('1') && word.chars().rev().skip(1).all(|it| it == '0');
            let width = if is_padded { n_digits } else { 1 };
            let digits = format!("{number:0>width$}");
            match grouping {
                Some(grouping) => grouped(&digits, &grouping.separator, grouping.size),
                None => digits,
            }
        }
    }
}

/// `a`, `b` ... `z`, `aa` ...
fn letters(mut number: usize, first: u8) -> String {
    let mut reversed = Vec::new();
    while number > 0 {
        number -= 1;
        let offset = u8::try_from(number % 26).unwrap_or(0);
        reversed.push(char::from(first + offset));
        number /= 26;
    }
    reversed.iter().rev().collect()
}

fn roman(mut number: usize) -> String {
    const NUMERALS: [(usize, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let mut out = String::new();
    for (value, numeral) in NUMERALS {
        while number >= value {
            out.push_str(numeral);
            number -= value;
        }
    }
    out
}

/// Digits in groups, counted from the right.
pub(super) fn grouped(digits: &str, separator: &str, size: usize) -> String {
    let n = digits.chars().count();
    let mut out = String::with_capacity(digits.len() + n / size.max(1) * separator.len());
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (n - at).is_multiple_of(size.max(1)) {
            out.push_str(separator);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_every_format() {
        for (numbers, format, expected) in [
            (&[12][..], "1", "12"),
            (&[12], "01", "12"),
            (&[2], "001", "002"),
            (&[28], "a", "ab"),
            (&[703], "A", "AAA"),
            (&[1994], "i", "mcmxciv"),
            (&[5000], "I", "5000"),
            (&[12], "(1)", "(12)"),
            (&[12], "*", "*12*"),
            (&[12], "A.1", "L"),
            (&[1, 2, 3], "1.a", "1.b.c"),
            (&[1, 2, 3], "A-1) ", "A-2-3) "),
            (&[1, 2], "1", "1.2"),
            (&[1, 2, 3], "1.1-1", "1.2-3"),
            (&[7], "", "7"),
            (&[7], "x", "7"),
        ] {
            assert_eq!(formatted(numbers, format, None), expected, "{numbers:?} {format}");
        }
        let grouping = Grouping { separator: ",".to_owned(), size: 3 };
        assert_eq!(formatted(&[1_234_567], "1", Some(&grouping)), "1,234,567");
    }
}
