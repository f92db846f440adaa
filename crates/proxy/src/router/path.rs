//! Dot segments: `/a/../b` is `/b` before anything is matched.
//!
//! Source: RFC 3986, section 5.2.4.

use std::borrow::Cow;

use memchr::memchr2;

/// The path without dot segments; encoded dots count too. Empty segments stay. What would climb
/// above the root stays at the root.
pub(super) fn resolve(path: &str) -> Cow<'_, str> {
    // Hardly any path has so much as a byte of such a segment.
    if memchr2(b'.', b'%', path.as_bytes()).is_none() || !path.split('/').any(is_dots) {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match n_dots(segment) {
            Some(n_dots) => {
                if n_dots == 2 {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            None => kept.push(segment),
        }
    }
    let mut resolved = String::with_capacity(path.len());
    for segment in kept {
        resolved.push('/');
        resolved.push_str(segment);
    }
    if resolved.is_empty() {
        resolved.push('/');
    }
    Cow::Owned(resolved)
}

fn is_dots(segment: &str) -> bool {
    n_dots(segment).is_some()
}

/// 1 for `.` and 2 for `..`, each dot perhaps as `%2e`.
fn n_dots(segment: &str) -> Option<usize> {
    if !segment.starts_with(['.', '%']) || segment.len() > 6 {
        return None;
    }
    let mut rest = segment;
    let mut n_dots = 0;
    while !rest.is_empty() {
        let is_encoded = rest.get(..3).is_some_and(|it| it.eq_ignore_ascii_case("%2e"));
        rest = match rest.strip_prefix('.') {
            Some(after) => after,
            None if is_encoded => rest.get(3..).unwrap_or_default(),
            None => return None,
        };
        n_dots += 1;
    }
    (n_dots == 1 || n_dots == 2).then_some(n_dots)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::resolve;

    #[test]
    fn dot_segments_are_resolved() {
        for (path, expected) in [
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a/.", "/a/"),
            ("/../../a", "/a"),
            ("/..", "/"),
            ("/%2e%2E/a/.%2e/b", "/b"),
            ("/a//../b", "/a/b"),
        ] {
            assert_eq!(resolve(path), expected, "{path}");
        }
    }

    #[test]
    fn other_paths_are_not_copied() {
        for path in ["/", "/a//b/", "/...", "/.a", "/a.b", "/%2e%2e%2e", "/%20", "*"] {
            assert!(matches!(resolve(path), Cow::Borrowed(it) if it == path), "{path}");
        }
    }
}
