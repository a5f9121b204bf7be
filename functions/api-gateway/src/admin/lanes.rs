//! What waits where: for each function and partition how far it is, and whether it is paused. `learnflow lanes` lists the
//! same, and pauses and resumes them.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use runtime::{
    cluster::{FunctionLanes, LaneState},
    web::{Admin, Caller, Json, Problem},
};
use serde::{Deserialize, Serialize};
use storage::paused_lanes::{self, PausedLane};
use utoipa::ToSchema;

use crate::gateway::Gateway;

/// Seconds after which a broker that did not answer may be asked again.
const RETRY_SECONDS: u32 = 5;

/// A lane: what a function has to do of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedLane {
    /// The function.
    pub function: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset of the first event that is not handled.
    pub next: i64,
    /// The offset that the next event will have.
    pub end: i64,
    /// How many events wait.
    pub lag: i64,
    /// How long the first of them has waited, in milliseconds, if that was found out in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_age_ms: Option<i64>,
    /// Whether any instance handles the function's events.
    pub is_consumed: bool,
    /// Since when it is paused, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_since: Option<DateTime<Utc>>,
    /// The offset before which a paused lane stops: 0, or where the last step has led.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stops_at: Option<i64>,
}

/// All lanes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LaneList {
    /// By function, topic and partition.
    pub items: Vec<ListedLane>,
}

/// What each function has to do of each partition of the topics that it reads, and which lanes are paused.
///
/// Functions that read topics without a consumer group, as websocket does outside of AWS Lambda, keep no place and are not
/// listed, nor is a function that has never handled an event.
#[utoipa::path(get, path = "/admin/lanes", operation_id = "list_lanes", tag = "Administration", security(("bearer" = [])),
    responses((status = 200, body = LaneList), (status = 403, body = Problem),
              (status = 503, description = "Kafka does not answer within 5 s", body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    _caller: Caller<Admin>,
) -> Result<Json<LaneList>, Problem> {
    let services = &gateway.services;
    let paused = {
        let mut conn = services.store.connection().await?;
        paused_lanes::all(&mut conn).await?
    };
    let also = paused.iter().map(|lane| (lane.function.clone(), lane.topic.clone())).collect();
    let found = services.lanes(also).await.ok_or_else(|| {
        let detail = "Kafka does not answer; what is accepted meanwhile is kept and sent later";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "kafka_unavailable", detail)
            .retry_after(RETRY_SECONDS)
    })?;
    // The broker's times are those of its machine, also where a demonstration lives in the past.
    let now = services.clock.of_processes().now();
    Ok(Json(LaneList { items: listed(found, &paused, now) }))
}

fn listed(found: Vec<FunctionLanes>, paused: &[PausedLane], now: DateTime<Utc>) -> Vec<ListedLane> {
    let mut items = Vec::new();
    for FunctionLanes { function, members, lanes } in found {
        let own: Vec<PausedLane> =
            paused.iter().filter(|lane| lane.function == function).cloned().collect();
        items.extend(lanes.into_iter().map(|lane| {
            let paused = lane.paused(&own);
            let (lag, LaneState { topic, partition, next, end, oldest_at }) = (lane.lag(), lane);
            ListedLane {
                function: function.clone(),
                topic,
                partition,
                next,
                end,
                lag,
                oldest_age_ms: oldest_at.map(|at| (now - at).num_milliseconds().max(0)),
                is_consumed: members > 0,
                paused_since: paused.map(|lane| lane.paused_at),
                stops_at: paused.map(|lane| lane.stops_at),
            }
        }));
    }
    let place = |lane: &ListedLane| (lane.function.clone(), lane.topic.clone(), lane.partition);
    items.sort_by_key(place);
    items
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use runtime::cluster::{FunctionLanes, LaneState};
    use storage::paused_lanes::PausedLane;

    use super::listed;

    #[test]
    fn a_pause_is_that_of_the_function_and_the_partition() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
        let lane = |partition, oldest_at| LaneState {
            topic: "t".to_owned(),
            partition,
            next: 3,
            end: 5,
            oldest_at,
        };
        let function = |name: &str, members, lanes| FunctionLanes {
            function: name.to_owned(),
            members,
            lanes,
        };
        let found = vec![
            function("b", 1, vec![lane(1, None), lane(0, Some(now - TimeDelta::seconds(2)))]),
            // The broker's clock is ahead.
            function("a", 0, vec![lane(1, Some(now + TimeDelta::seconds(1)))]),
        ];
        let paused = PausedLane {
            function: "b".to_owned(),
            topic: "t".to_owned(),
            partition: 1,
            stops_at: 4,
            paused_at: now,
        };
        let items = listed(found, &[paused], now);
        let seen: Vec<_> = items
            .iter()
            .map(|lane| {
                (
                    lane.function.as_str(),
                    lane.partition,
                    lane.lag,
                    lane.oldest_age_ms,
                    lane.is_consumed,
                    lane.stops_at,
                )
            })
            .collect();
        let expected = [
            ("a", 1, 2, Some(0), false, None),
            ("b", 0, 2, Some(2_000), true, None),
            ("b", 1, 2, None, true, Some(4)),
        ];
        assert_eq!(seen, expected);
        assert_eq!(items[2].paused_since, Some(now));
    }
}
