//! What a function hands to the runtime.

use std::{collections::HashMap, sync::Arc};

use axum::{Router, http::HeaderValue, routing::MethodRouter};
use events::{Event, Topic};

use crate::{
    Act, Decide, Periodic, Schedule, Spec,
    config::Settings,
    http::TrustedProxies,
    periodic::AnyPeriodic,
    process::{Acting, AnyHandler, Deciding},
};

/// A path, and what is served there by method.
pub type Endpoint = (&'static str, MethodRouter);

/// A function: its spec, its handlers and its HTTP endpoints.
pub struct Function {
    pub(crate) spec: &'static Spec,
    pub(crate) topics: Vec<Topic>,
    pub(crate) handlers: HashMap<&'static str, Box<dyn AnyHandler>>,
    pub(crate) periodic: Vec<Arc<dyn AnyPeriodic>>,
    faults: Vec<String>,
    pub(crate) public: Router,
    pub(crate) internal: Vec<Endpoint>,
    pub(crate) awaits_replies: bool,
    pub(crate) origins: Vec<HeaderValue>,
    pub(crate) proxies: TrustedProxies,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function")
            .field("spec", &self.spec)
            .field("topics", &self.topics)
            .finish_non_exhaustive()
    }
}

impl Function {
    /// A function that does nothing yet.
    #[must_use]
    pub fn new(spec: &'static Spec) -> Self {
        Self {
            spec,
            topics: Vec::new(),
            handlers: HashMap::new(),
            periodic: Vec::new(),
            faults: Vec::new(),
            public: Router::new(),
            internal: Vec::new(),
            awaits_replies: false,
            origins: Vec::new(),
            proxies: TrustedProxies::default(),
        }
    }

    /// Handles a type of event in one database transaction.
    #[must_use]
    pub fn decides<H: Decide>(self, handler: H) -> Self {
        self.handles::<H::In>(Box::new(Deciding(Arc::new(handler))))
    }

    /// Handles a type of event by one call to the outside.
    #[must_use]
    pub fn acts<H: Act>(self, handler: H) -> Self {
        self.handles::<H::In>(Box::new(Acting(handler)))
    }

    /// Does work again and again without an event, in the order of the function's spec.
    #[must_use]
    pub fn repeats<P: Periodic>(mut self, work: P) -> Self {
        self.periodic.push(Arc::new(work));
        self
    }

    fn handles<E: Event>(mut self, handler: Box<dyn AnyHandler>) -> Self {
        if !self.topics.contains(&E::TOPIC) {
            self.topics.push(E::TOPIC);
        }
        if self.handlers.insert(E::TYPE, handler).is_some() {
            self.faults.push(format!("{} handles {} twice", self.spec.name, E::TYPE));
        }
        self
    }

    /// Adds what is wrong with the function itself to the faults of its settings: two handlers for one type of event,
    /// or other topics and periodic work than its spec says.
    pub(crate) fn check(&self, settings: &mut Settings) {
        for fault in &self.faults {
            settings.fault(fault.clone());
        }
        let name = self.spec.name;
        let schedules: Vec<Schedule> = self.periodic.iter().map(|work| work.schedule()).collect();
        if schedules != self.spec.schedules {
            settings.fault(format!("{name} has other periodic work than its spec says"));
        }
        for topic in self.topics.iter().filter(|topic| !self.spec.consumes.contains(topic)) {
            settings.fault(format!(
                "{name} handles events of {}, which its spec does not say",
                topic.name()
            ));
        }
        for topic in self.spec.consumes.iter().filter(|topic| !self.topics.contains(topic)) {
            settings
                .fault(format!("{name} handles no event of {}, as its spec says", topic.name()));
        }
    }

    /// Serves endpoints that look after their own access.
    #[must_use]
    pub fn serves_public(mut self, routes: Router) -> Self {
        self.public = self.public.merge(routes);
        self
    }

    /// Serves endpoints for other services: open on a private port, with a service token anywhere else.
    #[must_use]
    pub fn serves_internal(mut self, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        self.internal.extend(endpoints);
        self
    }

    /// The paths of the endpoints for other services.
    pub(crate) fn internal_paths(&self) -> impl Iterator<Item = &'static str> {
        self.internal.iter().map(|(path, _)| *path)
    }

    /// Lets browsers call from pages of these origins.
    #[must_use]
    pub fn allows_origins(mut self, origins: Vec<HeaderValue>) -> Self {
        self.origins = origins;
        self
    }

    /// Believes these proxies where a request comes from.
    #[must_use]
    pub fn trusts_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Waits for answers to what it asks: see [`crate::replies`].
    #[must_use]
    pub const fn awaits_replies(mut self) -> Self {
        self.awaits_replies = true;
        self
    }
}
