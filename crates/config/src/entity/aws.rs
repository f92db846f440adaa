//! Keys of AWS for a backend: its requests are signed by Signature Version 4, as Amazon Bedrock
//! wants them. Azure has no such credential.
//!
//! ```yaml
//! auth: { aws: { region: us-east-1, access-key-id: "{{aws-id}}", secret-access-key: "{{aws-secret}}" } }
//! ```
//!
//! In Azure's form `aws` stands under `portcullis` in the backend's `properties`.

use super::Given;
use crate::tree::Fields;

/// The service that is called unless the credentials say otherwise.
const BEDROCK: &str = "bedrock";

/// Keys of AWS, as written.
#[derive(Clone, Debug)]
pub struct AwsEntity {
    /// The region of the service.
    pub region: String,
    /// The name that the service signs with.
    pub service: String,
    /// Which key it is.
    pub access_key_id: Given,
    /// The key.
    pub secret_access_key: Given,
    /// The token of a session, with keys that do not last.
    pub session_token: Option<Given>,
}

/// Reads `aws`, if it is there.
pub(crate) fn read(fields: &Fields<'_, '_>) -> Option<AwsEntity> {
    let fields = fields.map("aws")?;
    let given = |key: &'static str| {
        let found = fields.get(key).and_then(Given::of);
        if found.is_none() {
            fields.missing(key);
        }
        found
    };
    let region = fields.filled("region");
    if region.is_none() {
        fields.missing("region");
    }
    let (id, secret) = (given("access-key-id"), given("secret-access-key"));
    let service = fields.filled("service").unwrap_or_else(|| BEDROCK.to_owned());
    let session_token = fields.get("session-token").and_then(Given::of);
    fields.finish();
    Some(AwsEntity {
        region: region?,
        service,
        access_key_id: id?,
        secret_access_key: secret?,
        session_token,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance_checks::Problems;
    use crate::tree::Keys;
    use crate::tree::tests::yaml;

    fn aws(text: &str) -> (Option<AwsEntity>, Vec<String>) {
        let (tree, problems) = (yaml(text), Problems::default());
        let fields = Fields::new(&tree, Keys::Known, &problems);
        let found = read(&fields);
        fields.finish();
        (found, problems.into_inner().into_iter().map(|it| it.message).collect())
    }

    #[test]
    fn region_and_keys_are_needed_and_bedrock_is_usual() {
        let (found, problems) =
            aws("aws: { region: eu-west-1, access-key-id: a, secret-access-key: s }");
        let found = found.unwrap();
        assert_eq!(problems, [""; 0]);
        assert_eq!((found.region.as_str(), found.service.as_str()), ("eu-west-1", "bedrock"));
        assert!(found.session_token.is_none());
        for (text, problem) in [
            ("aws: { access-key-id: a, secret-access-key: s }", "`region` is missing"),
            ("aws: { region: r, secret-access-key: s }", "`access-key-id` is missing"),
            ("aws: { region: r, access-key-id: s }", "`secret-access-key` is missing"),
            (
                "aws: { region: r, access-key-id: a, secret-access-key: s, token: t }",
                "unknown key `token`",
            ),
        ] {
            let problems = aws(text).1;
            assert!(problems.iter().any(|it| it.starts_with(problem)), "{text}: {problems:?}");
        }
        assert!(aws("{}").0.is_none());
    }
}
