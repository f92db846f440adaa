//! The built-in example: `examples/guide`, the four snippets of Microsoft's guide to authenticating
//! access to Azure OpenAI, one API each.

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../examples/guide/", $name)))
    };
}

/// Every file of the example, by its path in the folder.
pub(crate) const FILES: &[(&str, &str)] = &[
    file!("apis/openai-entra/apiInformation.json"),
    file!("apis/openai-entra/policy.xml"),
    file!("apis/openai-entra/specification.json"),
    file!("apis/openai-identity/apiInformation.json"),
    file!("apis/openai-identity/policy.xml"),
    file!("apis/openai-identity/specification.json"),
    file!("apis/openai-jwt/apiInformation.json"),
    file!("apis/openai-jwt/policy.xml"),
    file!("apis/openai-jwt/specification.json"),
    file!("apis/openai-key/apiInformation.json"),
    file!("apis/openai-key/policy.xml"),
    file!("apis/openai-key/specification.json"),
    file!("configuration.azure.yaml"),
    file!("named values/CLIENT_APP_ID/namedValueInformation.json"),
    file!("named values/TENANT_ID/namedValueInformation.json"),
    file!("named values/openai-api-key/namedValueInformation.json"),
    file!("subscriptions/local/subscriptionInformation.json"),
];

/// The APIs in the order of the guide, and whether a caller needs a token (or else a key).
pub(crate) const APIS: &[(&str, bool)] = &[
    ("openai-key", false),
    ("openai-identity", false),
    ("openai-jwt", true),
    ("openai-entra", true),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn names(folder: &Path, prefix: &str, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                names(&path, &format!("{name}/"), into);
            } else {
                into.insert(name);
            }
        }
    }

    #[test]
    fn the_table_lists_every_file_of_the_folder() {
        let mut found = BTreeSet::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/guide");
        names(&folder, "", &mut found);
        let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(found, listed);
    }

    #[test]
    fn every_api_is_in_the_folder() {
        for (api, _) in APIS {
            let file = format!("apis/{api}/policy.xml");
            assert!(FILES.iter().any(|(name, _)| *name == file), "{file}");
        }
    }
}
