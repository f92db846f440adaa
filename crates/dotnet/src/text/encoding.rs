//! `System.Text.Encoding` for the encodings that .NET has built in, and Base64 and hex as
//! `Convert` reads and writes them.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.text.encoding>

use super::Failure;

/// A built-in encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// `UTF8`.
    Utf8,
    /// `ASCII`.
    Ascii,
    /// `Latin1`.
    Latin1,
    /// `Unicode`: UTF-16, little-endian.
    Utf16,
    /// `BigEndianUnicode`.
    Utf16BigEndian,
    /// `UTF32`, little-endian.
    Utf32,
    /// UTF-32, big-endian.
    Utf32BigEndian,
    /// `UTF7`.
    Utf7,
}

/// Where clients use an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Browsers show it.
    pub in_browsers: bool,
    /// Browsers save it.
    pub by_browsers: bool,
    /// Mail and news programs show and save it.
    pub in_mail: bool,
}

impl Encoding {
    /// The encoding of a name.
    ///
    /// # Errors
    ///
    /// [`Failure::Argument`] for a name that .NET does not know without code pages.
    pub fn named(name: &str) -> Result<Self, Failure> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "utf-8"
            | "utf8"
            | "unicode-1-1-utf-8"
            | "unicode-2-0-utf-8"
            | "x-unicode-1-1-utf-8"
            | "x-unicode-2-0-utf-8" => Self::Utf8,
            "us-ascii" | "ascii" | "ansi_x3.4-1968" | "ansi_x3.4-1986" | "cp367" | "ibm367"
            | "iso-ir-6" | "iso646-us" | "iso_646.irv:1991" | "us" | "csascii" => Self::Ascii,
            "iso-8859-1" | "latin1" | "iso_8859-1" | "iso8859-1" | "l1" | "cp819" | "ibm819"
            | "iso-ir-100" | "iso_8859-1:1987" | "csisolatin1" => Self::Latin1,
            "utf-16" | "utf-16le" | "unicode" | "ucs-2" | "iso-10646-ucs-2" => Self::Utf16,
            "utf-16be" | "unicodefffe" => Self::Utf16BigEndian,
            "utf-32" | "utf-32le" | "ucs-4" | "iso-10646-ucs-4" => Self::Utf32,
            "utf-32be" => Self::Utf32BigEndian,
            "utf-7"
            | "unicode-1-1-utf-7"
            | "unicode-2-0-utf-7"
            | "x-unicode-1-1-utf-7"
            | "x-unicode-2-0-utf-7"
            | "csunicode11utf7" => Self::Utf7,
            _ => {
                let text = format!(
                    "'{name}' is not a supported encoding name. For information on defining a \
                     custom encoding, see the documentation for the Encoding.RegisterProvider \
                     method."
                );
                return Err(Failure::Argument(text, "name"));
            }
        })
    }

    /// The encoding of a code page.
    ///
    /// # Errors
    ///
    /// [`Failure::Argument`] for one that .NET does not know without code pages.
    pub fn of_code_page(page: i32) -> Result<Self, Failure> {
        let all = [
            Self::Utf8,
            Self::Ascii,
            Self::Latin1,
            Self::Utf16,
            Self::Utf16BigEndian,
            Self::Utf32,
            Self::Utf32BigEndian,
            Self::Utf7,
        ];
        let found =
            all.into_iter().find(|it| it.code_page() == page || (page == 0 && *it == Self::Utf8));
        found.ok_or_else(|| {
            let text = format!("No data is available for encoding {page}.");
            Failure::Argument(text, "codepage")
        })
    }

    /// `CodePage`.
    pub fn code_page(self) -> i32 {
        match self {
            Self::Utf8 => 65001,
            Self::Ascii => 20127,
            Self::Latin1 => 28591,
            Self::Utf16 => 1200,
            Self::Utf16BigEndian => 1201,
            Self::Utf32 => 12000,
            Self::Utf32BigEndian => 12001,
            Self::Utf7 => 65000,
        }
    }

    /// `WebName`.
    pub fn web_name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Ascii => "us-ascii",
            Self::Latin1 => "iso-8859-1",
            Self::Utf16 => "utf-16",
            Self::Utf16BigEndian => "utf-16BE",
            Self::Utf32 => "utf-32",
            Self::Utf32BigEndian => "utf-32BE",
            Self::Utf7 => "utf-7",
        }
    }

    /// `WindowsCodePage`.
    pub fn windows_code_page(self) -> i32 {
        if matches!(self, Self::Ascii | Self::Latin1) { 1252 } else { 1200 }
    }

    /// `IsBrowserDisplay`, `IsBrowserSave` and those of mail.
    pub fn shown(self) -> Shown {
        let (in_browsers, by_browsers, in_mail) = match self {
            Self::Utf8 | Self::Latin1 => (true, true, true),
            Self::Ascii | Self::Utf7 => (false, false, true),
            Self::Utf16 => (false, true, false),
            _ => (false, false, false),
        };
        Shown { in_browsers, by_browsers, in_mail }
    }

    /// `EncodingName`.
    pub fn display_name(self) -> &'static str {
        match self {
            Self::Utf8 => "Unicode (UTF-8)",
            Self::Ascii => "US-ASCII",
            Self::Latin1 => "Western European (ISO)",
            Self::Utf16 => "Unicode",
            Self::Utf16BigEndian => "Unicode (Big-Endian)",
            Self::Utf32 => "Unicode (UTF-32)",
            Self::Utf32BigEndian => "Unicode (UTF-32 Big-Endian)",
            Self::Utf7 => "Unicode (UTF-7)",
        }
    }

    /// `GetPreamble()`: the byte order mark.
    pub fn preamble(self) -> &'static [u8] {
        match self {
            Self::Utf8 => &[0xef, 0xbb, 0xbf],
            Self::Ascii | Self::Latin1 | Self::Utf7 => &[],
            Self::Utf16 => &[0xff, 0xfe],
            Self::Utf16BigEndian => &[0xfe, 0xff],
            Self::Utf32 => &[0xff, 0xfe, 0, 0],
            Self::Utf32BigEndian => &[0, 0, 0xfe, 0xff],
        }
    }

    /// `GetBytes`; what the encoding has no bytes for becomes `?` or U+FFFD.
    pub fn encode(self, units: &[u16]) -> Vec<u8> {
        let chars = || char::decode_utf16(units.iter().copied()).map(|it| it.unwrap_or('\u{fffd}'));
        let valid = || chars().map(|ch| ch as u32);
        let mut pair = [0; 2];
        match self {
            Self::Utf8 => chars().collect::<String>().into_bytes(),
            Self::Ascii => units.iter().map(|unit| narrow(*unit, 0x80)).collect(),
            Self::Latin1 => units.iter().map(|unit| narrow(*unit, 0x100)).collect(),
            Self::Utf16 => chars()
                .flat_map(|ch| ch.encode_utf16(&mut pair).to_vec())
                .flat_map(u16::to_le_bytes)
                .collect(),
            Self::Utf16BigEndian => chars()
                .flat_map(|ch| ch.encode_utf16(&mut pair).to_vec())
                .flat_map(u16::to_be_bytes)
                .collect(),
            Self::Utf32 => valid().flat_map(u32::to_le_bytes).collect(),
            Self::Utf32BigEndian => valid().flat_map(u32::to_be_bytes).collect(),
            Self::Utf7 => super::utf7::encode(units),
        }
    }

    /// `GetString`; ill-formed bytes become `?` (ASCII) or U+FFFD.
    pub fn decode(self, bytes: &[u8]) -> String {
        let wide = |of: fn([u8; 2]) -> u16| {
            let (pairs, rest) = bytes.as_chunks::<2>();
            let mut text: String = char::decode_utf16(pairs.iter().map(|pair| of(*pair)))
                .map(|it| it.unwrap_or('\u{fffd}'))
                .collect();
            text.extend((!rest.is_empty()).then_some('\u{fffd}'));
            text
        };
        let full = |of: fn([u8; 4]) -> u32| {
            let (quads, rest) = bytes.as_chunks::<4>();
            let mut text: String =
                quads.iter().map(|it| char::from_u32(of(*it)).unwrap_or('\u{fffd}')).collect();
            text.extend((!rest.is_empty()).then_some('\u{fffd}'));
            text
        };
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Ascii => bytes
                .iter()
                .map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' })
                .collect(),
            Self::Latin1 => bytes.iter().copied().map(char::from).collect(),
            Self::Utf16 => wide(u16::from_le_bytes),
            Self::Utf16BigEndian => wide(u16::from_be_bytes),
            Self::Utf32 => full(u32::from_le_bytes),
            Self::Utf32BigEndian => full(u32::from_be_bytes),
            Self::Utf7 => String::from_utf16_lossy(&super::utf7::decode(bytes)),
        }
    }
}

