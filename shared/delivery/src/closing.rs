//! Consumers whose end blocks no thread of the runtime, however it comes.
//!
//! The client waits for the broker when it is dropped, also when its task is cancelled. If the broker lives in the same
//! runtime, as it does locally, and every thread waits like that, nobody is left to answer.

use std::{ops::Deref, sync::Arc, thread};

use rdkafka::consumer::{ConsumerContext, StreamConsumer};
use tokio::sync::oneshot;

/// A consumer that is closed on a thread of its own.
pub(crate) struct Closing<C: ConsumerContext + 'static> {
    // Dropped before the closer, which so has the last reference.
    client: Arc<StreamConsumer<C>>,
    closer: Closer<C>,
}

impl<C: ConsumerContext + 'static> Closing<C> {
    pub(crate) fn new(client: StreamConsumer<C>) -> Self {
        let client = Arc::new(client);
        Self { closer: Closer(Some(Arc::clone(&client))), client }
    }

    /// Begins to close it; received once it is closed.
    pub(crate) fn close(self) -> oneshot::Receiver<()> {
        let Self { client, mut closer } = self;
        drop(client);
        closer.begin()
    }
}

impl<C: ConsumerContext + 'static> Deref for Closing<C> {
    type Target = StreamConsumer<C>;

    fn deref(&self) -> &StreamConsumer<C> {
        &self.client
    }
}

struct Closer<C: ConsumerContext + 'static>(Option<Arc<StreamConsumer<C>>>);

impl<C: ConsumerContext + 'static> Closer<C> {
    fn begin(&mut self) -> oneshot::Receiver<()> {
        let (closed, is_closed) = oneshot::channel();
        let client = self.0.take();
        let close = move || {
            drop(client);
            if closed.send(()).is_err() {
                tracing::debug!("nobody waits for the end of a consumer");
            }
        };
        // Without a thread it is closed here and now.
        drop(thread::Builder::new().name("kafka-close".to_owned()).spawn(close));
        is_closed
    }
}

impl<C: ConsumerContext + 'static> Drop for Closer<C> {
    fn drop(&mut self) {
        if self.0.is_some() {
            drop(self.begin());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rdkafka::{ClientConfig, consumer::StreamConsumer};
    use tokio::time::timeout;

    use super::Closing;

    #[tokio::test]
    async fn closing_ends_also_where_nobody_answers() {
        let client: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", "127.0.0.1:1")
            .set("group.id", "closing")
            .create()
            .unwrap();
        let closed = Closing::new(client).close();
        assert!(timeout(Duration::from_secs(20), closed).await.unwrap().is_ok());
    }
}
