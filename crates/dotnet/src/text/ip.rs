//! IP addresses in all forms that .NET reads.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.net.ipaddress.parse>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reads IPv6 with or without brackets, and IPv4 as [`parse_v4`] does.
pub fn parse(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let text = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
        let text = text.split_once('%').map_or(text, |(address, _)| address);
        return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    parse_v4(text).map(IpAddr::V4)
}

/// Reads IPv4 in one to four parts, each decimal, octal or hex.
pub fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = text.split('.').map(part).collect::<Option<_>>()?;
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 || leading.iter().any(|it| *it > 255) {
        return None;
    }
    let rest_bits = 32 - 8 * leading.len() as u32;
    if rest_bits < 32 && *last >= 1 << rest_bits {
        return None;
    }
    let upper = leading.iter().fold(0_u64, |all, part| all << 8 | u64::from(*part));
    let bits = upper << rest_bits | u64::from(*last);
    u32::try_from(bits).ok().map(Ipv4Addr::from)
}

fn part(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    let plain = digits.chars().all(|it| it.is_digit(radix));
    if plain { u32::from_str_radix(digits, radix).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn addresses_are_read_as_dotnet_reads_them() {
        for (text, expected) in [
            ("203.0.113.42", Some("203.0.113.42")),
            ("::1", Some("::1")),
            ("[::1]", Some("::1")),
            ("10.1", Some("10.0.0.1")),
            ("1.2.3", Some("1.2.0.3")),
            ("0x7f.1", Some("127.0.0.1")),
            ("010.0.0.1", Some("8.0.0.1")),
            ("16909060", Some("1.2.3.4")),
            ("256.1.1.1", None),
            ("bad", None),
            ("", None),
            ("1.2.3.4.5", None),
            ("1.2.3.256", None),
            (" 1.2.3.4", None),
        ] {
            assert_eq!(parse(text).map(|it| it.to_string()).as_deref(), expected, "{text}");
        }
    }
}