fn narrow(unit: u16, limit: u16) -> u8 {
    if unit < limit { unit.to_le_bytes()[0] } else { b'?' }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `Convert.ToBase64String`; with `lines` a CR LF follows every 76 characters but the last.
pub fn to_base64(bytes: &[u8], lines: bool) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for (index, chunk) in bytes.chunks(3).enumerate() {
        if lines && index > 0 && index % 19 == 0 {
            out.push_str("\r\n");
        }
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place) & 63) as usize;
            let known = place <= chunk.len();
            out.push(if known {
                ALPHABET.get(digit).map_or('=', |it| char::from(*it))
            } else {
                '='
            });
        }
    }
    out
}

/// `Convert.FromBase64String`: white space is skipped, padding is required.
///
/// # Errors
///
/// [`Failure::Format`].
pub fn from_base64(text: &str) -> Result<Vec<u8>, Failure> {
    let wrong = || {
        let text = "The input is not a valid Base-64 string as it contains a non-base 64 \
                    character, more than two padding characters, or an illegal character among \
                    the padding characters.";
        Failure::Format(text.to_owned())
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut digits, mut padding) = (0u32, 0u32, 0u32);
    for byte in text.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => return Err(wrong()),
        };
        if padding > 0 {
            return Err(wrong());
        }
        bits = bits << 6 | u32::from(digit);
        digits += 1;
        if digits % 4 == 0 {
            out.extend(bits.to_be_bytes().iter().skip(1));
            bits = 0;
        }
    }
    match (digits % 4, padding) {
        (0, 0) => {}
        (2, 2) => out.push((bits >> 4) as u8),
        (3, 1) => out.extend([(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => return Err(wrong()),
    }
    Ok(out)
}

/// `Convert.ToHexString`.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// `Convert.FromHexString`.
///
/// # Errors
///
/// [`Failure::Format`].
pub fn from_hex(text: &str) -> Result<Vec<u8>, Failure> {
    let wrong = || {
        let text = "The input is not a valid hex string as it contains a non-hex character.";
        Failure::Format(text.to_owned())
    };
    if !text.len().is_multiple_of(2) || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    pairs
        .iter()
        .map(|pair| {
            let digits = std::str::from_utf8(pair).map_err(|_| wrong())?;
            u8::from_str_radix(digits, 16).map_err(|_| wrong())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn texts_encode_as_dotnet_encodes_them() {
        for (encoding, text, expected) in [
            (Encoding::Utf8, "é€😀", "w6nigqzwn5iA"),
            (Encoding::Utf16, "aé", "YQDpAA=="),
            (Encoding::Utf16BigEndian, "a", "AGE="),
            (Encoding::Ascii, "aé😀", "YT8/Pw=="),
            (Encoding::Latin1, "é€", "6T8="),
            (Encoding::Utf32, "😀", "APYBAA=="),
        ] {
            assert_eq!(to_base64(&encoding.encode(&units(text)), false), expected, "{text}");
        }
        assert_eq!(to_base64(&Encoding::Utf8.encode(&[0xd800]), false), "77+9");
    }

    #[test]
    fn ill_formed_bytes_are_replaced() {
        assert_eq!(Encoding::Utf8.decode(&[0xff, 0x41]), "\u{fffd}A");
        assert_eq!(Encoding::Utf8.decode(&[0xed, 0xa0, 0x80]).chars().count(), 3);
        assert_eq!(Encoding::Ascii.decode(&[0x41, 0xe9]), "A?");
        assert_eq!(Encoding::Utf16.decode(&[0x61, 0, 0xe9]), "a\u{fffd}");
        assert!(Encoding::named("nope").is_err() && Encoding::of_code_page(437).is_err());
    }

    #[test]
    fn base64_wants_padding_and_skips_white_space() {
        for (text, expected) in [
            ("AQID", Some(&[1, 2, 3][..])),
            ("AQI=", Some(&[1, 2])),
            (" A Q\nID ", Some(&[1, 2, 3])),
            ("", Some(&[])),
            ("AQI", None),
            ("A-_B", None),
            ("AQID=", None),
            ("AQIDé", None),
            ("A===", None),
            ("AQ=I", None),
        ] {
            assert_eq!(from_base64(text).ok().as_deref(), expected, "{text}");
        }
        assert_eq!(to_base64(&[0; 60], true).len(), 82);
        assert_eq!(to_base64(&[0; 57], true).len(), 76);
    }

    #[test]
    fn hex_is_read_in_pairs() {
        assert_eq!(to_hex(&[0, 255]), "00FF");
        assert_eq!(from_hex("00fF"), Ok(vec![0, 255]));
        assert!(from_hex("0").is_err() && from_hex("zz").is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(bytes: Vec<u8>, lines: bool) {
            proptest::prop_assert_eq!(from_base64(&to_base64(&bytes, lines)), Ok(bytes));
        }

        #[test]
        fn texts_survive_unicode(text: String) {
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32BigEndian] {
                let bytes = encoding.encode(&text.encode_utf16().collect::<Vec<_>>());
                proptest::prop_assert_eq!(encoding.decode(&bytes), text.clone());
            }
        }
    }
}
