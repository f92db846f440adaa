//! HTTP messages as text, as a file or a terminal shows them.
//!
//! ```text
//! POST /orders?x=1 HTTP/1.1        HTTP/1.1 200 OK
//! host: api.contoso.com            content-type: application/json
//! content-type: application/json
//!                                  {"id": 1}
//! {"item": 1}
//! ```

/// A message taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) start: Start,
    /// Names and values in order.
    pub(super) headers: Vec<(String, String)>,
    /// What stands behind the blank line; none if there is no blank line.
    pub(super) body: Option<Vec<u8>>,
}

/// The first line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    Request { method: String, target: String },
    Response { status: u16, reason: String },
}

/// Reads a message; lines may end with or without a carriage return.
///
/// # Errors
///
/// What is wrong, for people.
pub(super) fn parse(text: &[u8]) -> Result<Message, String> {
    let (head, body) = split(text);
    let head = std::str::from_utf8(head).map_err(|_| "the headers are not UTF-8".to_owned())?;
    let mut lines = head.lines();
    let first = lines.next().unwrap_or("").trim();
    let start = start(first)?;
    let mut headers = Vec::new();
    for line in lines.filter(|it| !it.trim().is_empty()) {
        headers.push(header(line)?);
    }
    Ok(Message { start, headers, body: body.map(<[u8]>::to_vec) })
}

/// `Name: value`.
///
/// # Errors
///
/// If there is no colon or no name.
pub(super) fn header(line: &str) -> Result<(String, String), String> {
    match line.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() && !name.trim().contains(' ') => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("`{line}` is no header; write `Name: value`")),
    }
}

fn start(line: &str) -> Result<Start, String> {
    let mut words = line.split_ascii_whitespace();
    match (words.next(), words.next()) {
        (Some(version), Some(status)) if version.starts_with("HTTP/") => {
            let status = status.parse().map_err(|_| format!("`{status}` is no status"))?;
            Ok(Start::Response { status, reason: words.collect::<Vec<_>>().join(" ") })
        }
        (Some(method), Some(target)) if method.chars().all(|it| it.is_ascii_uppercase()) => {
            Ok(Start::Request { method: method.to_owned(), target: target.to_owned() })
        }
        _ => Err(format!("`{line}` is no first line of a message, such as `GET /path HTTP/1.1`")),
    }
}

/// Head and body.
fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    for blank in [&b"\r\n\r\n"[..], b"\n\n"] {
        if let Some(at) = text.windows(blank.len()).position(|it| it == blank) {
            let (head, rest) = text.split_at(at);
            return (head, rest.get(blank.len()..));
        }
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_apart() {
        let it = parse(b"POST /a?b HTTP/1.1\r\nx-a: 1\r\n\r\n{\n}\n").unwrap();
        assert_eq!(it.start, Start::Request { method: "POST".into(), target: "/a?b".into() });
        assert_eq!(it.headers, [("x-a".to_owned(), "1".to_owned())]);
        assert_eq!(it.body.as_deref(), Some(&b"{\n}\n"[..]));
        let it = parse(b"HTTP/1.1 404 Not Found\n").unwrap();
        assert_eq!(it.start, Start::Response { status: 404, reason: "Not Found".into() });
        assert_eq!(it.body, None);
    }

    #[test]
    fn what_is_no_message_is_told() {
        for text in ["", "hello", "get / HTTP/1.1", "HTTP/1.1 abc", "GET / HTTP/1.1\nno header"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(header("a b: c").is_err() && header(": c").is_err());
    }
}
