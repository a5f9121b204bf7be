//! Students, teachers and their classes, for tests.

use api_gateway::responses::Session;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{PASSWORD, Reply, Student, World};

impl World {
    /// A new student.
    ///
    /// # Panics
    /// The name is taken.
    pub async fn student(&self, name: &str) -> Student {
        let body = json!({ "email": format!("{name}@example.org"), "password": PASSWORD, "display_name": name });
        let reply = self.post("/auth/register", None, &body).await;
        reply.expect::<Session>(StatusCode::CREATED).into()
    }

    /// Logs a person in.
    ///
    /// # Panics
    /// The address or the password is wrong.
    pub async fn log_in(&self, email: &str, password: &str) -> Student {
        let body = json!({ "email": email, "password": password });
        self.post("/auth/login", None, &body).await.ok::<Session>().into()
    }

    /// A new teacher.
    ///
    /// # Panics
    /// The name is taken.
    pub async fn teacher(&self, name: &str) -> Student {
        let account = self.student(name).await;
        let mut conn = self.database().await;
        let appoint = sqlx::query("UPDATE users SET role = 'teacher' WHERE id = $1");
        appoint.bind(account.id).execute(&mut conn).await.expect("it is valid");
        // The role is in the token.
        self.log_in(&format!("{name}@example.org"), PASSWORD).await
    }

    /// A new class of a teacher, with these students: its id.
    ///
    /// # Panics
    /// It cannot be made, or they cannot join it.
    pub async fn class(&self, teacher: &Student, students: &[&Student]) -> String {
        let made = self.post("/classes", Some(&teacher.token), &json!({ "name": "Python" })).await;
        let code = json!({ "code": made.body["invite_code"] });
        for student in students {
            let joined = self.post("/classes/join", Some(&student.token), &code).await;
            assert_eq!(joined.status, 200, "{:?}", joined.body);
        }
        made.body["id"].as_str().expect("an id").to_owned()
    }

    /// Sends a PATCH request with JSON to the gateway.
    pub async fn patch(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.send("api-gateway", |client, url| {
            client.patch(format!("{url}/api/v1{path}")).bearer_auth(token).json(body)
        })
        .await
    }

    /// Sends a DELETE request to the gateway.
    pub async fn delete(&self, path: &str, token: &str) -> Reply {
        self.send("api-gateway", |client, url| {
            client.delete(format!("{url}/api/v1{path}")).bearer_auth(token)
        })
        .await
    }

    /// Sends a CSV file to the gateway.
    pub async fn post_csv(&self, path: &str, token: &str, csv: impl Into<Vec<u8>>) -> Reply {
        self.send("api-gateway", |client, url| {
            let request = client.post(format!("{url}/api/v1{path}")).bearer_auth(token);
            request.header("content-type", "text/csv; charset=utf-8").body(csv.into())
        })
        .await
    }
}

/// Puts an alert about a student into the database: its id.
///
/// # Panics
/// There is an open one of this topic and rule.
pub async fn put_alert(world: &World, student: &Student, topic: &str, trigger: &str) -> Uuid {
    let evidence = json!([{ "text": "the quiz on lists was at 40 percent", "at": world.now() }]);
    let sql =
        "INSERT INTO alerts (id, student_id, topic_slug, trigger, severity, summary, status, evidence, opened_at)
               VALUES ($1, $2, $3, $4, 'low', 'A quiz was at 40 percent.', 'open', $5, $6)";
    let (id, mut conn) = (world.clock().new_id(), world.database().await);
    let insert = sqlx::query(sql).bind(id).bind(student.id).bind(topic).bind(trigger);
    let insert = insert.bind(evidence).bind(world.now()).execute(&mut conn);
    insert.await.expect("it is valid");
    id
}
