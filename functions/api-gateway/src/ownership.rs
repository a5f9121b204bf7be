//! Who may read and change what belongs to a student. Every endpoint that looks up a student's resource by its id asks
//! here; it is decided nowhere else:
//!
//! - The owner may read and change it.
//! - An administrator may read it.
//! - A teacher may read what belongs to the students of their classes, as long as these are not archived.
//!
//! What is about the account itself, such as its exports, is for its owner alone ([`own`]).
//!
//! A class belongs to its teachers together; they and administrators manage it.
//!
//! What a caller may not read is reported as not found, so that nobody can find out which ids exist. Changing what a
//! caller may only read is forbidden: they already know that it exists.

use domain::user::Role;
use ids::UserId;
use runtime::web::{Person, Problem};
use sqlx::PgConnection;
use storage::{
    class_alerts::StudentAlert,
    classes::{self, Class},
    conversations::Owned,
    executions::Execution,
    exports::Export,
    notifications::OwnedNotification,
    queries::Query,
    quizzes::QuizAttempt,
    submissions::Submission,
    subscriptions::Subscription,
    users::User,
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

impl Personal for Export {
    const NAME: &'static str = "export";

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }
}

impl Personal for Submission {
    const NAME: &'static str = "solution";

    fn owner(&self) -> Option<UserId> {
        Some(self.student_id)
    }
}

impl Personal for QuizAttempt {
    const NAME: &'static str = "quiz";

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

impl Personal for StudentAlert {
    const NAME: &'static str = "alert";

    fn owner(&self) -> Option<UserId> {
        Some(self.student_id)
    }
}

impl Personal for User {
    const NAME: &'static str = "student";

    fn owner(&self) -> Option<UserId> {
        Some(self.id)
    }
}

/// The resource, if the caller may read it.
///
/// # Errors
/// 404 if there is no such resource, or it is hidden from the caller; 503 if the database is away.
pub(crate) async fn readable<T: Personal>(
    conn: &mut PgConnection,
    caller: &Person,
    found: Option<T>,
) -> Result<T, Problem> {
    permitted(conn, caller, found).await.map(|(thing, _)| thing)
}

/// The resource, if the caller may change it.
///
/// # Errors
/// 404 as for [`readable`], 403 if the caller may only read it.
pub(crate) async fn changeable<T: Personal>(
    conn: &mut PgConnection,
    caller: &Person,
    found: Option<T>,
) -> Result<T, Problem> {
    let (thing, right) = permitted(conn, caller, found).await?;
    if right < Right::Change {
        return Err(Problem::forbidden(format!("only its owner may change a {}", T::NAME)));
    }
    Ok(thing)
}

/// The resource, if it is the caller's own.
pub(crate) fn own<T: Personal>(caller: &Person, found: Option<T>) -> Option<T> {
    found.filter(|thing| thing.owner() == Some(caller.id))
}

/// A class, if the caller may manage it.
///
/// # Errors
/// 404 if there is none, or the caller does not teach it.
pub(crate) fn manageable(caller: &Person, found: Option<Class>) -> Result<Class, Problem> {
    let manages = |class: &Class| class.is_own || caller.role == Role::Admin;
    found.filter(manages).ok_or_else(no_class)
}

/// 404: there is no such class, or it is somebody else's.
pub(crate) fn no_class() -> Problem {
    Problem::not_found("you have no such class")
}

/// 404: there is no such resource, or it is somebody else's.
pub(crate) fn missing<T: Personal>() -> Problem {
    Problem::not_found(format!("you have no such {}", T::NAME))
}

/// The resource with what the caller may do, at least to read it.
async fn permitted<T: Personal>(
    conn: &mut PgConnection,
    caller: &Person,
    found: Option<T>,
) -> Result<(T, Right), Problem> {
    let thing = found.ok_or_else(missing::<T>)?;
    let teaches = match (caller.role, thing.owner()) {
        (Role::Teacher, Some(owner)) => classes::teaches(conn, caller.id, owner).await?,
        (Role::Teacher, None) | (Role::Student | Role::Admin, _) => false,
    };
    match right(caller, thing.owner(), teaches) {
        Right::Nothing => Err(missing::<T>()),
        right @ (Right::Read | Right::Change) => Ok((thing, right)),
    }
}

/// What a caller may do with what belongs to `owner`; `teaches` says whether they teach them.
fn right(caller: &Person, owner: Option<UserId>, teaches: bool) -> Right {
    match caller.role {
        _ if owner == Some(caller.id) => Right::Change,
        Role::Admin => Right::Read,
        Role::Teacher if teaches => Right::Read,
        Role::Student | Role::Teacher => Right::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use domain::user::Role;
    use ids::UserId;
    use runtime::web::Person;
    use uuid::Uuid;

    use super::{Right, right};

    #[test]
    fn the_owner_changes_those_who_teach_them_read_and_nobody_else_finds_it() {
        let id = |number: u128| UserId::from_uuid(Uuid::from_u128(number));
        let check = |role, owner: Option<u128>, teaches, expected| {
            let caller = Person { id: id(1), role, external: false };
            let found = right(&caller, owner.map(id), teaches);
            assert_eq!(found, expected, "{role:?} of {owner:?}, who teaches: {teaches}");
        };
        for role in [Role::Student, Role::Teacher, Role::Admin] {
            check(role, Some(1), false, Right::Change);
        }
        for owner in [Some(2), None] {
            check(Role::Student, owner, false, Right::Nothing);
            check(Role::Teacher, owner, false, Right::Nothing);
            check(Role::Admin, owner, false, Right::Read);
        }
        check(Role::Teacher, Some(2), true, Right::Read);
        // Only teachers teach, whatever a class says.
        check(Role::Student, Some(2), true, Right::Nothing);
    }
}
