//! Gateways: which APIs one of them serves.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/gateways>

use super::{LinkEntity, Reading, link};
use crate::layout::EntityFiles;
use crate::place::Place;

/// A gateway of the service.
#[derive(Clone, Debug)]
pub struct GatewayEntity {
    /// Entity name.
    pub id: String,
    /// The APIs that it serves; none if nothing is said.
    pub apis: Option<Vec<LinkEntity>>,
    /// Where it is described.
    pub place: Place,
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<GatewayEntity> {
    cx.info("gateways", files)?;
    let is_given = link::is_given(files, &link::APIS);
    Some(GatewayEntity {
        id: files.name.clone(),
        apis: is_given.then(|| link::read(files, &link::APIS, cx)),
        place: files.place(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn a_gateway_may_list_its_apis() {
        let (entities, problems) = read(&[
            ("gateways/none/gatewayInformation.json", "{}"),
            ("gateways/none/apis.json", "[]"),
            ("gateways/one/apis/chat/gatewayApiInformation.json", "{}"),
            ("gateways/silent/gatewayInformation.json", "{}"),
        ]);
        assert_eq!(problems, [""; 0]);
        let shown: Vec<(&str, Option<usize>)> = entities
            .gateways
            .iter()
            .map(|it| (it.id.as_str(), it.apis.as_ref().map(Vec::len)))
            .collect();
        assert_eq!(shown, [("none", Some(0)), ("one", Some(1)), ("silent", None)]);
    }
}
