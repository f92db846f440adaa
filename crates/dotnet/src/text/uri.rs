//! `System.Uri`: taking addresses apart, putting them together, resolving relative ones.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.uri>

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Failure;
use super::ip;
use super::punycode::idn;
use super::uri_escape::{ALLOWED, canonical};
use super::web::unescape;

/// An absolute or relative URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// The text it was made of.
    pub original: String,
    /// Its parts, if it is absolute.
    pub parts: Option<Parts>,
}

/// The parts of an absolute URI, escaped and in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// In lower case, without the colon.
    pub scheme: String,
    /// Without the `@`.
    pub user_info: String,
    /// In lower case, with brackets around IPv6; `None` if there is no authority.
    pub host: Option<String>,
    /// The port, if it is written and not the default.
    pub port: Option<u16>,
    /// From the first slash on; of a URI without authority all that follows the scheme.
    pub path: String,
    /// With the question mark, or empty.
    pub query: String,
    /// With the number sign, or empty.
    pub fragment: String,
}

/// `System.UriHostNameType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostType {
    /// No host.
    Unknown = 0,
    /// A host that is none of the others.
    Basic = 1,
    /// A host name.
    Dns = 2,
    /// Four bytes.
    IPv4 = 3,
    /// In brackets.
    IPv6 = 4,
}

impl Uri {
    /// Reads an absolute URI.
    ///
    /// # Errors
    ///
    /// [`Failure::Uri`].
    pub fn absolute(text: &str) -> Result<Self, Failure> {
        let parts = Parts::read(text)?;
        Ok(Self { original: text.to_owned(), parts: Some(parts) })
    }

    /// Takes a text as a relative reference; `None` if it is an absolute URI.
    pub fn relative(text: &str) -> Option<Self> {
        let relative = scheme(text.trim()).is_none() || Parts::read(text).is_err();
        relative.then(|| Self { original: text.to_owned(), parts: None })
    }

    /// Reads either; what has a scheme must be a valid absolute URI.
    ///
    /// # Errors
    ///
    /// [`Failure::Uri`].
    pub fn any(text: &str) -> Result<Self, Failure> {
        if scheme(text.trim()).is_some() {
            return Self::absolute(text);
        }
        Ok(Self { original: text.to_owned(), parts: None })
    }

    /// Resolves a reference against this absolute URI (RFC 3986, section 5.2).
    ///
    /// # Errors
    ///
    /// [`Failure::Argument`] if this is relative, [`Failure::Uri`] if the result is ill-formed.
    pub fn join(&self, reference: &str) -> Result<Self, Failure> {
        let Some(base) = &self.parts else {
            let text = "The URI is not an absolute URI.";
            return Err(Failure::Argument(text.to_owned(), "baseUri"));
        };
        let mut reference = reference.trim();
        if let Some(scheme) = scheme(reference) {
            let rest = reference.get(scheme.len() + 1..).unwrap_or_default();
            // `http:x` is relative to a base of the same scheme, an old habit that .NET keeps.
            let same = base.host.is_some() && scheme.eq_ignore_ascii_case(&base.scheme);
            if !same || rest.starts_with("//") {
                return Self::absolute(reference);
            }
            reference = rest;
        }
        if reference.is_empty() {
            return Self::absolute(&base.to_text());
        }
        if base.host.is_none() {
            return Err(Failure::Uri("Invalid URI: the base cannot be resolved against.".into()));
        }
        let reference =
            if is_web(&base.scheme) { slashes(reference) } else { reference.to_owned() };
        let (path, query, fragment) = split(&reference);
        let left = base.left(true);
        let text = if reference.starts_with("//") {
            format!("{}:{reference}", base.scheme)
        } else if path.starts_with('/') {
            format!("{left}{path}{query}{fragment}")
        } else if !path.is_empty() {
            let folder = base.path.rfind('/').and_then(|it| base.path.get(..=it)).unwrap_or("/");
            format!("{left}{folder}{path}{query}{fragment}")
        } else if !query.is_empty() {
            format!("{left}{}{query}{fragment}", base.path)
        } else {
            format!("{left}{}{}{fragment}", base.path, base.query)
        };
        Self::absolute(&text)
    }

    /// `ToString()`: escapes are decoded where that is safe; a relative one is its own text.
    pub fn to_text(&self) -> String {
        let Some(parts) = &self.parts else { return self.original.clone() };
        unescape(&parts.to_text(), |ch| {
            let control = ch.is_control() || ch == '\u{7f}';
            !control && !":/?#[]@!$&'()*+,;=%\\".contains(ch)
        })
    }
}

