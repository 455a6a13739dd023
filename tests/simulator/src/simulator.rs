//! The server. It has its own thread and runtime, so that any test can use it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{Request, Response};
use tokio::sync::oneshot;

use crate::api::Way;
use crate::line::{Break, BreakableListener, Breaker};
use crate::request::RecordedRequest;
use crate::tenants::Tenants;
use crate::world::World;

/// No client posts more than this.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A running simulator. Dropping it stops it and frees its port.
pub struct Simulator {
    addr: SocketAddr,
    api: Shared,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The worlds that are served, shared by the server and the [`Simulator`].
#[derive(Clone)]
struct Shared(Arc<Mutex<Tenants>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Tenants> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Simulator {
    /// Serves a world on a free port of 127.0.0.1.
    pub async fn start(world: World) -> io::Result<Self> {
        Self::start_on(world, free_port()).await
    }

    /// Serves a world on an address.
    pub async fn start_on(world: World, addr: SocketAddr) -> io::Result<Self> {
        Self::spawn_on(world, addr)
    }

    /// Serves a world on a free port of 127.0.0.1; for callers without a runtime.
    ///
    /// # Panics
    ///
    /// If the machine has no port or no thread left.
    pub fn spawn(world: World) -> Self {
        Self::spawn_on(world, free_port()).expect("a free port and a thread for the simulator")
    }

    /// Serves a world on an address; for callers without a runtime.
    pub fn spawn_on(world: World, addr: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let api = Shared(Arc::new(Mutex::new(Tenants::new(world))));
        let (stop, stopped) = oneshot::channel();
        let router = Router::new().fallback(answer).with_state(api.clone());
        let thread = std::thread::Builder::new()
            .name("truto-simulator".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let service = router.into_make_service_with_connect_info::<Breaker>();
                    let server = axum::serve(BreakableListener(listener), service);
                    tokio::select! {
                        _ = server.into_future() => {}
                        // An error means that the simulator was dropped, which is a stop as well.
                        _ = stopped => {}
                    }
                });
                // Closes open connections without waiting for their clients.
                drop(runtime);
            })?;
        Ok(Self {
            addr,
            api,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Its address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Every request since the start, in the order of arrival.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.api.lock().requests().to_vec()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.api.lock().forget_requests();
    }

    /// Serves another world from now on, for the next run. Keeps the recorded requests; resets
    /// faults, cursors and rate limits.
    pub fn set_world(&self, world: World) {
        self.api.lock().set_world(world);
    }

    /// Serves this world for these connections too. They share its state, but each has its own rate
    /// limit.
    pub fn add(&self, connections: impl IntoIterator<Item = String>, world: World) {
        let connections = connections.into_iter().collect();
        self.api.lock().add(connections, world);
    }

    /// Limits the requests of all connections together, in any window of this length.
    pub fn limit_token(&self, limit: Option<(u32, Duration)>) {
        self.api.lock().limit_token(limit);
    }

    /// Receives a copy of every later request when it is answered.
    pub fn watch(&self) -> mpsc::Receiver<RecordedRequest> {
        let (watcher, requests) = mpsc::channel();
        self.api.lock().watch(watcher);
        requests
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that the server has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the server was printed on its own thread.
            let _ = thread.join();
        }
    }
}

fn free_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// A request without an answer. Dropping it means that it has ended, also if the client has gone.
struct InFlight(Shared, String);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().ended(&self.1);
    }
}

async fn answer(
    State(shared): State<Shared>,
    ConnectInfo(line): ConnectInfo<Breaker>,
    request: Request<Body>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    // If the client breaks off, the body counts as empty.
    let body = axum::body::to_bytes(body, MAX_BODY_BYTES).await;
    let body = body.unwrap_or_default();
    let (reply, _in_flight) = {
        let mut api = shared.lock();
        let in_flight = InFlight(Shared(Arc::clone(&shared.0)), head.uri.path().to_owned());
        let token = api.token();
        let request = RecordedRequest::new(&head.method, &head.uri, &head.headers, &body, token);
        (api.answer(request), in_flight)
    };
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    match reply.way {
        Way::Whole => {}
        Way::Reset => line.arm(Break::Reset),
        Way::Cut => line.arm(Break::AfterBody(reply.answer.body.len() / 2)),
    }
    reply.answer.into_response(reply.date.as_deref())
}
