//! The URL of a call, from text.

use http::Uri;
use pipeline::url::absolute;
use pipeline::{Convert, Unfit};

/// An absolute URL that can be called. What may not stand in a URL as it is, is encoded; a
/// fragment is left out.
#[derive(Clone, Debug)]
pub(crate) struct CallUrl(pub(crate) Uri);

impl Convert for CallUrl {
    fn from_text(text: &str) -> Result<CallUrl, Unfit> {
        // The text may hold a key in its query, so it is not quoted.
        let unfit = || Unfit::wanted("an absolute http or https URL");
        let mut url = absolute(text).map_err(|_| unfit())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(unfit());
        }
        url.set_fragment(None);
        url.as_str().parse().map(CallUrl).map_err(|_| unfit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_absolute_and_of_http() {
        for (text, expected) in [
            (" https://h/a?b=c#d\n", Some("https://h/a?b=c")),
            ("http://h:81", Some("http://h:81/")),
            ("https://h/a b?c=é", Some("https://h/a%20b?c=%C3%A9")),
            ("https://h/a\r\nhost: evil", Some("https://h/a%0D%0Ahost:%20evil")),
            ("https://h\r\n.evil/", None),
            ("/a", None),
            ("", None),
            ("ftp://h/", None),
            ("https://", None),
            ("https://#host#/x", None),
            ("https://{host}/x", None),
        ] {
            let got = CallUrl::from_text(text).ok().map(|it| it.0.to_string());
            assert_eq!(got.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_url_is_not_shown() {
        let unfit = CallUrl::from_text("h/a?key=hunter2").unwrap_err();
        assert_eq!(unfit.to_string(), "expected an absolute http or https URL");
    }
}
