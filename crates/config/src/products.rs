//! Products of a snapshot: their APIs found, and what expressions see of them.
//!
//! Products have places: those of the service first, then those of each workspace, in order.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-subscriptions>

use std::collections::HashMap;
use std::sync::Arc;

use document::{Diagnostic, closest};
use expr::host::{ApiInfo, ProductInfo, ProductState};

use crate::codes;
use crate::entity::{Entities, LinkEntity, ProductEntity, WorkspaceEntity};
use crate::resolve::group;
use crate::snapshot::{Api, Product};

/// A product with the workspace that it is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) workspace: Option<&'a WorkspaceEntity>,
    pub(crate) entity: &'a ProductEntity,
}

/// All products in the order of their places.
pub(crate) fn all(entities: &Entities) -> impl Iterator<Item = Placed<'_>> {
    let own = entities.products.iter().map(|entity| Placed { workspace: None, entity });
    let below = entities.workspaces.iter().flat_map(|it| {
        let all = it.entities.products.iter();
        all.map(move |entity| Placed { workspace: Some(it), entity })
    });
    own.chain(below)
}

/// The place of a product.
pub(crate) fn place(entities: &Entities, workspace: Option<&str>, name: &str) -> Option<usize> {
    all(entities).position(|it| {
        let is_there = match (workspace, it.workspace) {
            (None, None) => true,
            (Some(wanted), Some(own)) => own.id.eq_ignore_ascii_case(wanted),
            _ => false,
        };
        is_there && it.entity.id.eq_ignore_ascii_case(name)
    })
}

/// Which products an API is in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Membership {
    /// Places of the products, ascending.
    pub(crate) products: Vec<usize>,
    /// The one of them that needs no subscription.
    pub(crate) open: Option<usize>,
}

/// The products of every API.
#[derive(Debug, Default)]
pub(crate) struct Memberships(HashMap<String, Membership>);

/// One text for the API of a workspace, or of none.
fn key(workspace: Option<&str>, api: &str) -> String {
    format!("{}/{}", workspace.unwrap_or_default(), api).to_lowercase()
}

impl Memberships {
    /// Finds the APIs of all products. Those that are not there are told: nobody can call them.
    pub(crate) fn new(entities: &Entities, problems: &mut Vec<Diagnostic>) -> Self {
        let mut found = Self::default();
        for (place, product) in all(entities).enumerate() {
            let own = product.workspace.map(|it| it.id.as_str());
            for link in &product.entity.apis {
                let workspace = link.workspace.as_deref().or(own);
                if let Some(api) = find(entities, workspace, link) {
                    found.add(place, product.entity, workspace, &api, link, problems);
                } else {
                    problems.push(unknown(entities, product.entity, workspace, link));
                }
            }
        }
        found
    }

    fn add(
        &mut self,
        place: usize,
        product: &ProductEntity,
        workspace: Option<&str>,
        api: &str,
        link: &LinkEntity,
        problems: &mut Vec<Diagnostic>,
    ) {
        let it = self.0.entry(key(workspace, api)).or_default();
        if it.products.last() != Some(&place) {
            it.products.push(place);
        }
        if product.subscription_required {
            return;
        }
        if it.open.is_some_and(|open| open != place) {
            let message = format!("API `{api}` is in two products that need no subscription");
            let help = "one of them would have to be chosen for callers without a key";
            problems.push(link.place.error(codes::DUPLICATE, message).help(help));
        }
        it.open.get_or_insert(place);
    }

    /// The products of an API; of all its revisions alike.
    pub(crate) fn of(&self, workspace: Option<&str>, api: &str) -> Membership {
        self.0.get(&key(workspace, api)).cloned().unwrap_or_default()
    }
}

/// The APIs of a workspace, or of the service.
fn apis<'e>(
    entities: &'e Entities,
    workspace: Option<&str>,
) -> Option<&'e [crate::entity::ApiEntity]> {
    let Some(workspace) = workspace else { return Some(&entities.apis) };
    let found = entities.workspaces.iter().find(|it| it.id.eq_ignore_ascii_case(workspace));
    found.map(|it| it.entities.apis.as_slice())
}

/// The name of the API that a link names, as the API has it.
fn find(entities: &Entities, workspace: Option<&str>, link: &LinkEntity) -> Option<String> {
    let name = link.name.split(";rev=").next().unwrap_or(&link.name);
    let found = apis(entities, workspace)?.iter().find(|it| it.id.eq_ignore_ascii_case(name));
    found.map(|it| it.id.clone())
}

fn unknown(
    entities: &Entities,
    product: &ProductEntity,
    workspace: Option<&str>,
    link: &LinkEntity,
) -> Diagnostic {
    let message = format!("product `{}`: there is no API `{}`", product.id, link.name);
    let problem = link.place.warning(codes::UNKNOWN_ENTITY, message);
    let names = apis(entities, workspace).unwrap_or_default().iter().map(|it| it.id.as_str());
    match closest(&link.name, names) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

/// What expressions see of every product, in order. `apis` are all of the snapshot.
pub(crate) fn infos(
    entities: &Entities,
    apis: &[Api],
    problems: &mut Vec<Diagnostic>,
) -> Vec<Product> {
    let mut of_products: Vec<Vec<ApiInfo>> = vec![Vec::new(); all(entities).count()];
    for api in apis.iter().filter(|it| it.info.is_current_revision) {
        for place in &api.products {
            if let Some(slot) = of_products.get_mut(*place) {
                slot.push((*api.info).clone());
            }
        }
    }
    let product = |(it, apis): (Placed<'_>, Vec<ApiInfo>)| Product {
        info: Arc::new(info(it, apis, entities, problems)),
        workspace: it.workspace.map(|it| it.id.clone()),
    };
    all(entities).zip(of_products).map(product).collect()
}

fn info(
    product: Placed<'_>,
    apis: Vec<ApiInfo>,
    entities: &Entities,
    problems: &mut Vec<Diagnostic>,
) -> ProductInfo {
    let Placed { workspace, entity } = product;
    let own = workspace.map(|it| it.entities.groups.as_slice()).unwrap_or_default();
    let mut groups = Vec::new();
    for link in &entity.groups {
        match group(&link.name, own).or_else(|| group(&link.name, &entities.groups)) {
            Some(it) => groups.push(it),
            None => {
                let message = format!("product `{}`: there is no group `{}`", entity.id, link.name);
                problems.push(link.place.warning(codes::UNKNOWN_ENTITY, message));
            }
        }
    }
    ProductInfo {
        id: entity.id.clone(),
        name: entity.display_name.clone(),
        approval_required: entity.approval_required,
        groups,
        state: match entity.is_published {
            true => ProductState::Published,
            false => ProductState::NotPublished,
        },
        subscriptions_limit: entity.subscriptions_limit,
        subscription_required: entity.subscription_required,
        apis,
    }
}
