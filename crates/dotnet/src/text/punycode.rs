//! International host names in ASCII.
//!
//! Source: RFC 3492.

/// A host name with its labels in Punycode (RFC 3492).
pub(super) fn idn(host: &str) -> String {
    let label = |label: &str| {
        if label.is_ascii() { label.to_owned() } else { format!("xn--{}", punycode(label)) }
    };
    host.split('.').map(label).collect::<Vec<_>>().join(".")
}

fn punycode(label: &str) -> String {
    let chars: Vec<u32> = label.chars().map(u32::from).collect();
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = out.len() as u32;
    let mut handled = basic;
    if basic > 0 {
        out.push('-');
    }
    let (mut next, mut delta, mut bias) = (128u32, 0u32, 72u32);
    while (handled as usize) < chars.len() {
        let Some(least) = chars.iter().copied().filter(|it| *it >= next).min() else { break };
        delta = delta.saturating_add((least - next).saturating_mul(handled + 1));
        next = least;
        for value in &chars {
            if *value < next {
                delta += 1;
            }
            if *value != next {
                continue;
            }
            let mut rest = delta;
            for step in (36u32..).step_by(36) {
                let threshold = step.saturating_sub(bias).clamp(1, 26);
                if rest < threshold {
                    break;
                }
                out.push(digit(threshold + (rest - threshold) % (36 - threshold)));
                rest = (rest - threshold) / (36 - threshold);
            }
            out.push(digit(rest));
            bias = adapt(delta, handled + 1, handled == basic);
            delta = 0;
            handled += 1;
        }
        delta += 1;
        next += 1;
    }
    out
}

fn digit(value: u32) -> char {
    char::from_digit(if value < 26 { value + 10 } else { value - 26 }, 36).unwrap_or('a')
}

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut step = 0;
    while delta > 455 {
        delta /= 35;
        step += 36;
    }
    step + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::idn;

    #[test]
    fn labels_that_are_not_ascii_are_encoded() {
        for (host, expected) in [
            ("example.com", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("ü.com", "xn--tda.com"),
            ("例え.jp", "xn--r8jz45g.jp"),
        ] {
            assert_eq!(idn(host), expected);
        }
    }
}
