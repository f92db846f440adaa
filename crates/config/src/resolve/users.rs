//! Users with their groups, as expressions see them.

use std::collections::HashMap;
use std::sync::Arc;

use document::Diagnostic;
use expr::host::{GroupInfo, IdentityInfo, UserInfo};

use super::subscriptions::date;
use crate::codes;
use crate::entity::{BUILT_IN_GROUPS, DEVELOPERS, Entities, GroupEntity, UserEntity};

/// The users of a service.
#[derive(Debug, Default)]
pub(super) struct Users(HashMap<String, User>);

/// A user.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) info: Arc<UserInfo>,
    /// Whether their subscriptions admit.
    pub(super) is_active: bool,
}

impl Users {
    /// All users; groups that do not exist are told.
    pub(super) fn new(entities: &Entities, problems: &mut Vec<Diagnostic>) -> Self {
        let users = entities.users.iter().map(|it| {
            let groups = groups_of(it, &entities.groups, problems);
            (it.id.to_lowercase(), User { info: info(it, groups), is_active: it.is_active })
        });
        Self(users.collect())
    }

    /// The user of that name. Artifact folders hold no users, so that one who is not described is
    /// a developer of whom only the name is known.
    pub(super) fn get(&self, id: &str) -> User {
        let known = self.0.get(&id.to_lowercase()).cloned();
        known.unwrap_or_else(|| {
            let groups = group(DEVELOPERS, &[]).into_iter().collect();
            let info = UserInfo { id: id.to_owned(), groups, ..UserInfo::default() };
            User { info: Arc::new(info), is_active: true }
        })
    }
}

/// The groups of a user: `developers`, those that the user names, those that name the user.
fn groups_of(
    user: &UserEntity,
    groups: &[GroupEntity],
    problems: &mut Vec<Diagnostic>,
) -> Vec<GroupInfo> {
    let mut found: Vec<GroupInfo> = group(DEVELOPERS, groups).into_iter().collect();
    let mut add = |it: GroupInfo| {
        if !found.iter().any(|own| own.id == it.id) {
            found.push(it);
        }
    };
    for link in &user.groups {
        match group(&link.name, groups) {
            Some(it) => add(it),
            None => {
                let message = format!("user `{}`: there is no group `{}`", user.id, link.name);
                problems.push(link.place.warning(codes::UNKNOWN_ENTITY, message));
            }
        }
    }
    let names =
        |it: &&GroupEntity| it.users.iter().any(|link| link.name.eq_ignore_ascii_case(&user.id));
    groups.iter().filter(names).filter_map(|it| group(&it.id, groups)).for_each(add);
    found
}

/// A group by name, built-in ones included.
pub(crate) fn group(name: &str, groups: &[GroupEntity]) -> Option<GroupInfo> {
    let own = groups.iter().find(|it| it.id.eq_ignore_ascii_case(name));
    let own = own.map(|it| (it.id.as_str(), it.display_name.as_str()));
    let built_in = || BUILT_IN_GROUPS.iter().find(|it| it.0.eq_ignore_ascii_case(name)).copied();
    let (id, name) = own.or_else(built_in)?;
    Some(GroupInfo { id: id.to_owned(), name: name.to_owned() })
}

fn info(user: &UserEntity, groups: Vec<GroupInfo>) -> Arc<UserInfo> {
    let identity = |(provider, id): &(String, String)| IdentityInfo {
        id: id.clone(),
        provider: provider.clone(),
    };
    Arc::new(UserInfo {
        id: user.id.clone(),
        email: user.email.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        note: user.note.clone(),
        registration_date: date(user.registered.as_deref()).unwrap_or_default(),
        groups,
        identities: user.identities.iter().map(identity).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Options, parse};
    use crate::source::Source;

    #[test]
    fn users_are_developers_and_in_the_groups_that_name_them() {
        let text = "groups: { partners: Partners, staff: Staff }\nusers:\n  \
                    Ann: { email: a@x, groups: [partners, Administrators, nobody] }\n";
        let files = [("portcullis.yaml", text), ("groups/team/users/ann/x.information.json", "{}")];
        let source = Source::from_files(files);
        let (parsed, problems) = parse(&source, &Options::default());
        assert!(problems.is_empty(), "{problems:?}");
        let mut problems = Vec::new();
        let users = Users::new(&parsed.entities, &mut problems);
        let names = |user: &User| -> Vec<String> {
            user.info.groups.iter().map(|it| it.name.clone()).collect()
        };
        let ann = users.get("ANN");
        assert_eq!(names(&ann), ["Developers", "Partners", "Administrators", "team"]);
        assert_eq!((ann.info.id.as_str(), ann.info.email.as_deref()), ("Ann", Some("a@x")));
        assert_eq!(problems[0].message, "user `Ann`: there is no group `nobody`");
        let other = users.get("1");
        assert_eq!((other.info.id.as_str(), names(&other)), ("1", vec!["Developers".to_owned()]));
    }
}