impl Parts {
    fn read(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        let Some(scheme) = scheme(text) else {
            return Err(invalid("The format of the URI could not be determined."));
        };
        let written = text.get(scheme.len() + 1..).unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        let web = is_web(&scheme);
        let rest = if web { slashes(written) } else { written.to_owned() };
        let Some(after) = rest.strip_prefix("//") else {
            if web {
                return Err(invalid("The Authority/Host could not be parsed."));
            }
            let (path, query, fragment) = split(&rest);
            return Ok(Self {
                scheme,
                user_info: String::new(),
                host: None,
                port: None,
                path: canonical(path),
                query: canonical(query),
                fragment: canonical(fragment),
            });
        };
        // No backslash ends a host, but that of a file.
        let of_host = if scheme == "file" { after } else { written.get(2..).unwrap_or_default() };
        let end = of_host.find(['/', '?', '#']).unwrap_or(of_host.len());
        if of_host
            .get(..end)
            .is_some_and(|it| it.split(':').next().is_some_and(|it| it.contains('\\')))
        {
            return Err(invalid("The hostname could not be parsed."));
        }
        let (authority, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        let (user_info, host_port) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = host_and_port(host_port, &scheme)?;
        let (path, query, fragment) = split(tail);
        let path = if path.is_empty() { "/".to_owned() } else { canonical(path) };
        Ok(Self {
            user_info: canonical(user_info),
            host: Some(host),
            port: port.filter(|it| Some(*it) != default_port(&scheme)),
            path: remove_dots(&path),
            query: canonical(query),
            fragment: canonical(fragment),
            scheme,
        })
    }

    /// Scheme and authority; the user's name and password only if wanted.
    pub fn left(&self, with_user: bool) -> String {
        let Some(host) = &self.host else { return format!("{}:", self.scheme) };
        let user = if with_user && !self.user_info.is_empty() {
            format!("{}@", self.user_info)
        } else {
            String::new()
        };
        let port = self.port.map(|it| format!(":{it}")).unwrap_or_default();
        format!("{}://{user}{host}{port}", self.scheme)
    }

    /// `Authority`: host and, if it is not the default, port.
    pub fn authority(&self) -> String {
        let port = self.port.map(|it| format!(":{it}")).unwrap_or_default();
        format!("{}{port}", self.host.as_deref().unwrap_or_default())
    }

    /// `Port`; -1 if the scheme has none.
    pub fn port(&self) -> i32 {
        self.port.or_else(|| default_port(&self.scheme)).map_or(-1, i32::from)
    }

    /// The whole, escaped, as `AbsoluteUri` has it.
    pub fn to_text(&self) -> String {
        format!("{}{}{}{}", self.left(true), self.path, self.query, self.fragment)
    }

    /// `Segments`: the path cut after each slash.
    pub fn segments(&self) -> Vec<String> {
        self.path.split_inclusive('/').map(str::to_owned).collect()
    }

    /// The way from another URI of the same authority to this one.
    pub fn relative_to(&self, base: &Self) -> String {
        let mut same = 0;
        for (index, (a, b)) in base.path.chars().zip(self.path.chars()).enumerate() {
            if a != b {
                break;
            }
            if a == '/' {
                same = index + 1;
            }
        }
        let rest: String = self.path.chars().skip(same).collect();
        if base.path == self.path {
            let last = self.path.rsplit('/').next().unwrap_or_default();
            let name = if self.query == base.query { "" } else { last };
            return format!(
                "{name}{}{}",
                if name.is_empty() { "" } else { &self.query },
                self.fragment
            );
        }
        let ups = base.path.chars().skip(same).filter(|ch| *ch == '/').count();
        let way = format!("{}{rest}", "../".repeat(ups));
        let way = if way.is_empty() { "./".to_owned() } else { way };
        format!("{way}{}{}", self.query, self.fragment)
    }

    /// `HostNameType`.
    pub fn host_type(&self) -> HostType {
        let Some(host) = self.host.as_deref() else { return HostType::Unknown };
        if host.starts_with('[') {
            HostType::IPv6
        } else if host.parse::<Ipv4Addr>().is_ok() {
            HostType::IPv4
        } else if host.is_empty() {
            HostType::Basic
        } else {
            HostType::Dns
        }
    }

    /// `IsLoopback`.
    pub fn is_loopback(&self) -> bool {
        match self.host.as_deref() {
            None => false,
            Some("" | "localhost" | "loopback") => true,
            Some(host) => {
                host.parse::<Ipv4Addr>().is_ok_and(|it| it.is_loopback()) || host == "[::1]"
            }
        }
    }

    /// `IdnHost`: the host in Punycode, IPv6 without brackets.
    pub fn idn_host(&self) -> String {
        idn(self.host.as_deref().unwrap_or_default().trim_matches(['[', ']']))
    }
}

fn invalid(what: &str) -> Failure {
    Failure::Uri(format!("Invalid URI: {what}"))
}

/// The scheme that a text starts with.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    is_scheme(scheme).then_some(scheme).filter(|it| it.len() > 1)
}

