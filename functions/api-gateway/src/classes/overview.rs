//! How a class gets on: an overview, and the scores of all students in all topics.

use std::cmp::Reverse;

use axum::extract::State;
use curriculum::Topic;
use domain::{alert_status::AlertStatus, level::Level, mastery};
use ids::UserId;
use runtime::web::{Caller, Json, Path, Problem, Teacher};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::{
    class_alerts::AlertPage,
    classes::Class,
    enrollments::{self, ClassStudent},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    classes::{
        alerts::{self, ClassAlert},
        lookup::{MAX_STUDENTS, active},
        manage::ClassSummary,
        scores::Scores,
    },
    gateway::Gateway,
    pages::Moment,
};

/// Open alerts of an overview: more than a teacher sees to at once. `GET /alerts` has all of them.
const MAX_ALERTS: i64 = 100;

/// How a class gets on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassOverview {
    /// The class.
    pub class: ClassSummary,
    /// The mean of its students' mastery scores, of those who have one.
    pub mastery: Option<u8>,
    /// How many students are in each band.
    pub levels: Vec<LevelCount>,
    /// The topics in the order of the course, those in which anybody has a score.
    pub topics: Vec<TopicMastery>,
    /// Who struggles, and why: the most urgent first, then those with the most alerts that are not resolved.
    pub struggling: Vec<StrugglingStudent>,
}

/// How many students are in a band.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LevelCount {
    /// The band.
    pub level: Level,
    /// How many students.
    pub students: usize,
}

/// How a class gets on in a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TopicMastery {
    /// The topic's slug.
    pub topic: String,
    /// The topic's title.
    pub title: String,
    /// The mean score of the students who have one.
    pub mastery: u8,
    /// How many they are.
    pub students: usize,
}

/// A student who struggles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StrugglingStudent {
    /// The student.
    pub student_id: UserId,
    /// Their name.
    pub name: String,
    /// The alerts about them that are not resolved, with their evidence.
    pub alerts: Vec<ClassAlert>,
}

/// The scores of all students in all topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeatMap {
    /// The columns, in the order of the course.
    pub topics: Vec<HeatMapTopic>,
    /// The rows, in the order of names; at most 500.
    pub students: Vec<HeatMapStudent>,
}

/// A column of a heat map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeatMapTopic {
    /// The topic's slug.
    pub slug: String,
    /// The topic's title.
    pub title: String,
    /// The slug of its module.
    pub module: String,
}

/// A row of a heat map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeatMapStudent {
    /// The student.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their overall score.
    pub mastery: Option<u8>,
    /// Their score in each topic, in the order of the columns.
    pub scores: Vec<Option<u8>>,
}

/// How a class gets on: scores by topic, and who struggles and why.
#[utoipa::path(get, path = "/classes/{id}/overview", operation_id = "get_class_overview", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    responses((status = 200, body = ClassOverview), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem)))]
pub(crate) async fn overview(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
) -> Result<Json<ClassOverview>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let class = active(&mut conn, &caller, &id).await?;
    let (students, scores) = students_with_scores(&mut conn, &class).await?;
    let unresolved = [AlertStatus::Open, AlertStatus::Acknowledged];
    let (own, latest) = ([class.id.as_uuid()], Moment::before(None)?);
    let page = AlertPage {
        classes: &own,
        student: None,
        statuses: &unresolved,
        before: (latest.at, latest.id),
        limit: MAX_ALERTS,
    };
    let alerts = alerts::of_classes(&mut conn, &page).await?;
    let struggling = by_student(alerts.items);
    let overall: Vec<u8> =
        students.iter().filter_map(|student| scores.overall(student.id.as_uuid())).collect();
    let levels = Level::ALL.into_iter().map(|level| LevelCount {
        level,
        students: overall.iter().filter(|score| Level::of_score(**score) == level).count(),
    });
    let topics = curriculum::embedded().topics().filter_map(|topic| {
        let of_topic: Vec<u8> = students
            .iter()
            .filter_map(|student| scores.of(student.id.as_uuid(), &topic.slug))
            .collect();
        Some(TopicMastery {
            topic: topic.slug.clone(),
            title: topic.title.clone(),
            students: of_topic.len(),
            mastery: mastery::overall(of_topic)?,
        })
    });
    Ok(Json(ClassOverview {
        mastery: mastery::overall(overall.iter().copied()),
        levels: levels.collect(),
        topics: topics.collect(),
        struggling,
        class: class.into(),
    }))
}

/// The students of a class with all their scores.
pub(crate) async fn students_with_scores(
    conn: &mut PgConnection,
    class: &Class,
) -> Result<(Vec<ClassStudent>, Scores), Problem> {
    let students = enrollments::students(conn, class.id, MAX_STUDENTS).await?;
    let ids: Vec<Uuid> = students.iter().map(|student| student.id.as_uuid()).collect();
    let scores = Scores::load(conn, &ids).await?;
    Ok((students, scores))
}

/// The alerts by student: the most urgent first, then who has the most, then who has the latest.
fn by_student(alerts: Vec<ClassAlert>) -> Vec<StrugglingStudent> {
    let mut students: Vec<StrugglingStudent> = Vec::new();
    for alert in alerts {
        match students.iter_mut().find(|student| student.student_id == alert.student_id) {
            Some(student) => student.alerts.push(alert),
            None => students.push(StrugglingStudent {
                student_id: alert.student_id,
                name: alert.student_name.clone(),
                alerts: vec![alert],
            }),
        }
    }
    students.sort_by_key(|student| {
        let urgency = student.alerts.iter().map(|alert| alert.severity).max();
        Reverse((urgency, student.alerts.len()))
    });
    students
}

/// The scores of all students of a class in all topics.
#[utoipa::path(get, path = "/classes/{id}/heatmap", operation_id = "get_class_heatmap", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    responses((status = 200, body = HeatMap), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem)))]
pub(crate) async fn heatmap(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
) -> Result<Json<HeatMap>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let class = active(&mut conn, &caller, &id).await?;
    let (students, scores) = students_with_scores(&mut conn, &class).await?;
    let modules = curriculum::embedded().modules.iter();
    let topics: Vec<HeatMapTopic> = modules
        .flat_map(|module| {
            let column = |topic: &Topic| HeatMapTopic {
                slug: topic.slug.clone(),
                title: topic.title.clone(),
                module: module.slug.clone(),
            };
            module.topics.iter().map(column)
        })
        .collect();
    let row = |student: ClassStudent| HeatMapStudent {
        id: student.id,
        name: student.name,
        mastery: scores.overall(student.id.as_uuid()),
        scores: topics.iter().map(|topic| scores.of(student.id.as_uuid(), &topic.slug)).collect(),
    };
    let students = students.into_iter().map(row).collect();
    Ok(Json(HeatMap { topics, students }))
}
