//! Products: APIs that are subscribed to together, with policies of their own.
//!
//! Groups, approval and publishing are for developer portals; they decide nothing about calls.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/products>,
//! <https://learn.microsoft.com/azure/api-management/api-management-howto-add-products>

use super::{LinkEntity, PolicyEntity, Reading, link, policy, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::tree::{Fields, Keys, Tree};

/// A product.
#[derive(Clone, Debug)]
pub struct ProductEntity {
    /// Entity name.
    pub id: String,
    /// Display name.
    pub display_name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether a subscription is needed; else the product is open.
    pub subscription_required: bool,
    /// Whether somebody must approve a subscription.
    pub approval_required: bool,
    /// How many subscriptions a user may have; none: any number.
    pub subscriptions_limit: Option<i32>,
    /// Whether developers see it.
    pub is_published: bool,
    /// The APIs in it.
    pub apis: Vec<LinkEntity>,
    /// The groups that see it.
    pub groups: Vec<LinkEntity>,
    /// Its policy document.
    pub policy: Option<PolicyEntity>,
    /// Where it is described.
    pub place: Place,
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<ProductEntity> {
    let (id, place) = (files.name.clone(), files.place());
    if files.info.is_none() {
        let message = format!("product `{id}` has no `productInformation.json`");
        cx.report(place.error(codes::MISSING, message));
        return None;
    }
    let info = cx.info("products", files)?;
    let fields = properties(&info, cx.problems);
    let replacement = cx.overrides.policy_of("products", &files.name);
    Some(ProductEntity {
        display_name: fields.filled("displayName").unwrap_or_else(|| id.clone()),
        description: fields.filled("description"),
        subscription_required: fields.bool("subscriptionRequired").unwrap_or(true),
        approval_required: fields.bool("approvalRequired").unwrap_or(false),
        subscriptions_limit: limit(&fields, "subscriptionsLimit"),
        is_published: is_published(&id, &fields),
        apis: link::read(files, &link::APIS, cx),
        groups: link::read(files, &link::GROUPS, cx),
        policy: policy::read(files.policy.as_ref(), replacement, cx),
        id,
        place,
    })
}

/// `products:` of `portcullis.yaml`:
///
/// ```yaml
/// products:
///   starter: { name: Starter, apis: [chat], policy: starter.xml }
///   open: { apis: [status], key: false }        # callers need no key
/// ```
pub(crate) fn read_short(
    fields: &Fields<'_, '_>,
    file: &dyn Fn(&Tree) -> Option<PolicyEntity>,
) -> Vec<ProductEntity> {
    let Some(products) = fields.map("products") else { return Vec::new() };
    let one = |(id, tree): (&str, &Tree)| {
        let fields = Fields::new(tree, Keys::Known, products.problems());
        let product = ProductEntity {
            id: id.to_owned(),
            display_name: fields.filled("name").unwrap_or_else(|| id.to_owned()),
            description: fields.filled("description"),
            subscription_required: fields.bool("key").unwrap_or(true),
            approval_required: fields.bool("approval").unwrap_or(false),
            subscriptions_limit: limit(&fields, "limit"),
            is_published: fields.bool("published").unwrap_or(true),
            apis: names(&fields, "apis"),
            groups: names(&fields, "groups"),
            policy: fields.get("policy").and_then(file),
            place: Place::from(tree),
        };
        fields.finish();
        product
    };
    products.tree().entries().iter().map(|it| one((&it.key, &it.value))).collect()
}

/// Names in a list.
pub(super) fn names(fields: &Fields<'_, '_>, key: &'static str) -> Vec<LinkEntity> {
    let mut found = Vec::new();
    for tree in fields.list(key) {
        match tree.scalar().filter(|it| !it.trim().is_empty()) {
            Some(text) => found.push(LinkEntity::parse(text, Place::from(tree))),
            None => {
                let message = format!("`{key}` is a list of names, found {}", tree.kind());
                fields.report(tree.error(codes::WRONG_TYPE, message));
            }
        }
    }
    found
}

fn limit(fields: &Fields<'_, '_>, key: &'static str) -> Option<i32> {
    let tree = fields.get(key)?;
    let number = tree.scalar().and_then(|it| it.parse::<i32>().ok()).filter(|it| *it >= 0);
    match number {
        Some(it) => Some(it),
        None => fields.wrong(key, tree, "a whole number"),
    }
}

fn is_published(id: &str, fields: &Fields<'_, '_>) -> bool {
    match fields.filled("state").map(|it| it.to_ascii_lowercase()).as_deref() {
        None | Some("notpublished") => false,
        Some("published") => true,
        Some(other) => {
            let message = format!("product `{id}`: `{other}` is no state");
            let place = fields.get("state").unwrap_or(fields.tree());
            let help = "`published` or `notPublished`";
            fields.report(place.error(codes::BAD_VALUE, message).help(help));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    const INFO: &str = r#"{"properties":{"displayName":"Starter","subscriptionRequired":true,
        "approvalRequired":true,"subscriptionsLimit":2,"state":"published"}}"#;

    fn links(all: &[super::LinkEntity]) -> Vec<&str> {
        all.iter().map(|it| it.name.as_str()).collect()
    }

    #[test]
    fn links_are_read_in_every_layout() {
        let file = "products/starter/productInformation.json";
        for links_of in [
            vec![
                ("products/starter/apis.json", r#"[{"name":"chat"},{"name":"echo"}]"#),
                ("products/starter/groups.json", r#"[{"name":"developers"}]"#),
            ],
            vec![
                ("products/starter/apis/chat/productApiInformation.json", r#"{"properties":{}}"#),
                (
                    "products/starter/apis/echo/productApiInformation.json",
                    r#"{"name":"l1","properties":{"apiId":"/apis/echo"}}"#,
                ),
                ("products/starter/groups/developers/productGroupInformation.json", "{}"),
            ],
            vec![
                (
                    "products/starter/apiLinks/l1/productApiLinkInformation.json",
                    r#"{"properties":{"apiId":"/subscriptions/s/service/x/apis/chat"}}"#,
                ),
                (
                    "products/starter/api links/l2/productApiLinkInformation.json",
                    r#"{"properties":{"apiId":"apis/echo"}}"#,
                ),
                (
                    "products/starter/groupLinks/l/x.information.json",
                    r#"{"properties":{"groupId":"/groups/developers"}}"#,
                ),
            ],
        ] {
            let mut files = vec![(file, INFO), ("products/starter/policy.xml", "<policies/>")];
            files.extend(links_of);
            let (entities, problems) = read(&files);
            assert_eq!(problems, [""; 0]);
            let it = &entities.products[0];
            assert_eq!(links(&it.apis), ["chat", "echo"]);
            assert_eq!(links(&it.groups), ["developers"]);
            assert!(it.policy.is_some() && it.approval_required && it.is_published);
            assert_eq!((it.display_name.as_str(), it.subscriptions_limit), ("Starter", Some(2)));
        }
    }

    #[test]
    fn defaults_are_azures() {
        let (entities, problems) =
            read(&[("products/p/productInformation.json", r#"{"properties":{}}"#)]);
        assert_eq!(problems, [""; 0]);
        let it = &entities.products[0];
        assert!(it.subscription_required && !it.approval_required && !it.is_published);
        assert_eq!((it.display_name.as_str(), it.subscriptions_limit), ("p", None));
    }

    #[test]
    fn mistakes_are_told() {
        for (files, problem) in [
            (
                vec![("products/p/policy.xml", "<policies/>")],
                "PC0505 product `p` has no `productInformation.json`",
            ),
            (
                vec![(
                    "products/p/productInformation.json",
                    r#"{"properties":{"state":"hidden"}}"#,
                )],
                "PC0506 product `p`: `hidden` is no state",
            ),
            (
                vec![(
                    "products/p/productInformation.json",
                    r#"{"properties":{"subscriptionsLimit":"many"}}"#,
                )],
                "PC0504 `subscriptionsLimit` must be a whole number, found a text",
            ),
            (
                vec![
                    ("products/p/productInformation.json", "{}"),
                    ("products/p/apis.json", r#"[{"x":1}]"#),
                ],
                "PC0505 an entry of `apis` has no `name`",
            ),
            (
                vec![
                    ("products/p/productInformation.json", "{}"),
                    ("products/p/apiLinks/l/x.information.json", "{}"),
                ],
                "PC0505 link `l` has no `apiId`",
            ),
        ] {
            assert_eq!(read(&files).1, [problem]);
        }
    }
}
