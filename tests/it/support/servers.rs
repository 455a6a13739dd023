//! Real stores of other vendors, each in its own process: SeaweedFS for S3, moto for S3 and KMS.
//!
//! Our own servers in the test process only show what we assumed. These two were written without
//! our code. If one is not installed, its `start` prints that and returns none; in continuous
//! integration that is a failure (see [`super::has`]).
//!
//! ```ignore
//! let Some(weed) = SeaweedFs::start() else { return };
//! weed.locked_bucket("evidence").await;
//! Command::new(binary).env("EVIDENCE_URL", "s3://evidence/n").envs(weed.env());
//! ```

#![allow(dead_code, reason = "each test uses only a part of it")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use asana_access_review::aws;
use aws_config::{ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use tempfile::TempDir;

use super::s3::{ACCESS_KEY, REGION, SECRET_KEY};

/// After this time, the start of a server has failed.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Another process may take a port after the test has found it free.
const ATTEMPTS: usize = 3;

/// Runs a program, and stops it when stdin ends, also if the test was killed.
const UNTIL_STDIN_ENDS: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _; kill -9 "$server"; } <&3 2>/dev/null &
wait "$server"
"#;

/// A process that serves HTTP on loopback. It stops when it is dropped.
struct Server {
    process: Child,
    folder: TempDir,
    address: SocketAddr,
    litter: Vec<PathBuf>,
}

/// The command that starts a server.
struct Start {
    words: Vec<String>,
    /// Files that the server leaves outside of its folder.
    litter: Vec<PathBuf>,
}

impl Server {
    /// Starts the command that `command` builds from its own folder and free ports, and waits until
    /// the first port answers `path` with success.
    fn start<const PORTS: usize>(
        path: &str,
        command: impl Fn(&TempDir, [u16; PORTS]) -> Start,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut reported = String::new();
        for _ in 0..ATTEMPTS {
            let folder = tempfile::tempdir().expect("a folder");
            let ports = free_ports();
            let Start { words, litter } = command(&folder, ports);
            let log = File::create(folder.path().join("log")).expect("a log");
            let process = Command::new("sh")
                .args(["-c", UNTIL_STDIN_ENDS, "sh"])
                .args(&words)
                .envs(environment.iter().copied())
                .current_dir(folder.path())
                .stdin(Stdio::piped())
                .stdout(log.try_clone().expect("a log"))
                .stderr(log)
                .spawn()
                .expect("a shell");
            let mut server = Self {
                process,
                folder,
                address: (Ipv4Addr::LOCALHOST, ports[0]).into(),
                litter,
            };
            if server.becomes_ready(path) {
                return server;
            }
            let log = fs::read(server.folder.path().join("log")).unwrap_or_default();
            reported = format!("{}: {}", words[0], String::from_utf8_lossy(&log));
        }
        panic!("no server started; the last one printed: {reported}");
    }

    fn becomes_ready(&mut self, path: &str) -> bool {
        let started = Instant::now();
        while started.elapsed() < READY_WITHIN {
            if self.answers(path) {
                return true;
            }
            if let Ok(Some(_)) = self.process.try_wait() {
                return false;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }

    fn answers(&self, path: &str) -> bool {
        let asked = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(1))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
                self.address
            )?;
            let mut start = [0; "HTTP/1.1 200".len()];
            stream.read_exact(&mut start)?;
            Ok(start.ends_with(b" 200"))
        };
        asked().unwrap_or(false)
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The program's own configuration for this server.
    async fn config(&self) -> SdkConfig {
        let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test");
        let loader = ConfigLoader::default()
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(self.endpoint());
        aws::sdk_config_from(loader).await
    }

    async fn s3(&self) -> Client {
        let config = self.config().await;
        aws::s3_client(&config, true).expect("a client with a region")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // The folder is deleted next, so no process may still write there.
        let _ = self.process.wait();
        for file in &self.litter {
            let _ = fs::remove_file(file);
        }
    }
}

/// Free ports, all different.
fn free_ports<const PORTS: usize>() -> [u16; PORTS] {
    let listeners: [TcpListener; PORTS] = std::array::from_fn(|_| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback")
    });
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

