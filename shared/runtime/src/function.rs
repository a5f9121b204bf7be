//! What a function registers with the runtime.

use std::sync::Arc;

use axum::{Router, http::HeaderValue};
use delivery::{
    Act, Decide, Periodic, Schedule, follower::Sink, periodic::AnyPeriodic, process::Handlers,
};
use environment::config::Settings;
use events::Topic;
use web::{
    TrustedProxies,
    server::{Endpoint, Endpoints},
    sockets::Sockets,
};

use crate::{Spec, connections::Connections};

/// A function: its spec, its handlers and its HTTP endpoints.
pub struct Function {
    pub(crate) spec: &'static Spec,
    pub(crate) handlers: Handlers,
    pub(crate) periodic: Vec<Arc<dyn AnyPeriodic>>,
    pub(crate) endpoints: Endpoints,
    pub(crate) awaits_replies: bool,
    pub(crate) followed: Option<(&'static [Topic], Sink)>,
    pub(crate) sockets: Option<Sockets>,
    pub(crate) connections: Option<Arc<dyn Connections>>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function")
            .field("spec", &self.spec)
            .field("handlers", &self.handlers)
            .finish_non_exhaustive()
    }
}

impl Function {
    /// A function without any handlers yet.
    #[must_use]
    pub fn new(spec: &'static Spec) -> Self {
        Self {
            spec,
            handlers: Handlers::default(),
            periodic: Vec::new(),
            endpoints: Endpoints::default(),
            awaits_replies: false,
            followed: None,
            sockets: None,
            connections: None,
        }
    }

    /// Handles a type of event in one database transaction.
    #[must_use]
    pub fn decides<H: Decide>(mut self, handler: H) -> Self {
        self.handlers.decides(handler);
        self
    }

    /// Handles a type of event by one call to the outside.
    #[must_use]
    pub fn acts<H: Act>(mut self, handler: H) -> Self {
        self.handlers.acts(handler);
        self
    }

    /// Adds periodic work, in the order of the function's spec.
    #[must_use]
    pub fn repeats<P: Periodic>(mut self, work: P) -> Self {
        self.periodic.push(Arc::new(work));
        self
    }

    /// Adds the function's own faults to those of its settings: two handlers for one type of event, or topics and
    /// periodic work that differ from its spec.
    pub(crate) fn check(&self, settings: &mut Settings) {
        let name = self.spec.name;
        for event_type in self.handlers.duplicates() {
            settings.fault(format!("{name} handles {event_type} twice"));
        }
        let schedules: Vec<Schedule> = self.periodic.iter().map(|work| work.schedule()).collect();
        if schedules != self.spec.schedules {
            settings.fault(format!("{name} has periodic work that differs from its spec"));
        }
        let mut topics = self.handlers.topics().to_vec();
        topics.extend(self.followed.iter().flat_map(|(followed, _)| *followed));
        for topic in topics.iter().filter(|topic| !self.spec.consumes.contains(topic)) {
            settings.fault(format!(
                "{name} handles events of {}, which are not in its spec",
                topic.name()
            ));
        }
        for topic in self.spec.consumes.iter().filter(|topic| !topics.contains(topic)) {
            settings.fault(format!(
                "{name} handles no event of {}, which is in its spec",
                topic.name()
            ));
        }
    }

    /// Serves endpoints that check access themselves.
    #[must_use]
    pub fn serves_public(mut self, routes: Router) -> Self {
        self.endpoints.public = self.endpoints.public.merge(routes);
        self
    }

    /// Serves endpoints for other services: open on a private port, with a service token anywhere else.
    #[must_use]
    pub fn serves_internal(mut self, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        self.endpoints.internal.extend(endpoints);
        self
    }

    /// The paths of the endpoints for other services.
    pub(crate) fn internal_paths(&self) -> impl Iterator<Item = &'static str> {
        self.endpoints.internal.iter().map(|(path, _)| *path)
    }

    /// Lets browsers call from pages of these origins.
    #[must_use]
    pub fn allows_origins(mut self, origins: Vec<HeaderValue>) -> Self {
        self.endpoints.origins = origins;
        self
    }

    /// Trusts these proxies to name the client.
    #[must_use]
    pub fn trusts_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.endpoints.proxies = proxies;
        self
    }

    /// Lets it wait for answers to its requests: see [`delivery::replies`].
    #[must_use]
    pub const fn awaits_replies(mut self) -> Self {
        self.awaits_replies = true;
        self
    }

    /// Has every instance hear every event of these topics from now on, unlike handlers, which share them. Under AWS
    /// Lambda its connections hear them, each event once; without any, they are nobody's.
    #[must_use]
    pub fn follows(mut self, topics: &'static [Topic], sink: Sink) -> Self {
        self.followed = Some((topics, sink));
        self
    }

    /// Whether it has no consumer group: each of its instances reads all of its topics.
    #[must_use]
    pub fn only_follows(&self) -> bool {
        self.handlers.topics().is_empty() && self.followed.is_some()
    }

    /// Closes these sockets when the function stops.
    #[must_use]
    pub fn serves_sockets(mut self, sockets: Sockets) -> Self {
        self.sockets = Some(sockets);
        self
    }

    /// Has API Gateway hold sockets for it, under AWS Lambda.
    #[must_use]
    pub fn has_connections(mut self, connections: Arc<dyn Connections>) -> Self {
        self.connections = Some(connections);
        self
    }
}
