//! Groups of users. Three are there without a file.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/groups>,
//! <https://learn.microsoft.com/azure/api-management/api-management-howto-create-groups>

use super::{LinkEntity, Reading, link, properties};
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::tree::{Fields, Keys, Tree};

/// A group.
#[derive(Clone, Debug)]
pub struct GroupEntity {
    /// Entity name.
    pub id: String,
    /// Display name.
    pub display_name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Users that it names itself.
    pub users: Vec<LinkEntity>,
    /// Where it is described.
    pub place: Place,
}

/// The group that every user is in.
pub(crate) const DEVELOPERS: &str = "developers";

/// The groups that every service has, with their display names.
pub(crate) const BUILT_IN: &[(&str, &str)] =
    &[("administrators", "Administrators"), (DEVELOPERS, "Developers"), ("guests", "Guests")];

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<GroupEntity> {
    let info = cx.info("groups", files)?;
    let fields = properties(&info, cx.problems);
    Some(GroupEntity {
        id: files.name.clone(),
        display_name: fields.filled("displayName").unwrap_or_else(|| files.name.clone()),
        description: fields.filled("description"),
        users: link::read(files, &link::USERS, cx),
        place: files.place(),
    })
}

/// `groups: { partners: Partners, staff: { name: Staff, description: TEXT } }`.
pub(crate) fn read_short(fields: &Fields<'_, '_>) -> Vec<GroupEntity> {
    let Some(groups) = fields.map("groups") else { return Vec::new() };
    let one = |(id, tree): (&str, &Tree)| {
        let (mut name, mut description) = (tree.scalar().map(str::to_owned), None);
        if tree.scalar().is_none() {
            let fields = Fields::new(tree, Keys::Known, groups.problems());
            (name, description) = (fields.filled("name"), fields.filled("description"));
            fields.finish();
        }
        GroupEntity {
            id: id.to_owned(),
            display_name: name.unwrap_or_else(|| id.to_owned()),
            description,
            users: Vec::new(),
            place: Place::from(tree),
        }
    };
    groups.tree().entries().iter().map(|it| one((&it.key, &it.value))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn a_group_has_a_name_and_perhaps_users() {
        let (entities, problems) = read(&[
            ("groups/partners/groupInformation.json", r#"{"properties":{"displayName":"P"}}"#),
            ("groups/partners/users/ann/userInformation.json", "{}"),
            ("groups/plain/groupInformation.json", "{}"),
        ]);
        assert_eq!(problems, [""; 0]);
        let shown: Vec<(&str, &str, usize)> = entities
            .groups
            .iter()
            .map(|it| (it.id.as_str(), it.display_name.as_str(), it.users.len()))
            .collect();
        assert_eq!(shown, [("partners", "P", 1), ("plain", "plain", 0)]);
    }
}
