//! Distinguished names as .NET writes them: the most specific part first, `CN=a, O=b, C=c`.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.security.cryptography.x509certificates.x500distinguishedname.name>

use x509_parser::x509::X509Name;

/// Short names of attributes that .NET knows; others are written as `OID.1.2.3`.
const NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "S"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "T"),
    ("2.5.4.42", "G"),
    ("2.5.4.43", "I"),
    ("1.2.840.113549.1.9.1", "E"),
    ("0.9.2342.19200300.100.1.25", "DC"),
];

/// The name as text.
pub(super) fn text(name: &X509Name<'_>) -> String {
    let mut parts = parts(name);
    parts.reverse();
    parts.join(", ")
}

/// The name as text, the least specific part first.
pub(super) fn forward(name: &X509Name<'_>) -> String {
    parts(name).join(", ")
}

/// The name on one line as OpenSSL writes it: `/C=c/O=b/CN=a`.
pub(super) fn one_line(name: &X509Name<'_>) -> String {
    const OTHER: &[(&str, &str)] = &[
        ("2.5.4.5", "serialNumber"),
        ("2.5.4.8", "ST"),
        ("2.5.4.9", "street"),
        ("2.5.4.12", "title"),
        ("2.5.4.42", "GN"),
        ("2.5.4.43", "initials"),
        ("1.2.840.113549.1.9.1", "emailAddress"),
    ];
    let line = name.iter_attributes().map(|it| {
        let oid = it.attr_type().to_id_string();
        let known = OTHER.iter().chain(NAMES).find(|(known, _)| *known == oid);
        let key = known.map_or(&*oid, |(_, name)| name);
        format!("/{key}={}", it.as_str().unwrap_or(""))
    });
    line.collect()
}

fn parts(name: &X509Name<'_>) -> Vec<String> {
    name.iter_rdn()
        .map(|part| {
            let attributes: Vec<String> = part
                .iter()
                .map(|it| {
                    let oid = it.attr_type().to_id_string();
                    let known = NAMES.iter().find(|(known, _)| *known == oid);
                    let key = known.map_or(format!("OID.{oid}"), |(_, name)| (*name).to_owned());
                    format!("{key}={}", quoted(it.as_str().unwrap_or("")))
                })
                .collect();
            attributes.join(" + ")
        })
        .collect()
}

/// The value of the attribute with that number, the most specific one.
pub(super) fn attribute(name: &X509Name<'_>, oid: &str) -> Option<String> {
    let found = name.iter_attributes().filter(|it| it.attr_type().to_id_string() == oid);
    found.last().and_then(|it| it.as_str().ok()).map(str::to_owned)
}

fn quoted(value: &str) -> String {
    let is_special = value.contains([',', '+', '=', '"', '\n', '<', '>', '#', ';'])
        || value.starts_with(' ')
        || value.ends_with(' ')
        || value.is_empty();
    if is_special { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn values_with_special_characters_are_quoted() {
        let cases = [("a b", "a b"), ("a, b", "\"a, b\""), ("say \"x\"", "\"say \"\"x\"\"\"")];
        for (value, expected) in cases {
            assert_eq!(quoted(value), expected);
        }
    }
}
