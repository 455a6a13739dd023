//! Several connections behind one API token.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use crate::CONNECTION_ID;
use crate::answer::Answer;
use crate::api::{Api, Reply, Way};
use crate::limit::SlidingWindow;
use crate::request::RecordedRequest;
use crate::world::World;

/// The served worlds, and the requests to all of them.
pub(crate) struct Tenants {
    /// The first is that of [`CONNECTION_ID`].
    apis: Vec<Api>,
    /// The world of each connection.
    places: HashMap<String, usize>,
    /// At most this many requests with the token in any window of this length.
    token_limit: Option<(u32, Duration)>,
    window: SlidingWindow,
    requests: Vec<RecordedRequest>,
    /// The paths of the requests that have no answer yet.
    in_flight: Vec<String>,
    watchers: Vec<Sender<RecordedRequest>>,
}

impl Tenants {
    pub(crate) fn new(world: World) -> Self {
        Self {
            apis: vec![Api::new(world)],
            places: HashMap::from([(CONNECTION_ID.to_owned(), 0)]),
            token_limit: None,
            window: SlidingWindow::default(),
            requests: Vec::new(),
            in_flight: Vec::new(),
            watchers: Vec::new(),
        }
    }

    pub(crate) fn set_world(&mut self, world: World) {
        self.apis[0].set_world(world);
    }

    /// Serves a world for these connections too.
    pub(crate) fn add(&mut self, connections: Vec<String>, world: World) {
        let place = self.apis.len();
        self.apis.push(Api::new(world));
        let places = connections.into_iter().map(|id| (id, place));
        self.places.extend(places);
    }

    pub(crate) fn limit_token(&mut self, limit: Option<(u32, Duration)>) {
        self.token_limit = limit;
        self.window = SlidingWindow::default();
    }

    pub(crate) fn requests(&self) -> &[RecordedRequest] {
        &self.requests
    }

    pub(crate) fn forget_requests(&mut self) {
        self.requests.clear();
    }

    /// A request was answered, or given up.
    pub(crate) fn ended(&mut self, path: &str) {
        if let Some(place) = self.in_flight.iter().position(|of| of == path) {
            self.in_flight.swap_remove(place);
        }
    }

    pub(crate) fn watch(&mut self, watcher: Sender<RecordedRequest>) {
        self.watchers.push(watcher);
    }

    /// The valid token.
    pub(crate) fn token(&self) -> &str {
        self.apis[0].token()
    }

    /// Answers a request and records it.
    pub(crate) fn answer(&mut self, mut request: RecordedRequest) -> Reply {
        request.beside.clone_from(&self.in_flight);
        self.in_flight.push(request.path.clone());
        let reply = match self.token_limit {
            Some((at_most, window)) if !self.window.admit(at_most, window, Instant::now()) => {
                Reply {
                    answer: Answer::too_many_requests(10),
                    delay: Duration::ZERO,
                    way: Way::Whole,
                    date: None,
                }
            }
            _ => self.answer_for_its_connection(&request),
        };
        request.status = (reply.way != Way::Reset).then_some(reply.answer.status);
        self.watchers
            .retain(|watcher| watcher.send(request.clone()).is_ok());
        self.requests.push(request);
        reply
    }

    fn answer_for_its_connection(&mut self, request: &RecordedRequest) -> Reply {
        let known = request.connection().and_then(|id| {
            let place = self.places.get(id)?;
            Some((id, *place))
        });
        let (id, place) = known.unwrap_or((CONNECTION_ID, 0));
        self.apis[place].answer(id, request)
    }
}