/// `Uri.CheckSchemeName`.
pub fn is_scheme(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|it| it.is_ascii_alphabetic())
        && bytes.all(|it| it.is_ascii_alphanumeric() || b"+-.".contains(&it))
}

fn default_port(scheme: &str) -> Option<u16> {
    Some(match scheme {
        "http" | "ws" => 80,
        "https" | "wss" => 443,
        "ftp" => 21,
        "ldap" => 389,
        "net.tcp" => 808,
        "gopher" => 70,
        "nntp" => 119,
        "telnet" => 23,
        _ => return None,
    })
}

/// Whether backslashes count as slashes.
fn is_web(scheme: &str) -> bool {
    matches!(scheme, "http" | "https" | "ws" | "wss" | "ftp" | "file")
}

/// Path, query with `?`, fragment with `#`.
fn split(text: &str) -> (&str, &str, &str) {
    let (text, fragment) =
        text.split_at_checked(text.find('#').unwrap_or(text.len())).unwrap_or((text, ""));
    let (path, query) =
        text.split_at_checked(text.find('?').unwrap_or(text.len())).unwrap_or((text, ""));
    (path, query, fragment)
}

/// Backslashes before query and fragment count as slashes.
fn slashes(text: &str) -> String {
    let (path, query, fragment) = split(text);
    format!("{}{query}{fragment}", path.replace('\\', "/"))
}

