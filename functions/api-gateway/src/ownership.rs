//! Who may read and change what belongs to a student. Every endpoint that looks up a student's resource by its id asks
//! here; it is decided nowhere else:
//!
//! - The owner may read and change it.
//! - An administrator may read it.
//! - A teacher may read what belongs to students of their classes. There are no classes yet.
//!
//! What a caller may not read is reported as not found, so that nobody can find out which ids exist. Changing what a
//! caller may only read is forbidden: they already know that it exists.

use domain::user::Role;
use ids::UserId;
use runtime::web::{Person, Problem};
use storage::{
    conversations::Owned, executions::Execution, notifications::OwnedNotification, queries::Query,
    submissions::Submission, subscriptions::Subscription,
};

/// What a caller may do with a resource; each right includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    Nothing,
    Read,
    Change,
}

/// Something that belongs to a person.
pub(crate) trait Personal {
    /// What a client calls it.
    const NAME: &'static str;

    /// The owner; `None` if there is none.
    fn owner(&self) -> Option<UserId>;
}

impl Personal for Query {
    const NAME: &'static str = "question";

    fn owner(&self) -> Option<UserId> {
        Some(self.student_id)
    }
}

impl Personal for Owned {
    const NAME: &'static str = "conversation";

    fn owner(&self) -> Option<UserId> {
        Some(self.student_id)
    }
}

impl Personal for Execution {
    const NAME: &'static str = "run";

    fn owner(&self) -> Option<UserId> {
        self.student_id
    }
}

impl Personal for Submission {
    const NAME: &'static str = "solution";

    fn owner(&self) -> Option<UserId> {
        Some(self.student_id)
    }
}

impl Personal for OwnedNotification {
    const NAME: &'static str = "notification";

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }
}

impl Personal for Subscription {
    const NAME: &'static str = "subscription";

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }
}

/// The resource, if the caller may read it.
///
/// # Errors
/// 404 if there is no such resource, or it is hidden from the caller.
pub(crate) fn readable<T: Personal>(caller: &Person, found: Option<T>) -> Result<T, Problem> {
    found.filter(|thing| right(caller, thing.owner()) >= Right::Read).ok_or_else(missing::<T>)
}

/// The resource, if the caller may change it.
///
/// # Errors
/// 404 as for [`readable`], 403 if the caller may only read it.
pub(crate) fn changeable<T: Personal>(caller: &Person, found: Option<T>) -> Result<T, Problem> {
    let thing = readable(caller, found)?;
    if right(caller, thing.owner()) < Right::Change {
        return Err(Problem::forbidden(format!("only its owner may change a {}", T::NAME)));
    }
    Ok(thing)
}

/// 404: there is no such resource, or it is somebody else's.
pub(crate) fn missing<T: Personal>() -> Problem {
    Problem::not_found(format!("you have no such {}", T::NAME))
}

fn right(caller: &Person, owner: Option<UserId>) -> Right {
    match caller.role {
        _ if owner == Some(caller.id) => Right::Change,
        Role::Admin => Right::Read,
        Role::Student | Role::Teacher => Right::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use domain::user::Role;
    use ids::UserId;
    use runtime::web::Person;
    use uuid::Uuid;

    use super::{Personal, changeable, readable};

    struct Thing(Option<UserId>);

    impl Personal for Thing {
        const NAME: &'static str = "thing";

        fn owner(&self) -> Option<UserId> {
            self.0
        }
    }

    /// The statuses of reading and of changing; 200 if allowed.
    fn statuses(role: Role, found: Option<Thing>) -> (u16, u16) {
        let caller = Person { id: UserId::from_uuid(Uuid::from_u128(1)), role, external: false };
        let status = |result: Result<Thing, runtime::web::Problem>| match result {
            Ok(_) => 200,
            Err(problem) => problem.status(),
        };
        let copy = found.as_ref().map(|thing| Thing(thing.0));
        (status(readable(&caller, found)), status(changeable(&caller, copy)))
    }

    #[test]
    fn the_owner_changes_an_administrator_reads_and_nobody_else_finds_it() {
        let of = |owner: u128| Some(Thing(Some(UserId::from_uuid(Uuid::from_u128(owner)))));
        for role in [Role::Student, Role::Teacher, Role::Admin] {
            assert_eq!(statuses(role, of(1)), (200, 200), "{role:?} and own");
            assert_eq!(statuses(role, None), (404, 404), "{role:?} and nothing");
        }
        for (role, expected) in
            [(Role::Student, (404, 404)), (Role::Teacher, (404, 404)), (Role::Admin, (200, 403))]
        {
            assert_eq!(statuses(role, of(2)), expected, "{role:?} and another's");
            assert_eq!(statuses(role, Some(Thing(None))), expected, "{role:?} and nobody's");
        }
    }
}
