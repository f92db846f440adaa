//! The account of a Cosmos DB: its connection string, and how requests to it are signed.
//!
//! Source: <https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources>

use std::time::SystemTime;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline::url::encode;
use transport::Secret;

/// Where an account is, and its key if the connection string has one.
#[derive(Debug)]
pub(super) struct Account {
    /// Scheme, host, and port if it is not the usual one.
    pub(super) endpoint: String,
    key: Option<Secret>,
}

impl Account {
    /// Reads `AccountEndpoint=...;AccountKey=...;`. Why not is told without what it holds.
    pub(super) fn parse(text: &str) -> Result<Account, &'static str> {
        let (mut endpoint, mut key) = (None, None);
        // Examples of the documentation break long lines.
        let text: String = text.split_whitespace().collect();
        for part in text.split(';').filter(|it| !it.is_empty()) {
            let (name, value) = part.split_once('=').ok_or("a part has no `=`")?;
            match name.to_ascii_lowercase().as_str() {
                "accountendpoint" => endpoint = Some(value.trim_end_matches('/').to_owned()),
                "accountkey" => key = Some(Secret::from(value.to_owned())),
                "database" | "disableservercertificatevalidation" => {}
                _ => return Err("a part is neither `AccountEndpoint` nor `AccountKey`"),
            }
        }
        let endpoint = endpoint.ok_or("there is no `AccountEndpoint`")?;
        let uri: http::Uri = endpoint.parse().map_err(|_| "`AccountEndpoint` is no URL")?;
        let is_origin = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let is_http = matches!(uri.scheme_str(), Some("https" | "http"));
        let has_user = uri.authority().is_some_and(|it| it.as_str().contains('@'));
        if !is_origin || !is_http || has_user {
            return Err("`AccountEndpoint` is no URL of an account");
        }
        let usual = if uri.scheme_str() == Some("https") { ":443" } else { ":80" };
        let endpoint = endpoint.strip_suffix(usual).unwrap_or(&endpoint).to_owned();
        Ok(Account { endpoint, key })
    }

    /// What a token of the managed identity is for.
    pub(super) fn resource(&self) -> String {
        let uri: Option<http::Uri> = self.endpoint.parse().ok();
        let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
        format!("https://{host}")
    }

    /// The value of `Authorization` by the account's key; none if there is none, or it is no base64.
    pub(super) fn sign(&self, method: &str, kind: &str, link: &str, date: &str) -> Option<String> {
        let key = STANDARD.decode(self.key.as_ref()?.expose()).ok()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let (method, date) = (method.to_ascii_lowercase(), date.to_ascii_lowercase());
        let signed = format!("{method}\n{kind}\n{link}\n{date}\n\n");
        let tag = hmac::sign(&key, signed.as_bytes());
        Some(authorization("master", &STANDARD.encode(tag.as_ref())))
    }
}

/// The value of `Authorization`.
pub(super) fn authorization(kind: &str, signature: &str) -> String {
    encode(&format!("type={kind}&ver=1.0&sig={signature}"))
}

/// A time as HTTP has it.
pub(super) fn date(now: SystemTime) -> String {
    httpdate::fmt_http_date(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the example in the documentation.
    const KEY: &str =
        "dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/t4bQtVNw==";

    #[test]
    fn the_example_of_the_documentation_is_signed_as_there() {
        let text = format!("AccountEndpoint=https://h.example:443/;AccountKey={KEY};");
        let account = Account::parse(&text).unwrap();
        let date = "Thu, 27 Apr 2017 00:51:12 GMT";
        let signed = account.sign("GET", "dbs", "dbs/ToDoList", date).unwrap();
        let expected =
            "type%3Dmaster%26ver%3D1.0%26sig%3Dc09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2Bc%2Bc%3D";
        assert_eq!(signed, expected);
    }

    #[test]
    fn a_connection_string_names_an_account() {
        let told = |text: &str| match Account::parse(text) {
            Ok(it) => format!("{} {} {}", it.endpoint, it.resource(), it.key.is_some()),
            Err(problem) => problem.to_owned(),
        };
        for (text, expected) in [
            (
                " AccountEndpoint=https://a.\ndocuments.azure.com:443/;AccountKey=x==; ",
                "https://a.documents.azure.com https://a.documents.azure.com true",
            ),
            ("accountendpoint=http://h:8081/", "http://h:8081 https://h false"),
            ("AccountKey=x", "there is no `AccountEndpoint`"),
            ("AccountEndpoint=h/x", "`AccountEndpoint` is no URL"),
            ("AccountEndpoint=https://h/x", "`AccountEndpoint` is no URL of an account"),
            ("AccountEndpoint=https://u@h", "`AccountEndpoint` is no URL of an account"),
            ("AccountEndpoint=ftp://h", "`AccountEndpoint` is no URL of an account"),
            ("x", "a part has no `=`"),
            ("Server=x", "a part is neither `AccountEndpoint` nor `AccountKey`"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn a_key_that_is_no_base64_signs_nothing() {
        for text in ["AccountEndpoint=https://h;AccountKey=!", "AccountEndpoint=https://h"] {
            let account = Account::parse(text).unwrap();
            assert_eq!(account.sign("GET", "docs", "dbs/a", "x"), None);
        }
    }
}
