//! Users: the owners of subscriptions. Artifact folders hold none, so they may stand in
//! `portcullis.yaml` as well.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/users>

use super::product::names;
use super::{LinkEntity, Reading, link, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::tree::{Fields, Keys, Tree};

/// A user.
#[derive(Clone, Debug)]
pub struct UserEntity {
    /// Entity name.
    pub id: String,
    /// Mail address.
    pub email: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// The administrator's note.
    pub note: Option<String>,
    /// Only an active user's subscriptions admit.
    pub is_active: bool,
    /// When the user registered, as written.
    pub registered: Option<String>,
    /// Accounts at identity providers: provider and id there.
    pub identities: Vec<(String, String)>,
    /// Groups that the user is in.
    pub groups: Vec<LinkEntity>,
    /// Where it is described.
    pub place: Place,
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<UserEntity> {
    let info = cx.info("users", files)?;
    let fields = properties(&info, cx.problems);
    let mut groups = link::read(files, &link::GROUPS, cx);
    for tree in fields.list("groups") {
        let text = tree.scalar().or_else(|| tree.get("name")?.scalar());
        groups.extend(text.map(|it| LinkEntity::parse(it, Place::from(tree))));
    }
    let identity = |tree: &Tree| {
        let text = |key| Some(tree.get(key)?.scalar()?.to_owned());
        Some((text("provider")?, text("id").unwrap_or_default()))
    };
    Some(UserEntity {
        id: files.name.clone(),
        email: fields.filled("email"),
        first_name: fields.filled("firstName"),
        last_name: fields.filled("lastName"),
        note: fields.filled("note"),
        is_active: is_active(&files.name, &fields),
        registered: fields.filled("registrationDate"),
        identities: fields.list("identities").into_iter().filter_map(identity).collect(),
        groups,
        place: files.place(),
    })
}

/// `users:` of `portcullis.yaml`:
///
/// ```yaml
/// users:
///   ann: { email: ann@example.test, first-name: Ann, last-name: Lee, groups: [partners] }
/// ```
pub(crate) fn read_short(fields: &Fields<'_, '_>) -> Vec<UserEntity> {
    let Some(users) = fields.map("users") else { return Vec::new() };
    let one = |(id, tree): (&str, &Tree)| {
        let fields = Fields::new(tree, Keys::Known, users.problems());
        let user = UserEntity {
            id: id.to_owned(),
            email: fields.filled("email"),
            first_name: fields.filled("first-name"),
            last_name: fields.filled("last-name"),
            note: fields.filled("note"),
            is_active: is_active(id, &fields),
            registered: fields.filled("registered"),
            identities: Vec::new(),
            groups: names(&fields, "groups"),
            place: Place::from(tree),
        };
        fields.finish();
        user
    };
    users.tree().entries().iter().map(|it| one((&it.key, &it.value))).collect()
}

fn is_active(id: &str, fields: &Fields<'_, '_>) -> bool {
    match fields.filled("state").map(|it| it.to_ascii_lowercase()).as_deref() {
        None | Some("active") => true,
        Some("blocked" | "pending" | "deleted") => false,
        Some(other) => {
            let message = format!("user `{id}`: `{other}` is no state");
            let place = fields.get("state").unwrap_or(fields.tree());
            let help = "`active`, `blocked`, `pending` or `deleted`";
            fields.report(place.error(codes::BAD_VALUE, message).help(help));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    fn one(properties: &str) -> (super::UserEntity, Vec<String>) {
        let text = format!(r#"{{"properties":{properties}}}"#);
        let (mut entities, problems) = read(&[
            ("users/ann/userInformation.json", &text),
            ("users/ann/groups/staff/groupInformation.json", "{}"),
        ]);
        (entities.users.remove(0), problems)
    }

    #[test]
    fn a_user_is_read_with_identities_and_groups() {
        let (it, problems) =
            one(r#"{"email":"a@x","firstName":"Ann","lastName":"Lee","note":"n","state":"active",
                "registrationDate":"2024-01-02T03:04:05Z","groups":[{"name":"developers"}],
                "identities":[{"provider":"Basic","id":"a@x"}]}"#);
        assert_eq!(problems, [""; 0]);
        assert_eq!((it.id.as_str(), it.email.as_deref()), ("ann", Some("a@x")));
        assert_eq!(it.identities, [("Basic".to_owned(), "a@x".to_owned())]);
        let groups: Vec<&str> = it.groups.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(groups, ["staff", "developers"]);
        assert!(it.is_active);
    }

    #[test]
    fn only_active_users_count() {
        for state in ["blocked", "pending", "deleted"] {
            assert!(!one(&format!(r#"{{"state":"{state}"}}"#)).0.is_active, "{state}");
        }
        let (it, problems) = one(r#"{"state":"away"}"#);
        assert!(!it.is_active);
        assert_eq!(problems, ["PC0506 user `ann`: `away` is no state"]);
    }
}
