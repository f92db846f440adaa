//! What a certificate tells of itself when it is uploaded: subject, thumbprint, end of its validity.
//!
//! Source: <https://learn.microsoft.com/rest/api/apimanagement/certificate/create-or-update>

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dotnet::crypto::Certificate;
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::special::{text, timestamp};

/// What the service says of a certificate.
const TOLD: &[&str] = &["subject", "thumbprint", "expirationDate"];

/// Checks an uploaded certificate and adds what it tells. One that is in Key Vault tells nothing
/// before it is fetched.
pub(crate) fn complete(mut properties: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    for name in TOLD {
        properties.shift_remove(*name);
    }
    let Some(data) = text(&properties, "data") else {
        return match properties.get("keyVault").filter(|it| !it.is_null()) {
            Some(_) => Ok(properties),
            None => {
                Err(Problem::property("data", "The certificate is required: `data` or `keyVault`."))
            }
        };
    };
    let unreadable =
        |why: &str| Problem::property("data", format!("The certificate cannot be read: {why}"));
    // Line breaks are usual in Base64.
    let packed: String = data.chars().filter(|it| !it.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(packed).map_err(|_| unreadable("it is no Base64."))?;
    let password = text(&properties, "password").unwrap_or_default();
    let read = Certificate::open(&bytes, password).map_err(|fault| unreadable(&fault.message))?;
    if !read.has_private_key {
        return Err(unreadable("it has no private key: a PFX file is expected."));
    }
    let expires = u64::try_from(read.not_after).unwrap_or_default();
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(expires);
    for (name, value) in TOLD.iter().zip([read.subject, read.thumbprint, timestamp(expires)]) {
        properties.insert((*name).to_owned(), value.into());
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Of `CN=client.contoso.test`, with the password `secret`.
    const PFX: &str = "MIIELAIBAzCCA+IGCSqGSIb3DQEHAaCCA9MEggPPMIIDyzCCAoIGCSqGSIb3DQEHBqCCAnMwggJvAgEAMIICaAYJKoZIhvcNAQcBMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjF0nFemcBYCQICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEBRu48M9+bmPNR+VlfDg2huAggIA+BT8BbDLLihhZQIW6WQYdPjV7xOUWkhPZ7UYZbpVT0Ldm3z+E0F5j8q3iqvwWxI3BT59kjifh5TZTFysUbSW9r1DdN66kcn35ao4vH3AGoLyDv1zk6SB5UTDNGDa/BfSSsLK0M6BdWpJSCYEgL9f2AN3MMSnJUU8/cjD7IV4lxHSdyDirBayUTGSmpSQLm3XkvGNQUGl6f6Hwo+vYtkmiEx3dcGmTVUKmu/YHcX5gNu/HgKLc2H9dOsPbzo/yLsnV9PbH5SaIqFq6KkKwWQTal4Q6PDzYruW6BkihSj4UxwR5T8RH5+hAcSH6A6wQeFWw7cSv+FSxIHEz8lD98iCxWw4iBmA/fjvkm8I6i26g+aefduSWyDRtaXLRt5oOy7tNpWzzanpeRuQ/pjJ5O7SAhwJehL4s9IpPEvgJPS37SaMNIxzS8EjN7Ip7jbHnSK6MrrIIPcxr+abhElePGftq41HjsbZt1gpGYW0341Ds2CZCUSiFKBKTR3pbf/QmoBUkka5o5hyyNul5E04MRGuVvmGmAY+Ana30BlVputFBvUMvYT1oeOXYC3c3UlqbTXKhOgfU49MiNIZNf5bNYRZSJZq+BiVaYSKkAidbvEpm5FQx3L8s+mjNFlg2nHj0U5E43P5Z8naWTrp4BFcBUParHlgrInxYrg8oECiyJsypVgwggFBBgkqhkiG9w0BBwGgggEyBIIBLjCCASowggEmBgsqhkiG9w0BDAoBAqCB7zCB7DBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIYlnOukU36f4CAggAMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBC1meEHsL2cNP48HqqI5T+WBIGQj1OQRP8qfVORyvurtQZ/Sw9b0cJflL0ZDrN6IGRaNe0/SbE9t35CoFEb0c31DQcZqVvO805AY/kLdoDeYkfRKJgMH5uqs8dc9IAaCGDSHW7F5q0BB+2tDgJRt+4sL3oFmuiBSWiy65Muhzmq7OE55LHOsvKszmFQJa0SRfQt9iQMg1AWfdxAnpCzdmuWmCyVMSUwIwYJKoZIhvcNAQkVMRYEFLbnbxFJZDQcXdbLhlWHyO/hYdDSMEEwMTANBglghkgBZQMEAgEFAAQgbNA1SD/t/tfyuwYp7FxtHHOP+2HyOfGLHVENlBxAvswECO5vhn1BBQR+AgIIAA==";

    fn completed(properties: Value) -> Result<Map<String, Value>, Problem> {
        complete(properties.as_object().unwrap().clone())
    }

    #[test]
    fn an_uploaded_certificate_tells_of_itself() {
        let wrapped = format!("{}\n{}", &PFX[..64], &PFX[64..]);
        for data in [PFX, &wrapped] {
            let told =
                completed(json!({ "data": data, "password": "secret", "subject": "CN=old" }));
            let told = told.unwrap();
            assert_eq!(told["subject"], "CN=client.contoso.test");
            assert_eq!(told["thumbprint"], "B6E76F114964341C5DD6CB865587C8EFE161D0D2");
            assert_eq!(told["expirationDate"], "2126-10-31T03:15:50.000Z");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_never_quoted() {
        for (properties, expected) in [
            (json!({}), "`data` or `keyVault`"),
            (json!({ "data": PFX, "password": "not-right" }), "password"),
            (json!({ "data": "c2VjcmV0LWJ5dGVz", "password": "p" }), "cannot be read"),
            (json!({ "data": "%%" }), "no Base64"),
        ] {
            let told = format!("{:?}", completed(properties.clone()).unwrap_err());
            assert!(told.contains(expected), "{told}");
            assert!(!told.contains("not-right") && !told.contains("secret-bytes"), "{told}");
        }
        let kept = completed(json!({ "keyVault": { "secretIdentifier": "x" }, "thumbprint": "A" }));
        assert_eq!(kept.unwrap().keys().collect::<Vec<_>>(), ["keyVault"]);
    }
}