/// RFC 3986, section 5.2.4.
fn remove_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let last = segments.len().saturating_sub(1);
    for (index, segment) in segments.iter().enumerate() {
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if index == last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

fn host_and_port(text: &str, scheme: &str) -> Result<(String, Option<u16>), Failure> {
    let (host, port) = if text.starts_with('[') {
        let end = text.find(']').ok_or_else(|| invalid("The hostname could not be parsed."))?;
        let (host, rest) = text.split_at_checked(end + 1).unwrap_or((text, ""));
        let port = if rest.is_empty() { None } else { rest.strip_prefix(':') };
        if !rest.is_empty() && port.is_none() {
            return Err(invalid("Invalid port specified."));
        }
        let address: Ipv6Addr = host
            .trim_matches(['[', ']'])
            .parse()
            .map_err(|_| invalid("The hostname could not be parsed."))?;
        (format!("[{address}]"), port)
    } else {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        // `http://0x7f.1/` is `http://127.0.0.1/`, also for whoever compares hosts.
        let host = match ip::parse_v4(host) {
            Some(address) => address.to_string(),
            None => host.chars().flat_map(char::to_lowercase).collect(),
        };
        (host, port)
    };
    if host.is_empty() && scheme != "file" {
        return Err(invalid("The hostname could not be parsed."));
    }
    let fits = |ch: char| ch.is_alphanumeric() || "-._".contains(ch);
    if !host.starts_with('[') && !host.chars().all(fits) {
        return Err(invalid("The hostname could not be parsed."));
    }
    let port = match port {
        None | Some("") => None,
        Some(digits) if digits.bytes().all(|it| it.is_ascii_digit()) => {
            Some(digits.parse().map_err(|_| invalid("Invalid port specified."))?)
        }
        Some(_) => return Err(invalid("Invalid port specified.")),
    };
    Ok((host, port))
}

/// `Uri.IsWellFormedUriString`: nothing in it needs to be escaped. `None` accepts both kinds.
pub fn is_well_formed(text: &str, absolute: Option<bool>) -> bool {
    let is_absolute = match Uri::any(text) {
        Ok(uri) => uri.parts.is_some(),
        Err(_) => return false,
    };
    if absolute.is_some_and(|it| it != is_absolute) {
        return false;
    }
    let kept =
        |byte: u8| !byte.is_ascii() || byte.is_ascii_alphanumeric() || ALLOWED.contains(&byte);
    let (path, query, fragment) = split(text);
    let brackets = |part: &str| part.contains(['[', ']']);
    let host_end = path.find("//").map_or(0, |at| at + 2);
    let path_start =
        path.get(host_end..).and_then(|it| it.find('/')).map_or(path.len(), |it| host_end + it);
    let stray =
        path.get(path_start..).is_some_and(brackets) || brackets(query) || brackets(fragment);
    let second_fragment = fragment.get(1..).is_some_and(|it| it.contains('#'));
    text.bytes().all(kept) && bad_escape(text).is_none() && !stray && !second_fragment
}

/// Where a percent sign stands without two hex digits behind it.
fn bad_escape(text: &str) -> Option<usize> {
    text.match_indices('%').map(|(at, _)| at).find(|at| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        !digits.is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Parts {
        Uri::absolute(text).unwrap().parts.unwrap()
    }

    #[test]
    fn addresses_come_apart() {
        let it = parts("https://user:pw@example.com:8443/a/b.html?q=1&r=2#frag");
        assert_eq!((it.scheme.as_str(), it.host.as_deref()), ("https", Some("example.com")));
        assert_eq!((it.port(), it.user_info.as_str()), (8443, "user:pw"));
        assert_eq!((it.path.as_str(), it.query.as_str()), ("/a/b.html", "?q=1&r=2"));
        assert_eq!((it.fragment.as_str(), it.authority().as_str()), ("#frag", "example.com:8443"));
        assert_eq!(it.segments(), ["/", "a/", "b.html"]);
        assert_eq!(it.left(true), "https://user:pw@example.com:8443");
        assert_eq!(it.host_type(), HostType::Dns);
        assert_eq!(parts("urn:x:y").path, "x:y");
        assert_eq!(parts("mailto:a@b.c").scheme, "mailto");
    }

    #[test]
    fn addresses_are_made_canonical() {
        for (text, absolute, shown) in [
            ("https://example.com", "https://example.com/", "https://example.com/"),
            (
                "HTTPS://EXAMPLE.com:443/PaTh",
                "https://example.com/PaTh",
                "https://example.com/PaTh",
            ),
            ("https://e.com/a b", "https://e.com/a%20b", "https://e.com/a b"),
            ("https://e.com/a%2Fb", "https://e.com/a%2Fb", "https://e.com/a%2Fb"),
            ("https://e.com/%C3%A9", "https://e.com/%C3%A9", "https://e.com/é"),
            ("https://e.com/a/../b/./c", "https://e.com/b/c", "https://e.com/b/c"),
            ("https://e.com//a//b/..", "https://e.com//a//", "https://e.com//a//"),
            ("https://e.com/%41%7", "https://e.com/A%257", "https://e.com/A%257"),
            (r"https:\\e.com/y\x?a\b", "https://e.com/y/x?a%5Cb", "https://e.com/y/x?a%5Cb"),
            ("https://[::1]:80/", "https://[::1]:80/", "https://[::1]:80/"),
            ("https://e.com/x?", "https://e.com/x?", "https://e.com/x?"),
        ] {
            let uri = Uri::absolute(text).unwrap();
            assert_eq!(uri.parts.as_ref().map(Parts::to_text).as_deref(), Some(absolute));
            assert_eq!(uri.to_text(), shown);
        }
        for text in
            [r"http://e.com\x", r"http:\\e.com\x", r"http://u@e.com\x", r"http://e.com:80\x"]
        {
            assert!(Uri::absolute(text).is_err(), "{text}");
        }
        assert_eq!(parts("https://Bücher.example/").idn_host(), "xn--bcher-kva.example");
    }

    #[test]
    fn ill_formed_addresses_are_refused() {
        for text in
            ["rel/path", "http://", "https://e.com:99999/", "not a uri", "http://a b/", "//x"]
        {
            assert!(Uri::absolute(text).is_err(), "{text}");
        }
        assert!(Uri::relative("/a/b").is_some() && Uri::relative("https://e.com").is_none());
        assert!(!is_well_formed("https://e.com/a b", Some(true)));
        assert!(is_well_formed("https://e.com/a%20b", None) && is_well_formed("a/b", Some(false)));
    }

    #[test]
    fn references_resolve_against_a_base() {
        let base = Uri::absolute("https://e.com/a/b?q#f").unwrap();
        for (reference, expected) in [
            ("c", "https://e.com/a/c"),
            ("/c", "https://e.com/c"),
            ("../c?x", "https://e.com/c?x"),
            ("?x", "https://e.com/a/b?x"),
            ("#x", "https://e.com/a/b?q#x"),
            ("", "https://e.com/a/b?q#f"),
            ("https:x", "https://e.com/a/x"),
            ("//o.org/x", "https://o.org/x"),
            ("http://o.org", "http://o.org/"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_text(), expected);
        }
    }

    #[test]
    fn ways_lead_from_one_address_to_another() {
        for (from, to, expected) in [
            ("https://e.com/a/b", "https://e.com/a/c?x#y", "c?x#y"),
            ("https://e.com/a/b/", "https://e.com/a/c", "../c"),
            ("https://e.com/a/b/c", "https://e.com/", "../../"),
            ("https://e.com/a", "https://e.com/a#x", "#x"),
        ] {
            assert_eq!(parts(to).relative_to(&parts(from)), expected, "{from} {to}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_canonical_address_stays_as_it_is(path in "[a-z/.% é]{0,16}", query in "[a-z=&%+]{0,8}") {
            let once = parts(&format!("https://e.com/{path}?{query}")).to_text();
            proptest::prop_assert_eq!(parts(&once).to_text(), once);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}") {
            let _ = Uri::any(&text);
        }
    }
}
