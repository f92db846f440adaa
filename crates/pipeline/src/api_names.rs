//! The names of the APIs and operations of a configuration, for policies that name them. Handed to
//! policies as an extension ([`CompileCx::extension`](crate::CompileCx::extension)).

/// All APIs, each name once for all its revisions.
#[derive(Clone, Debug, Default)]
pub struct ApiNames(Vec<ApiName>);

/// An API with its operations.
#[derive(Clone, Debug, Default)]
pub struct ApiName {
    /// Entity name, without its revision.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Entity name and display name of each operation.
    pub operations: Vec<(String, String)>,
}

impl ApiNames {
    /// The APIs for which a condition on entity name and display name holds.
    pub fn filter<'a>(
        &'a self,
        is_it: impl Fn(&str, &str) -> bool + 'a,
    ) -> impl Iterator<Item = &'a ApiName> + 'a {
        self.0.iter().filter(move |it| is_it(&it.id, &it.name))
    }

    /// Every API.
    pub fn iter(&self) -> impl Iterator<Item = &ApiName> {
        self.0.iter()
    }
}

impl FromIterator<ApiName> for ApiNames {
    fn from_iter<T: IntoIterator<Item = ApiName>>(apis: T) -> ApiNames {
        ApiNames(apis.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_found_by_either_name() {
        let api = |id: &str, name: &str| ApiName {
            id: id.to_owned(),
            name: name.to_owned(),
            ..ApiName::default()
        };
        let all: ApiNames = [api("chat", "Chat"), api("images", "Images")].into_iter().collect();
        let found = |text: &'static str| -> Vec<&str> {
            let named = all.filter(move |id, name| id == text || name == text);
            named.map(|it| it.id.as_str()).collect()
        };
        assert_eq!((found("chat"), found("Images")), (vec!["chat"], vec!["images"]));
        assert_eq!((found("x"), all.iter().count()), (Vec::<&str>::new(), 2));
    }
}
