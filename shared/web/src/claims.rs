//! What a token says: ours, and those of other identity providers.

use domain::{text::DisplayName, user::Role};
use ids::TokenFamilyId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The claims of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The subject: a person's UUID or an external provider's own name for them, or a service's name.
    pub(crate) sub: String,
    /// What a person may do; by default, for an external provider, a student. A service has none.
    #[serde(default = "student")]
    pub(crate) role: Role,
    /// Issued at, in seconds since 1970.
    #[serde(default)]
    pub(crate) iat: i64,
    /// Expires at, in seconds since 1970.
    pub(crate) exp: i64,
    /// Not valid before, in seconds since 1970. Ours are valid at once.
    #[serde(default, skip_serializing)]
    pub(crate) nbf: i64,
    /// Who issued it.
    pub(crate) iss: String,
    /// The audience: a name or a list of names.
    pub(crate) aud: Value,
    /// The token's own id.
    #[serde(default)]
    pub(crate) jti: String,
    /// The login that one of our own tokens descends from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<TokenFamilyId>,
    /// What an external provider calls the person.
    #[serde(skip)]
    pub(crate) name: Option<DisplayName>,
}

const fn student() -> Role {
    Role::Student
}

/// The claims that are read of another's token. Under the names of our further claims it has what it likes.
#[derive(Debug, Deserialize)]
pub(crate) struct ForeignClaims {
    sub: String,
    /// It may have a fraction (RFC 7519, `NumericDate`).
    exp: f64,
    /// From when it is valid.
    #[serde(default)]
    nbf: f64,
    iss: String,
    #[serde(default)]
    aud: Value,
    /// Whom a token without `aud` is for: access tokens of Amazon Cognito, which API Gateway reads in the same way.
    #[serde(default)]
    client_id: Value,
    #[serde(flatten)]
    further: Map<String, Value>,
}

impl ForeignClaims {
    /// The claims, with the role that is found at `role_claim`, and the person's name.
    pub(crate) fn into_claims(self, role_claim: Option<&str>) -> Claims {
        let Self { sub, exp, nbf, iss, aud, client_id, further } = self;
        let aud = if aud.is_null() { client_id } else { aud };
        let further = Value::Object(further);
        let (role, name) = (role_in(&further, role_claim), name_in(&further));
        Claims {
            sub,
            role,
            iat: 0,
            exp: exp as i64,
            nbf: nbf as i64,
            iss,
            aud,
            jti: String::new(),
            sid: None,
            name,
        }
    }
}

/// Whether an audience, a name or a list of names, includes this one.
pub(crate) fn is_for(audience: &Value, name: &str) -> bool {
    match audience {
        Value::Array(all) => all.iter().any(|one| one == name),
        one => one == name,
    }
}

/// The highest role of ours in the claims of a provider. Who has none is a student.
///
/// Lists count only where an operator has named their claim: those of other claims are often roles in other systems,
/// whose administrators are none of ours. As providers do, a list can also be the names in an object.
fn role_in(claims: &Value, role_claim: Option<&str>) -> Role {
    let named = match role_claim {
        Some(pointer) if pointer.starts_with('/') => claims.pointer(pointer),
        Some(name) => claims.get(name),
        None => claims.get("role").filter(|role| role.is_string()),
    };
    let names: Vec<&str> = match named {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::Object(all)) => all.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let roles = names.into_iter().filter_map(|name| name.to_ascii_lowercase().parse().ok());
    roles.max().unwrap_or(Role::Student)
}

/// What a person is called, by the standard claims of `OpenID` Connect (Core 1.0, section 5.1). A name that is an address
/// would tell it to the whole class.
fn name_in(claims: &Value) -> Option<DisplayName> {
    let names =
        ["name", "preferred_username"].into_iter().filter_map(|claim| claims.get(claim)?.as_str());
    let names = names.filter(|name| !name.contains('@'));
    let mut names = names.filter_map(|name| DisplayName::try_from(name.trim().to_owned()).ok());
    names.next()
}

/// The claims of our own service tokens: as [`Claims`], without a role.
#[derive(Serialize)]
pub(crate) struct ServiceClaims<'a> {
    pub(crate) sub: &'a str,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    pub(crate) iss: &'a str,
    pub(crate) aud: &'a str,
    pub(crate) jti: String,
}

#[cfg(test)]
mod tests {
    use domain::{text::DisplayName, user::Role};
    use serde_json::json;

    use super::{name_in, role_in};

    #[test]
    fn people_are_called_what_their_provider_calls_them() {
        for (claims, name) in [
            (json!({ "name": "Ada Lovelace", "preferred_username": "ada" }), Some("Ada Lovelace")),
            (json!({ "name": " ", "preferred_username": "ada" }), Some("ada")),
            (json!({ "preferred_username": "ada@school.example" }), None),
            (json!({ "name": ["Ada"] }), None),
            (json!({ "name": "x".repeat(101) }), None),
            (json!({}), None),
        ] {
            assert_eq!(name_in(&claims).as_ref().map(DisplayName::as_str), name, "{claims}");
        }
    }

    #[test]
    fn roles_are_found_where_providers_have_them() {
        for (claims, claim, role) in [
            (json!({ "role": "teacher" }), None, Role::Teacher),
            (json!({ "role": "authenticated" }), None, Role::Student),
            (json!({ "role": ["offline_access", "admin"] }), None, Role::Student),
            (json!({}), None, Role::Student),
            // Entra ID.
            (json!({ "roles": ["Teacher", "reader"] }), Some("roles"), Role::Teacher),
            // Keycloak.
            (
                json!({ "realm_access": { "roles": ["student", "admin", "teacher"] } }),
                Some("/realm_access/roles"),
                Role::Admin,
            ),
            // Auth0, whose own claims are addresses.
            (
                json!({ "https://school.example/role": "teacher" }),
                Some("https://school.example/role"),
                Role::Teacher,
            ),
            // Zitadel.
            (
                json!({ "urn:zitadel:iam:org:project:roles": { "teacher": { "1": "school" } } }),
                Some("urn:zitadel:iam:org:project:roles"),
                Role::Teacher,
            ),
            // Another claim than the named one counts no more.
            (json!({ "role": "admin", "roles": [] }), Some("roles"), Role::Student),
            (json!({ "roles": 7 }), Some("roles"), Role::Student),
        ] {
            assert_eq!(role_in(&claims, claim), role, "{claims} by {claim:?}");
        }
    }
}