/// Variables that make the real program use a server for one service, and no other source of
/// credentials.
fn environment(service: &'static str, endpoint: String) -> Vec<(&'static str, String)> {
    [
        (service, endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_REGION", REGION),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("S3_FORCE_PATH_STYLE", "true"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// SeaweedFS: atomic creates, versions, Object Lock, SSE-KMS, checked credentials.
///
/// Its first put takes some seconds, because it creates its volumes then.
pub(crate) struct SeaweedFs {
    server: Server,
}

impl SeaweedFs {
    /// A server without buckets; none if SeaweedFS is not installed.
    pub(crate) fn start() -> Option<Self> {
        if !super::has(&["weed"]) {
            return None;
        }
        let command = |folder: &TempDir, ports: [u16; 8]| {
            let [
                s3,
                s3_grpc,
                master,
                master_grpc,
                volume,
                volume_grpc,
                filer,
                filer_grpc,
            ] = ports;
            let at = |name: &str| folder.path().join(name).display().to_string();
            fs::create_dir(at("data")).expect("a folder");
            fs::write(at("s3.json"), identities()).expect("a file");
            let words = [
                "weed",
                "server",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-master.telemetry=false",
                "-master.volumeSizeLimitMB=64",
                "-volume.max=50",
                "-filer",
                "-s3",
                "-s3.autoCreateBucket=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
            ]
            .map(str::to_owned)
            .into_iter()
            .chain([
                format!("-dir={}", at("data")),
                format!("-s3.config={}", at("s3.json")),
                format!("-s3.port={s3}"),
                format!("-s3.port.grpc={s3_grpc}"),
                format!("-master.port={master}"),
                format!("-master.port.grpc={master_grpc}"),
                format!("-volume.port={volume}"),
                format!("-volume.port.grpc={volume_grpc}"),
                format!("-filer.port={filer}"),
                format!("-filer.port.grpc={filer_grpc}"),
            ])
            .collect();
            let sockets = [
                format!("s3-{s3}"),
                format!("s3-grpc-{s3_grpc}"),
                format!("master-grpc-{master_grpc}"),
                format!("volume-grpc-{volume_grpc}"),
                format!("filer-{filer}"),
                format!("filer-grpc-{filer_grpc}"),
            ];
            let litter = sockets.map(|name| format!("/tmp/seaweedfs-{name}.sock").into());
            Start {
                words,
                litter: litter.into(),
            }
        };
        // This key encrypts the data keys of SSE, which only exist during the test.
        let kek = "5e".repeat(32);
        let server = Server::start("/healthz", command, &[("WEED_S3_SSE_KEK", &kek)]);
        Some(Self { server })
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// Variables that make the real program store its evidence here.
    pub(crate) fn env(&self) -> Vec<(&'static str, String)> {
        environment("AWS_ENDPOINT_URL_S3", self.endpoint())
    }

    /// The program's own client for this server, with more permissions than the program uses.
    pub(crate) async fn client(&self) -> Client {
        self.server.s3().await
    }

    /// Creates a bucket without versions.
    pub(crate) async fn bucket(&self, name: &str) {
        make_bucket(&self.client().await, name, false).await;
    }

    /// Creates a bucket with versions and Object Lock, without a default lock.
    pub(crate) async fn locked_bucket(&self, name: &str) {
        make_bucket(&self.client().await, name, true).await;
    }
}

fn identities() -> String {
    serde_json::json!({
        "identities": [{
            "name": "admin",
            "credentials": [{ "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY }],
            "actions": ["Admin", "Read", "Write", "List"],
        }],
        "kms": {
            "default_provider": "local",
            "providers": { "local": { "type": "local", "enableOnDemandCreate": true } },
        },
    })
    .to_string()
}

async fn make_bucket(client: &Client, name: &str, with_object_lock: bool) {
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(REGION))
        .build();
    let made = client
        .create_bucket()
        .bucket(name)
        .create_bucket_configuration(place)
        .object_lock_enabled_for_bucket(with_object_lock)
        .send();
    made.await.expect("a bucket");
}

/// moto: KMS with signing keys, and S3 with versions and Object Lock.
///
/// It accepts any credentials and any checksum, so it proves nothing about these.
pub(crate) struct Moto {
    server: Server,
}

impl Moto {
    /// A server without keys and buckets; none if moto is not installed.
    pub(crate) fn start() -> Option<Self> {
        if !super::has(&["moto_server"]) {
            return None;
        }
        let command = |_: &TempDir, [port]: [u16; 1]| {
            let port = port.to_string();
            let words = ["moto_server", "-H", "127.0.0.1", "-p", &port];
            Start {
                words: words.map(str::to_owned).into(),
                litter: Vec::new(),
            }
        };
        let server = Server::start("/moto-api/", command, &[]);
        Some(Self { server })
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// Variables that make the real program sign with this server.
    pub(crate) fn kms_env(&self) -> Vec<(&'static str, String)> {
        environment("AWS_ENDPOINT_URL_KMS", self.endpoint())
    }

    /// Variables that make the real program store its evidence here.
    pub(crate) fn s3_env(&self) -> Vec<(&'static str, String)> {
        environment("AWS_ENDPOINT_URL_S3", self.endpoint())
    }

    /// The program's own client for KMS on this server, with more permissions than the program
    /// uses.
    pub(crate) async fn kms(&self) -> aws_sdk_kms::Client {
        let config = self.server.config().await;
        aws::kms_client(&config, "").expect("a client with a region")
    }

    /// The program's own client for S3 on this server.
    pub(crate) async fn s3(&self) -> Client {
        self.server.s3().await
    }

    /// Creates a bucket with versions and Object Lock, without a default lock.
    pub(crate) async fn locked_bucket(&self, name: &str) {
        make_bucket(&self.s3().await, name, true).await;
    }
}
