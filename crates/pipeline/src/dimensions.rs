//! Dimensions of metrics that requests have by themselves.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/emit-metric-policy>

use crate::context::Context;

/// The dimensions that every metric may have without a value.
pub const USUAL_DIMENSIONS: [&str; 7] = [
    "API ID",
    "Operation ID",
    "Product ID",
    "User ID",
    "Subscription ID",
    "Location",
    "Gateway ID",
];

/// The value of a dimension that a request does not have.
const NOT_THERE: &str = "N/A";

impl Context {
    /// The value of a dimension that requests have by themselves; `N/A` if this one has none, or
    /// if there is no such dimension. Besides [`USUAL_DIMENSIONS`] there is `Backend ID`.
    #[must_use]
    pub fn usual_dimension(&self, name: &str) -> String {
        let found = self.usual(name).filter(|it| !it.is_empty());
        found.unwrap_or(NOT_THERE).to_owned()
    }

    fn usual(&self, name: &str) -> Option<&str> {
        Some(match name {
            "API ID" => &self.api.as_ref()?.id,
            "Operation ID" => &self.operation.as_ref()?.info.id,
            "Product ID" => &self.product.as_ref()?.id,
            "User ID" => &self.user.as_ref()?.id,
            "Subscription ID" => &self.subscription.as_ref()?.id,
            "Location" => &self.deployment.region,
            "Gateway ID" => &self.deployment.gateway_id,
            "Backend ID" => &self.backend()?.info.id,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expr::host::{ApiInfo, SubscriptionInfo};

    use super::*;

    #[test]
    fn a_dimension_without_a_value_is_not_applicable() {
        let mut context = crate::test_support::context();
        context.api = Some(Arc::new(ApiInfo { id: "chat".to_owned(), ..ApiInfo::default() }));
        context.subscription = Some(Arc::new(SubscriptionInfo::default()));
        for (name, expected) in [
            ("API ID", "chat"),
            ("Operation ID", "N/A"),
            ("Subscription ID", "N/A"),
            ("Backend ID", "N/A"),
            ("api id", "N/A"),
        ] {
            assert_eq!(context.usual_dimension(name), expected, "{name}");
        }
        assert!(USUAL_DIMENSIONS.iter().all(|it| !context.usual_dimension(it).is_empty()));
    }
}
